"""Days and numbers as files write them."""

from __future__ import annotations

import pytest

from contacts.importing import dates
from contacts.importing.dates import COMPACT, DMY, ISO, MDY


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("1961-02-03", ISO),
        ("1961-02-03", MDY),
        ("1961-02-03 00:00:00", ISO),
        ("1961/2/3", ISO),
        ("2/3/1961", MDY),
        ("02/03/1961 12:00 AM", MDY),
        ("3.2.1961", DMY),
        ("03/02/1961", DMY),
        ("19610203", COMPACT),
    ],
)
def test_each_form_reads_its_day(text: str, order: str) -> None:
    assert dates.day(text, order) == "1961-02-03"


@pytest.mark.parametrize("text", ["2/3/61", "13/13/1961", "1961-02-30", "never", "", "196102031"])
@pytest.mark.parametrize("order", dates.ORDERS)
def test_what_is_no_day_is_refused(text: str, order: str) -> None:
    with pytest.raises(dates.NotADay):
        dates.day(text, order)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["1961-02-03"], ISO),
        (["02/03/1961"], ""),
        (["02/03/1961", "02/13/1961"], MDY),
        (["02/03/1961", "13/02/1961"], DMY),
        (["02/13/1961", "13/02/1961"], ""),
        (["19610203"], COMPACT),
        (["never"], ""),
    ],
)
def test_a_form_is_guessed_only_where_one_fits(texts: list[str], order: str) -> None:
    assert dates.guess(texts) == order


@pytest.mark.parametrize(
    ("text", "plain"),
    [("1,5", "1.5"), ("1.234,5", "1234.5"), ("1.234", "1234"), ("-3,25", "-3.25"), ("12", "12")],
)
def test_a_decimal_comma_is_read_where_it_is_said(text: str, plain: str) -> None:
    assert dates.number(text, comma=True) == plain
    assert dates.number(text, comma=False) == text


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["02.03.1961", "31.02.1961"], dates.DMY),
        (["never", "12/31/1970"], dates.MDY),
        (["never", "unknown"], ""),
        (["02/03/1961", "never"], ""),
        (["12/31/1970", "31/12/1970"], ""),
    ],
)
def test_what_is_no_day_does_not_hide_how_the_others_are_written(
    texts: list[str], form: str
) -> None:
    assert dates.guess(texts) == form
