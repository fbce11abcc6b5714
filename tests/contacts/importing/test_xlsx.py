"""Excel workbooks, honest and hostile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from contacts.importing import sheets, xlsx_reading
from contacts.importing.broken import FileBroken
from contacts.importing.jobs import After, State
from contacts.importing.models import ImportJob
from contacts.models import Contact, ImportRun
from tests.contacts.importing.conftest import Bring, until, work_off
from tests.intake.builders import DATA

SAMPLES = DATA / "csv-import" / "csvkit"


def workbook(*rows: list[Any], formats: dict[str, str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, shown in (formats or {}).items():
        book.active[place].number_format = shown
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def cells(content: bytes, **chosen: Any) -> list[list[str]]:
    file = io.BytesIO(content)
    reading = sheets.look(file, sheets.XLSX)
    for name, value in chosen.items():
        setattr(reading, name, value)
    return [line.cells for line in sheets.lines(file, sheets.XLSX, reading)]


def rebuilt(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    kept = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return kept.getvalue()


def with_sheet(xml: bytes) -> bytes:
    plain = workbook(["id"], ["1"])
    return rebuilt(plain, lambda name, was: xml if name.endswith("sheet1.xml") else was)


SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    b"%s</sheetData></worksheet>"
)


def refusal(content: bytes) -> str:
    with pytest.raises(FileBroken) as caught:
        cells(content)
    return caught.value.reason


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (2139, "00000", "02139"),
        (21390001, "00000\\-0000", "02139-0001"),
        (12, "000-00-0000", "000-00-0012"),
        (2139, "[$-409]00000", "02139"),
        (5, "0.00", "5"),
        (5, "General", "5"),
        (2.5, "0.00", "2.5"),
        (1234567, "#,##0", "1234567"),
        (date(1961, 2, 3), "dd.mm.yyyy", "1961-02-03"),
        (datetime.fromisoformat("1961-02-03T09:30:00"), "dd.mm.yyyy hh:mm", "1961-02-03T09:30:00"),
        (True, "General", "true"),
        ("007", "General", "007"),
        ("two_x000D_\nlines", "General", "two\r\nlines"),
        ("half_xD83D_", "General", "half_xD83D_"),
        ("snake_xray_", "General", "snake_xray_"),
    ],
)
def test_a_cell_becomes_the_text_that_it_means(value: Any, shown: str, text: str) -> None:
    content = workbook(["id"], [value], formats={"A2": shown})
    assert cells(content)[1] == [text]


@pytest.mark.parametrize(
    ("value", "word"),
    [(1234567890123456, "15 digits"), (1e20, "15 digits"), ("a_x0000_b", "zero byte")],
)
def test_a_cell_that_is_not_what_was_written_refuses_its_row_alone(value: Any, word: str) -> None:
    """A long number has become another person's: Excel keeps fifteen digits."""
    file = io.BytesIO(workbook(["id"], [value], [7]))
    _, bad, good = sheets.lines(file, sheets.XLSX, sheets.look(file, sheets.XLSX))
    assert (word in bad.problem, good.problem) == (True, "")


def test_columns_of_bare_numbers_are_told() -> None:
    file = io.BytesIO(workbook(["zip", "name"], [2139, "Ada"]))
    reading = sheets.look(file, sheets.XLSX)
    list(sheets.lines(file, sheets.XLSX, reading))
    assert reading.numeric == [0]


def test_a_row_whose_formula_failed_is_a_row_with_a_problem() -> None:
    error = (
        b'<row r="1"><c r="A1" t="str"><v>id</v></c></row>'
        b'<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>'
    )
    file = io.BytesIO(with_sheet(SHEET % error))
    *_, row = sheets.lines(file, sheets.XLSX, sheets.look(file, sheets.XLSX))
    assert "formula" in row.problem


def test_sr23_a_zip_bomb_is_refused() -> None:
    """SR-23: 300 MB of blanks pack into 300 kB."""
    bomb = SHEET % (b"<row/>" * 5_000_000)
    assert "hundreds of times" in refusal(with_sheet(bomb))


def test_sr23_a_giant_cell_is_refused_before_it_is_parsed() -> None:
    giant = (
        b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"x" * 3_000_000 + b"</t></is></c></row>"
    )
    assert "longer than 32,767" in refusal(with_sheet(SHEET % giant))


def test_se19_an_xml_bomb_is_refused() -> None:
    """SE-19: a billion laughs."""
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + SHEET % b""
    assert "declares entities" in refusal(with_sheet(laughs))


