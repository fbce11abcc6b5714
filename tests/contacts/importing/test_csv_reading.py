"""CSV, honest and hostile."""

from __future__ import annotations

import io

import pytest

from contacts.importing import csv_form, csv_reading, sheets
from contacts.importing.broken import FileBroken
from contacts.importing.csv_form import Form


def cells(content: bytes, form: Form | None = None) -> list[list[str]]:
    file = io.BytesIO(content)
    return [line.cells for line in csv_reading.lines(file, form or csv_form.form_of(file))]


def refusal(content: bytes) -> str:
    with pytest.raises(FileBroken) as caught:
        cells(content)
    return caught.value.reason


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found_by_looking(encoding: str, delimiter: str) -> None:
    text = "id,first name\r\n1,Zoë\r\n".replace(",", delimiter)
    assert cells(text.encode(encoding)) == [["id", "first name"], ["1", "Zoë"]]


def test_the_hint_that_excel_writes_is_followed_and_is_no_header() -> None:
    assert cells(b"sep=;\r\nid;a,b\r\n1;2\r\n") == [["id", "a,b"], ["1", "2"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_of_every_kind_and_inside_cells(newline: str) -> None:
    text = newline.join(["id,note", '1,"two', 'lines, ""quoted"""', "2,x", ""])
    assert cells(text.encode())[1] == ["1", f'two{newline}lines, "quoted"']


def test_a_row_that_does_not_fit_is_a_row_with_a_problem_and_the_next_is_read() -> None:
    file = io.BytesIO(b"a,b\n1\n1,2,3\n1,2,,\n4,5\n")
    _, *rows = csv_reading.lines(file, csv_form.form_of(file))
    assert [bool(row.problem) for row in rows] == [True, True, False, False]


def test_a_zero_byte_refuses_its_row_only() -> None:
    file = io.BytesIO(b"a,b\n1,\x00\n3,4\n")
    _, bad, good = csv_reading.lines(file, csv_form.form_of(file))
    assert ("zero byte" in bad.problem, good.problem) == (True, "")


def test_sr23_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    """SR-23."""
    assert "longer than 4 million" in refusal(b"id\n" + b"x" * 5_000_000)


def test_sr23_a_cell_that_never_ends_is_refused() -> None:
    assert "131,072" in refusal(b'id\n"' + b"x\n" * 200_000)


def test_sr23_more_columns_than_anybody_needs_are_refused() -> None:
    assert "more than 1000 columns" in refusal(b"a," * 1_000_000 + b"\n1\n")


def test_sr23_the_test_file_of_scanners_is_never_read() -> None:
    eicar = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    with pytest.raises(FileBroken, match="malware"):
        sheets.form_of(b"id,first\n1," + eicar)


def test_bytes_that_the_encoding_does_not_have_ask_for_another() -> None:
    assert "choose the encoding" in refusal(b"id,first\n1,\x81\xff\n")


@pytest.mark.parametrize(
    ("encoding", "name", "word"),
    [
        ("utf-16-le", "Иванов Пётр", "Фамилия"),
        ("utf-16-be", "山田太郎", "氏名"),
        ("gb18030", "张三丰", "姓名"),
        ("shift-jis", "山田太郎", "氏名"),
        ("shift-jis", "ヤマダ さくら", "name"),
        ("cp1252", "Zoë O\u2019Brien, Raša–Ünal", "name"),
    ],
)
def test_names_of_every_script_come_in_as_they_were_written(
    encoding: str, name: str, word: str
) -> None:
    text = f"id;{word}\r\n" + "".join(f"{n};{name}\r\n" for n in range(20))
    assert cells(text.encode(encoding))[:2] == [["id", word], ["0", name]]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("mac-roman", "Müller José Zoë"),
        ("cp850", "Müller José Zoë"),
        ("cp1251", "Иванов Пётр Анна"),
        ("koi8-r", "Иванов Пётр Анна"),
        ("cp1253", "Γιώργος Μαρία"),
        ("euc-kr", "김철수 이영희"),
    ],
)
def test_letters_that_cannot_be_told_are_asked_for_rather_than_misread(
    encoding: str, names: str
) -> None:
    text = "id,name\n" + "".join(f"{n},{name}\n" for n, name in enumerate(names.split()))
    assert "encoding" in refusal(text.encode(encoding))


def test_a_zero_byte_in_the_header_is_no_utf16() -> None:
    assert "zero byte" in refusal(b"i\0d,a\n1,b\n")


def test_a_quote_behind_a_space_begins_a_quoted_cell() -> None:
    assert cells(b'id, "note, x"\n1, "a, b"\n') == [["id", "note, x"], ["1", "a, b"]]


def test_a_few_foreign_bytes_in_utf8_are_named_by_line_and_turn_no_other_name_around() -> None:
    content = b"id,name\n" + "1,Zoë Müller\n".encode() * 20 + b"2,Jos\xe9\n"
    with pytest.raises(FileBroken, match="not UTF-8") as caught:
        cells(content)
    assert caught.value.line == 22


@pytest.mark.parametrize(
    "header", ['"first\nname";id;born', "\r\n\r\nname;id;born", '"Name, first";id;born']
)
def test_the_delimiter_is_that_of_the_header_wherever_it_stands(header: str) -> None:
    assert len(cells(f"{header}\r\nZoë;1;1961-02-03\r\n".encode())[0]) == 3


def test_a_mark_between_two_files_put_together_is_no_part_of_a_number() -> None:
    assert cells("\ufeffid,a\n1,x\n\ufeff2,y\n".encode())[2] == ["2", "y"]


def test_the_end_that_old_programs_write_is_no_row() -> None:
    file = io.BytesIO(b"id,a\r\n1,x\r\n\x1a")
    assert [line.problem for line in csv_reading.lines(file, csv_form.form_of(file))] == ["", ""]
