"""CSV, honest and hostile."""

from __future__ import annotations

import io

import pytest

from contacts.importing import csv_reading, sheets
from contacts.importing.csv_reading import FileBroken, Form


def cells(content: bytes, form: Form | None = None) -> list[list[str]]:
    file = io.BytesIO(content)
    return [line.cells for line in csv_reading.lines(file, form or csv_reading.form_of(file))]


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
    _, *rows = csv_reading.lines(file, csv_reading.form_of(file))
    assert [bool(row.problem) for row in rows] == [True, True, False, False]


def test_a_zero_byte_refuses_its_row_only() -> None:
    file = io.BytesIO(b"a,b\n1,\x00\n3,4\n")
    _, bad, good = csv_reading.lines(file, csv_reading.form_of(file))
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


@pytest.mark.parametrize(
    ("start", "word"),
    [(b"\xd0\xcf\x11\xe0", "Excel"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "packed")],
)
def test_what_is_plainly_something_else_is_named(start: bytes, word: str) -> None:
    assert word in refusal(start + b"rest")


def test_bytes_that_the_encoding_does_not_have_ask_for_another() -> None:
    assert "choose the encoding" in refusal(b"id,first\n1,\x81\xff\n")