def test_more_rows_than_a_workbook_can_hold_are_refused() -> None:
    first = b'<row r="1"><c r="A1" t="str"><v>id</v></c></row>'
    far = first + b'<row r="999999999"><c r="A999999999"/></row>'
    assert "more rows" in refusal(with_sheet(SHEET % far))


def test_a_thousand_and_one_columns_are_refused() -> None:
    assert "more than 1000 columns" in refusal(workbook([f"c{n}" for n in range(1_001)], [1]))


def test_macros_are_refused() -> None:
    content = io.BytesIO(workbook(["id"], [1]))
    with zipfile.ZipFile(content, "a") as packed:
        packed.writestr("xl/vbaProject.bin", b"x")
    assert "macros" in refusal(content.getvalue())


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as packed:
        packed.writestr("people.csv", "id\n1\n")
    assert "no Excel workbook" in refusal(kept.getvalue())


@pytest.mark.parametrize("cut", [100, 2_000])
def test_a_cut_off_workbook_is_refused(cut: int) -> None:
    assert "damaged" in refusal(workbook(["id"], ["1"])[:cut])


def test_a_part_that_unpacks_to_more_than_it_says_is_refused() -> None:
    content = bytearray(workbook(["id"], *[["Ada"]] * 100))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as packed:
        size = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    lied = bytes(content).replace(size.to_bytes(4, "little"), (40).to_bytes(4, "little"))
    assert "damaged" in refusal(lied)


def test_the_header_may_stand_further_down() -> None:
    content = workbook(["Report of March"], [], ["id", "first"], ["1", "Ada"])
    assert cells(content, head=3) == [["id", "first"], ["1", "Ada"]]


def test_a_workbook_comes_in_behind_the_scenes(bring: Bring) -> None:
    content = workbook(["MRN", "First name", "Zip"], ["007", "Zoë", 2139], formats={"C2": "00000"})
    run = bring(content, name="people.xlsx")
    work_off()
    assert ImportRun.objects.get(pk=run).state == State.DONE
    assert Contact.objects.count() == 1


def test_the_sheets_of_a_workbook_are_offered(bring: Bring) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["1"])
    book.create_sheet("Second")
    kept = io.BytesIO()
    book.save(kept)
    run = bring(kept.getvalue(), after=After.WAIT)
    until(run, State.MAPPING)
    assert ImportJob.objects.get(pk=run).reading["sheets"] == ["Sheet", "Second"]


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the published files beside it")
def test_the_published_workbooks_are_read() -> None:
    for path in sorted(SAMPLES.glob("*.xlsx")):
        with path.open("rb") as file:
            names = xlsx_reading.look(file).names
            assert any(list(xlsx_reading.lines(file, name, 1, [])) for name in names), path.name


def test_formulas_that_were_never_calculated_are_no_blanks() -> None:
    """As programs write them that cannot calculate: the result is simply not there."""
    assert "never calculated" in refusal(workbook(["id", "name"], ["1", '=UPPER("ada")']))


def test_a_formula_whose_result_is_blank_is_a_blank() -> None:
    blank = (
        b'<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>name</v></c></row>'
        b'<row r="2"><c r="A2" t="str"><v>1</v></c><c r="B2" t="str"><f>""</f><v></v></c></row>'
        b'<row r="3"><c r="A3"><f>1+1</f><v>2</v></c></row>'
    )
    assert cells(with_sheet(SHEET % blank))[1:] == [["1", ""], ["2", ""]]


def test_the_strict_form_is_named_with_what_to_do() -> None:
    usual = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strict = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    content = rebuilt(workbook(["id"], ["1"]), lambda _, was: was.replace(usual, strict))
    assert "strict form" in refusal(content)


def test_a_binary_workbook_is_named() -> None:
    content = io.BytesIO(workbook(["id"], ["1"]))
    with zipfile.ZipFile(content, "a") as packed:
        packed.writestr("xl/workbook.bin", b"x")
    assert "xlsb" in refusal(content.getvalue())


def test_the_first_sheet_with_a_table_is_taken_and_titles_are_left_out() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Patient export"])
    table = book.create_sheet("Patients")
    for row in (["As of 3 May"], [], ["id", "first", "last"], ["1", "Ada", "Byron"]):
        table.append(row)
    table.append(["2", "Bob", "Lee"])
    kept = io.BytesIO()
    book.save(kept)
    look = xlsx_reading.look(kept)
    assert (look.sheet, look.head) == ("Patients", 3)
    assert cells(kept.getvalue())[0] == ["id", "first", "last"]
