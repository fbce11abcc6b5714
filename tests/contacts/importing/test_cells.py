"""What cells mean that a spreadsheet, another system or another language wrote."""

from __future__ import annotations

import pytest

from contacts.importing import cells, dates, jobs
from contacts.importing.models import ImportJob
from contacts.models import ImportRun
from tests.contacts.importing.conftest import Bring, until, work_off

State = ImportRun.State


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("Ja", "true"), ("NON", "false"), ("sí", "true"), ("はい", "true"), ("нет", "false")],
)
def test_yes_and_no_are_read_in_other_languages(text: str, meaning: str) -> None:
    assert cells.answer(text) == meaning


def test_another_word_stays_as_it_is_and_is_refused_later() -> None:
    assert cells.answer("perhaps") == "perhaps"


@pytest.mark.parametrize("text", ["1.23457E+11", "1,2E+9", "6E+12"])
def test_numbers_whose_digits_are_gone_are_known(text: str) -> None:
    assert cells.has_lost_digits(text)


@pytest.mark.parametrize("text", ["12345", "E+12", "1E5", "A1.2E+11", "1.2"])
def test_numbers_that_only_look_so_are_not(text: str) -> None:
    assert not cells.has_lost_digits(text)


@pytest.mark.parametrize(
    "text",
    [
        "12-Jan-1970",
        "12 January 1970",
        "January 12, 1970",
        "Jan 12 1970",
        "12. Januar 1970",
        "12 enero 1970",
        "1970-JAN-12",
        "12JAN1970",
        "1970年1月12日",
        "12-JAN-1970 00:00:00",
    ],
)
@pytest.mark.parametrize("order", dates.ORDERS)
def test_a_month_with_a_name_is_read_under_every_form(text: str, order: str) -> None:
    assert dates.day(text, order) == "1970-01-12"


def test_a_month_with_a_name_leaves_the_form_to_others() -> None:
    assert dates.guess(["12-Jan-1970"]) == dates.ISO
    assert dates.guess(["12-Jan-1970", "12/31/1970"]) == dates.MDY


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("01/02/61", "two digits"),
        ("12-Jan-61", "two digits"),
        ("25569", "spreadsheet"),
        ("tomorrow", "must be a date like"),
    ],
)
def test_a_text_that_is_no_day_is_told_why(text: str, word: str) -> None:
    assert word in dates.why_not(text, dates.MDY)


def test_a_record_number_without_its_last_digits_refuses_its_row(bring: Bring) -> None:
    """Else all whose numbers begin alike would become one person."""
    run = bring("id,first\n1.23457E+11,Ada\n1.23457E+11,Bob\n7,Eve\n")
    work_off()
    row = ImportRun.objects.get(pk=run)
    assert (row.refused, row.created) == (2, 1)
    assert "dropped digits" in row.problems.first().message  # type: ignore[union-attr]


def test_several_texts_may_clear(bring: Bring) -> None:
    bring("id,first,city\n1,Ada,Boston\n2,Bob,Lynn\n")
    work_off()
    run = bring("id,first,city\n1,Ada,N/A\n2,Bob,NULL\n", choice={"marker": "N/A, NULL"})
    work_off()
    assert ImportRun.objects.get(pk=run).updated == 2


def test_words_that_say_nothing_are_counted_before_they_come_in(bring: Bring) -> None:
    run = bring("id,first,city\n1,Ada,N/A\n2,Bob,Lynn\n", after=jobs.After.CHECK)
    until(run, State.CHECKED)
    assert ImportJob.objects.get(pk=run).foreseen["placeholders"] == 1
