"""Importing CSV."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contacts.exporting import cell
from contacts.fields import DataClass
from contacts.importing import csv_files
from contacts.importing.broken import FileBroken
from contacts.importing.csv_form import form_of
from contacts.importing.csv_reading import lines
from contacts.importing.runs import Report, State
from contacts.models import Contact
from contacts.reveal import reveal
from tests.conftest import NOON
from tests.intake.builders import DATA

pytestmark = pytest.mark.usefixtures("at_harbor")
SAMPLES = DATA / "csv-import"


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(text: str | bytes) -> Path:
        path = tmp_path / "people.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def imported(path: Path, **more: Any) -> Report:
    return csv_files.import_file(path, source="crm", now=NOON, **more)


def stored() -> list[dict[str, Any]]:
    ids = list(Contact.objects.order_by("id").values_list("id", flat=True))
    return list(reveal(ids, list(DataClass), purpose="test").values())


def test_headers_are_guessed(file: Any) -> None:
    imported(file("MRN,First Name,Last name,DOB,Zip,Sex\n7,Ada,Lovelace,1961-02-03,02139,F\n"))
    (ada,) = stored()
    assert (ada["given_name"], ada["family_name"]) == ("Ada", "Lovelace")
    assert (ada["birth_date"], ada["gender"]) == ("1961-02-03", "female")


def test_leading_zeros_stay(file: Any) -> None:
    imported(file("id,zip\n007,02139\n"))
    (person,) = stored()
    assert person["postal_code"] == "02139"
    assert person["record_numbers"][0]["value"] == "007"


def test_a_mapping_goes_before_the_guess(file: Any) -> None:
    imported(file("id,first,nick\n1,Augusta,Ada\n"), mapping={"first": "", "nick": "given_name"})
    assert stored()[0]["given_name"] == "Ada"


def test_a_column_that_means_nothing_is_counted(file: Any) -> None:
    assert imported(file("id,shoe size\n1,38\n")).tally.ignored == {"column B": 1}


def test_importing_twice_changes_nothing(file: Any) -> None:
    path = file("id,first\n1,Ada\n2,Ben\n")
    imported(path)
    assert imported(path).tally.unchanged == 2


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("2,Ben,12/31/1970", "line 3"),
        ("2,Ben", "line 3"),
        ("2,Ben,1970-01-01,more", "line 3"),
        (",Ben,1970-01-01", "line 3"),
        ('2,"Ben,1970-01-01', "line 3"),
        ("2,Ben\0,1970-01-01", "line 3"),
    ],
)
def test_a_broken_row_is_named_and_nothing_is_imported(file: Any, row: str, place: str) -> None:
    report = imported(file(f"id,first,dob\n1,Ada,1961-02-03\n{row}\n"), dates="iso")
    assert report.state == State.REFUSED
    assert [problem.place for problem in report.problems] == [place]
    assert Contact.objects.count() == 0


def test_a_problem_never_repeats_the_cell(file: Any) -> None:
    report = imported(file("id,email\n1,canary at example\n"))
    assert "canary" not in str(report.problems)


def test_dates_written_the_american_way_are_read_when_said(file: Any) -> None:
    imported(file("id,dob\n1,02/03/1961\n"), dates="mdy")
    assert stored()[0]["birth_date"] == "1961-02-03"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_recognised(file: Any, encoding: str, delimiter: str) -> None:
    imported(file("id,first\r\n1,Zoë\r\n".replace(",", delimiter).encode(encoding)))
    assert stored()[0]["given_name"] == "Zoë"


def test_an_old_excel_file_is_refused_in_words(file: Any) -> None:
    assert "as CSV" in imported(file(b"\xd0\xcf\x11\xe0rest")).problems[0].message


def test_a_file_without_record_numbers_says_how_to_name_them(file: Any) -> None:
    assert "--map" in imported(file("first\nAda\n")).problems[0].message


def test_a_dry_run_writes_nobody(file: Any) -> None:
    assert imported(file("id\n1\n"), dry_run=True).state == State.CHECKED
    assert Contact.objects.count() == 0


@pytest.mark.parametrize("formula", ["=cmd()", "@SUM(A1)", "+1+cmd", "-2+3+cmd|' /C calc'!A0"])
def test_se19_a_formula_is_kept_literally_and_escaped_on_the_way_out(
    file: Any, formula: str
) -> None:
    imported(file(f'id,first\n1,"{formula}"\n'))
    assert stored()[0]["given_name"] == formula
    assert cell(formula) == f"'{formula}"


@pytest.mark.parametrize("harmless", ["Ada", "+16175550101", "-12.5", ""])
def test_a_harmless_cell_leaves_as_it_is(harmless: str) -> None:
    assert cell(harmless) == harmless


def test_the_command_refuses_with_every_problem(file: Any) -> None:
    path = file("id,dob\n1,x\n2,y\n")
    with pytest.raises(CommandError, match=r"line 2: column B[\s\S]*line 3: column B"):
        call_command(
            "import_csv", str(path), "--source", "crm", "--organisation", "harbor", "--dates", "iso"
        )


UNLIKE_THEIR_JSON = {
    "location_coordinates",  # names another phone number
    "newlines_crlf",  # its line ends were lost on the way
}


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the published CSV files beside it")
def test_the_published_spectrum_of_csv_is_read_as_its_json_says() -> None:
    for path in sorted((SAMPLES / "csv-spectrum").glob("*.csv")):
        if path.stem in UNLIKE_THEIR_JSON:
            continue
        with path.open("rb") as opened:
            header, *body = lines(opened, form_of(opened))
        got = [dict(zip(header.cells, row.cells, strict=True)) for row in body]
        assert got == json.loads(path.with_suffix(".json").read_text()), path.name


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the published CSV files beside it")
def test_every_published_odd_file_is_read_or_refused_in_words() -> None:
    for path in sorted((SAMPLES / "csvkit").iterdir()):
        try:
            with path.open("rb") as opened:
                assert list(lines(opened, form_of(opened))) or path.name == "empty.csv"
        except FileBroken as broken:
            assert broken.reason
