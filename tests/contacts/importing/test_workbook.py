"""Refused rows as a workbook: what a spreadsheet would change stays, and comes back as it was."""

from __future__ import annotations

import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.importing import sheets, workbook
from contacts.importing.heads import LINE, REASON
from contacts.importing.xlsx_reading import MAX_CELL

HEADER = ["MRN", "DOB", LINE, REASON]


def file_of(*rows: list[str]) -> io.BytesIO:
    return io.BytesIO(b"".join(workbook.written([HEADER, *rows])))


def read(file: io.BytesIO) -> tuple[list[list[str]], list[int]]:
    reading = sheets.look(file, sheets.XLSX)
    lines = list(sheets.lines(file, sheets.XLSX, reading))
    return [line.cells for line in lines], reading.numeric


@pytest.mark.parametrize(
    "cell",
    [
        "000005",
        "02139",
        "06/02/1961",
        "=cmd|'/c calc'!A1",
        "-2+3",
        "a & <b>",
        " x\r\ny ",
        "_x0041_",
    ],
)
def test_se19_a_cell_comes_back_as_it_was(cell: str) -> None:
    """SE-19: no formula, no lost zero, no date turned round."""
    assert read(file_of(["1", cell, "7", "why"]))[0][1] == ["1", cell, "7", "why"]


def test_a_row_that_was_too_short_and_was_not_filled_is_refused_again() -> None:
    file = file_of(["1", "", "7", "the row has 1 cells where the header has 2"])
    reading = sheets.look(file, sheets.XLSX)
    *_, line = sheets.lines(file, sheets.XLSX, reading)
    assert line.problem.startswith("the row has 1 cells")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=3))
def test_any_text_makes_a_workbook_that_opens(cells: list[str]) -> None:
    book = openpyxl.load_workbook(file_of([*cells, "7", "why"]), read_only=True)
    assert len(list(book["Refused"].iter_rows())) == 2


def test_every_cell_is_text_so_that_a_spreadsheet_leaves_it_alone() -> None:
    sheet = openpyxl.load_workbook(file_of(["000005", "", "7", "why"]))["Refused"]
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} <= {"s"}


def test_a_cell_that_no_workbook_holds_is_cut_and_the_reason_says_so() -> None:
    cells = read(file_of(["1", "x" * (MAX_CELL + 1), "7", "why"]))[0][1]
    assert len(cells[1]) == MAX_CELL and cells[3] == "why" + workbook.CUT


def test_a_csv_file_of_refused_rows_saved_as_a_workbook_is_rid_of_what_kept_it_calm() -> None:
    assert read(file_of(["1", "'=1+1", "7", "why"]))[0][1][1] == "=1+1"


def test_our_own_columns_are_not_told_to_have_lost_zeros() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(HEADER)
    book.active.append([5, "x", 7, "why"])
    book.save(file := io.BytesIO())
    assert read(file)[1] == [0]
