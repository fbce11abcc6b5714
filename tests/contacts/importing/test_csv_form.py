"""How CSV files are written: delimiters, quotes, titles above the header, and what is no CSV."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile

import pytest

from contacts.importing import heads, other_files, sheets
from contacts.importing.broken import FileBroken
from contacts.importing.chunks import Line


def rows(content: str | bytes, **said: object) -> list[Line]:
    raw = content if isinstance(content, bytes) else content.encode()
    file = io.BytesIO(raw)
    assert sheets.form_of(raw) == sheets.CSV
    return list(sheets.lines(file, sheets.CSV, sheets.look(file, sheets.CSV, said)))


def cells(content: str | bytes, **said: object) -> list[list[str]]:
    return [line.cells for line in rows(content, **said)]


@pytest.mark.parametrize("delimiter", [*",;\t|^~"])
def test_every_delimiter_is_found(delimiter: str) -> None:
    text = "id,name,weight\n1,Ada,61\n2,Bob,70\n".replace(",", delimiter)
    assert cells(text)[1] == ["1", "Ada", "61"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("id;weight;height\n1;61,5;1,70\n2;70,2;1,80\n", ["1", "61,5", "1,70"]),
        ("id|notes\n1|a, b, c\n2|x, y\n", ["1", "a, b, c"]),
        ('"sep=;"\nid;name\n1;Ada\n', ["1", "Ada"]),
        ("Patients, all\nBy: jd\n\nMRN;Name;Born\n1;Ann;1970\n2;Bob;1971\n", ["1", "Ann", "1970"]),
    ],
)
def test_the_delimiter_is_that_of_the_table_and_not_of_its_texts(
    text: str, first: list[str]
) -> None:
    assert cells(text)[1] == first


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("Patient list as of 3 May\n\n", 3),
        ("Patient list,,,\n,,,\n", 3),
        ("# exported\n", 2),
        ("Report,2024\n", 2),
    ],
)
def test_titles_above_the_header_are_left_out(above: str, line: int) -> None:
    text = f"{above}MRN,First,Last,DOB\n1,Ann,Lee,1970-01-02\n2,Bob,Lee,1971-01-02\n"
    header, *found = rows(text)
    assert (header.number, header.cells[0], len(found)) == (line, "MRN", 2)


def test_a_header_that_fills_more_than_half_of_the_table_is_no_title() -> None:
    assert cells("id,name,,\n1,Ann,x,y\n2,Bob,x,y\n", head=1)[0] == ["id", "name", "", ""]
    assert cells("id,name,city,\n1,Ann,x,y\n2,Bob,x,y\n")[0] == ["id", "name", "city", ""]


def test_a_file_without_a_header_has_columns_called_by_letters() -> None:
    assert cells("7,Ada\n8,Bob\n", head=0) == [["Column A", "Column B"], ["7", "Ada"], ["8", "Bob"]]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('id,note\n1,"said \\"hi\\", left"\n2,x\n', 'said "hi", left'),
        ("'id','note'\n'1','O''Brien, Ann'\n", "O'Brien, Ann"),
        ('id,note\n1,6"2 tall\n', '6"2 tall'),
        ('id,note\n1,"""Ann"""\n', '"Ann"'),
        ('id,note\n1,"a\\b"\n', "a\\b"),
        ('id,note\n1,\\N\n2,"a \\"q\\""\n', "\\N"),
    ],
)
def test_quotes_are_read_as_whoever_wrote_them_meant(text: str, cell: str) -> None:
    assert cells(text)[1] == ["1", cell]


@pytest.mark.parametrize("wrong", ['1,"Ann" Lee\n', '1,"Ann\n'])
def test_a_quote_that_cannot_be_told_names_its_line_and_may_be_read_otherwise(wrong: str) -> None:
    with pytest.raises(FileBroken) as caught:
        cells(f"id,name\n{wrong}2,x\n")
    assert (caught.value.line, caught.value.read_otherwise) == (2, True)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<html><body><table><tr><td>id</td></tr></table>", "web page"),
        (b"\n<table><tr><td>id", "web page"),
        (b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "2003"),
        (b'<?xml version="1.0"?><ClinicalDocument/>', "XML"),
        (b"MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5\rPID|1\r", "HL7"),
        (b"{\\rtf1\\ansi id}", "text document"),
        (b"BEGIN:VCARD\nFN:Ann\nEND:VCARD\n", "address cards"),
        (b"ID;PWXL;N;E\r\nC;Y1;X1\r\n", "SYLK"),
        (b"PAR1" + bytes(range(32)) * 9, "no file of text"),
        (b"\xd0\xcf\x11\xe0", "old or a protected"),
        (gzip.compress(b"id,name\n1,Ada\n", mtime=0), "packed"),
        (lzma.compress(b"id,name\n1,Ada\n"), "packed"),
        (bz2.compress(b"id,name\n1,Ada\n"), "packed"),
    ],
)
def test_what_is_plainly_something_else_is_named_with_what_to_do(content: bytes, word: str) -> None:
    with pytest.raises(FileBroken, match=word):
        sheets.form_of(content)


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("mimetype", "OpenDocument"),
        ("word/document.xml", "Word"),
        ("Index/Document.iwa", "Numbers"),
    ],
)
def test_other_files_that_are_zipped_are_named(part: str, word: str) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as packed:
        kind = "application/vnd.oasis.opendocument.spreadsheet" if part == "mimetype" else "x"
        packed.writestr(part, kind)
    with pytest.raises(FileBroken, match=word):
        sheets.form_of(kept.getvalue())


@pytest.mark.parametrize(
    "content",
    ["ID;Patient;Zip\n1;Ada;02139\n", "id,name\n1,<b>Ada</b>\n", "id,a\n1,\f\x1a\n"],
)
def test_a_table_that_begins_like_something_else_is_a_table(content: str) -> None:
    other_files.refuse(content.encode())


def test_json_is_taken_for_fhir_packed_or_not() -> None:
    for content in (b'{"resourceType":"Patient"}', b'[\n {"a":1}]', gzip.compress(b' {"a":1}')):
        assert sheets.form_of(content) == sheets.FHIR


def test_refused_rows_that_come_back_are_rid_of_what_kept_spreadsheets_calm() -> None:
    text = "id,note,Line,Reason\n1,'=1+1,2,wrong\n2,'plain,3,wrong\n"
    assert [row[1] for row in cells(text)[1:]] == ["=1+1", "'plain"]


def test_refused_rows_are_known_where_a_spreadsheet_has_put_blank_columns_behind_them() -> None:
    text = "id,note,Line,Reason,\n1,'=1+1,2,wrong,\n"
    assert cells(text)[1][:2] == ["1", "=1+1"]


@pytest.mark.parametrize("row", ["1,a,b,2,too wide", "1,a,3,2,too wide"])
def test_a_row_that_was_too_wide_is_refused_again_until_it_is_mended(row: str) -> None:
    """A spreadsheet widens the header to the widest row, so that its width says nothing more."""
    *_, line = rows(f"id,note,Line,Reason,\n{row}\n")
    assert "more cells than its header" in line.problem


SHORT = "the row has 2 cells where the header has 3"


@pytest.mark.parametrize(
    ("row", "is_mended"),
    [
        (f"1,a,,7,{SHORT}", False),
        (f"1,a,b,7,{SHORT}", True),
        ("1,a,,7,", True),
        ("1,,,7,name: is needed", True),
    ],
)
def test_a_row_that_was_too_short_is_refused_again_until_it_is_mended(
    row: str, *, is_mended: bool
) -> None:
    """The download has filled it with blanks; who means them takes the reason away."""
    *_, line = rows(f"id,note,zip,Line,Reason\n{row}\n")
    assert (line.problem == "") == is_mended
    assert is_mended or line.problem.startswith(SHORT)


def test_the_columns_of_a_download_are_what_is_looked_for() -> None:
    assert (heads.LINE, heads.REASON) == ("Line", "Reason")
