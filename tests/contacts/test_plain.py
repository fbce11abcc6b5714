"""What is told to be plain at a glance is what looking closely would have stored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import canonical as closely
from contacts.canonical import ValueRefused, canonical
from contacts.changes import Change, Cleaner
from contacts.facts import CLEAR
from contacts.fields import FIELDS

WORDS = st.sampled_from(
    ["http://loinc.org", "4548-4", "Hemoglobin A1c", "active", " spaced ", "", "naïve", "a\x00b", 7]
)
DAYS = st.sampled_from(["2020-02-29", "2021-02-29", "2020-2-9", "", None])
MOMENTS = st.sampled_from(
    ["2026-09-17T19:15:00Z", "2026-09-17T19:15:00+02:00", "2026-13-17T19:15:00Z", "soon", None]
)
VALUES = st.sampled_from([1, 2.5, float("nan"), 1 << 70, "high", " high", True, None, [1]])
REFS = st.sampled_from(["r1", " r1", "r\u00e9", "", "x" * 1001])
ALSO = st.sampled_from([[], [["a", "b"]], [["4548-4", "active"]], [["a"]], "ab", [[1, 2]]])
ITEM = st.fixed_dictionaries(
    {},
    optional={
        "system": WORDS, "code": WORDS, "display": WORDS, "status": WORDS, "unit": WORDS,
        "class": WORDS, "date": DAYS, "end": DAYS, "at": MOMENTS, "value": VALUES, "ref": REFS,
        "also": ALSO,
    },
)  # fmt: skip


def closely_looked_at(key: str, item: dict[str, Any]) -> Any:
    try:
        return closely._item(item, FIELDS[key])
    except (ValueError, TypeError, OverflowError):
        return "refused"


@given(st.sampled_from(["conditions", "results", "encounters"]), st.lists(ITEM, max_size=4))
def test_items_are_stored_alike_the_first_time_and_every_other(
    key: str, items: list[dict[str, Any]]
) -> None:
    expected = [closely_looked_at(key, item) for item in items]
    for _ in range(2):  # the second time most words are known
        try:
            found: Any = canonical(key, items)
        except ValueRefused:
            assert "refused" in expected
        else:
            assert found == (expected or None)
            assert repr(found) == repr(expected or None)


def cleaned(values: dict[str, Any], cleaner: Cleaner) -> dict[str, Any]:
    change = Change(source="ehr", record_number="1", values=values)
    return dict(cleaner.clean(change).values)


def test_a_value_seen_before_is_stored_as_it_was() -> None:
    cleaner = Cleaner(FIELDS)
    given_ = {"gender": "F", "city": "  Boston ", "postal_code": "02115", "deceased": "no"}
    stored = {"gender": "female", "city": "Boston", "postal_code": "02115", "deceased": False}
    assert cleaned(given_, cleaner) == stored
    assert cleaned(given_, cleaner) == stored


def test_a_value_refused_before_is_refused_again() -> None:
    cleaner = Cleaner(FIELDS)
    for _ in range(2):
        with pytest.raises(ValueError, match="gender: must be one of"):
            cleaned({"gender": "xyz"}, cleaner)


def test_clearing_is_not_a_text_and_blanks_say_nothing() -> None:
    assert cleaned({"city": CLEAR, "state": " "}, Cleaner(FIELDS)) == {"city": CLEAR}
