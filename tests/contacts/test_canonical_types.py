"""Laws of the stored form: of every type, for every value there may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.canonical import MAX_DIGITS, ValueRefused, canonical
from contacts.codes import ICD10, SNOMED
from contacts.declared.models import KINDS
from contacts.fields import DataClass, Field, FieldType
from contacts.packing import Record, pack, read, unpack

CHOICES = ("North", "Harbor", "Straße")
FIELDS = {
    f"custom_{kind.value}": Field(
        key=f"custom_{kind.value}",
        label=kind.value,
        type=kind,
        data_class=DataClass.CLINICAL,
        choices=CHOICES if kind in (FieldType.CHOICE, FieldType.CHOICES) else (),
        custom=True,
    )
    for kind in KINDS
}
KEYS = list(FIELDS)

_json: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.sampled_from([*CHOICES, "north; harbor", "9:05", "12.50", "1e5", "Infinity", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["system", "code", "display"]) | st.text(max_size=9), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def stored(key: str, value: object) -> Any:
    return canonical(f"custom_{key}", value, fields=FIELDS)


@pytest.mark.parametrize("key", KEYS)
@given(value=_json)
def test_a_value_is_stored_or_refused_in_words_and_nothing_else(key: str, value: object) -> None:
    try:
        kept = canonical(key, value, fields=FIELDS)
    except ValueRefused as refused:
        assert refused.field == key
        return
    if kept is not None:
        record = Record({key: kept}, {key: 7})
        assert read(pack(record)) == {key: kept}
        assert unpack(pack(record)) == record


@pytest.mark.parametrize("key", KEYS)
@given(value=_json)
def test_the_stored_form_is_stored_as_it_is(key: str, value: object) -> None:
    try:
        kept = canonical(key, value, fields=FIELDS)
    except ValueRefused:
        return
    assert canonical(key, kept, fields=FIELDS) == kept


_decimals = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3
)


@given(_decimals)
def test_a_decimal_stays_exact(value: Decimal) -> None:
    assert Decimal(stored("decimal", format(value, "f"))) == value


@given(_decimals, _decimals)
def test_decimals_order_as_floats_just_as_they_do(one: Decimal, other: Decimal) -> None:
    """Columns compare floats; 15 digits are what a float keeps apart."""
    first, second = (float(stored("decimal", format(each, "f"))) for each in (one, other))
    assert (first < second, first == second) == (one < other, one == other)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("0", "0"), ("-0", "0"), ("-0.00", "0"), ("+7", "7"), (".5", "0.5"), ("5.", "5"),
        ("007.500", "7.5"), (7, "7"), (0.1, "0.1"), (1e-7, "0.0000001"), (-2.5, "-2.5"),
        ("9" * MAX_DIGITS, "9" * MAX_DIGITS),
    ],
)  # fmt: skip
def test_a_decimal_has_one_form(given_: object, kept: str) -> None:
    assert stored("decimal", given_) == kept


@pytest.mark.parametrize(
    "given_",
    ["1e5", "1,5", "NaN", "Infinity", "--1", "1.2.3", "٣", "9" * 16, "0x10", "1 000", True, [1],
     float("nan"), float("inf"), 1e300, {"a": 1}],
)  # fmt: skip
def test_what_is_no_decimal_is_refused(given_: object) -> None:
    with pytest.raises(ValueRefused):
        stored("decimal", given_)


@given(st.times())
def test_a_time_of_day_keeps_its_minute(value: time) -> None:
    assert stored("time", f"{value.hour}:{value.minute:02}") == f"{value:%H:%M}"


@pytest.mark.parametrize(
    "given_", ["24:00", "12:60", "9:5", "9", "09:30:15", "9:30 pm", "٠٩:٣٠", 9]
)
def test_what_is_no_time_of_day_is_refused(given_: object) -> None:
    with pytest.raises(ValueRefused, match=r"time of day|must be text"):
        stored("time", given_)


@given(st.lists(st.sampled_from([c.swapcase() for c in CHOICES] + list(CHOICES)), max_size=6))
def test_choices_stand_in_the_fields_order_each_once(given_: list[str]) -> None:
    kept = stored("choices", given_) or []
    assert kept == [choice for choice in CHOICES if choice in kept]
    assert {choice.casefold() for choice in kept} == {choice.casefold() for choice in given_}
    assert stored("choices", ";".join(given_)) == (kept or None)


@pytest.mark.parametrize("given_", ["West", ["North", "West"], {"North": 1}, 7, [["North"]]])
def test_what_is_not_among_the_choices_is_refused(given_: object) -> None:
    with pytest.raises(ValueRefused):
        stored("choices", given_)


@pytest.mark.parametrize(
    "given_",
    [
        "E11.9", {"code": "E11.9"}, {"system": "s"}, {"system": "s", "code": "c", "x": "y"},
        {"system": 1, "code": "c"}, [{"system": "s", "code": "c"}], {"display": "only"},
    ],
)  # fmt: skip
def test_what_is_no_coded_value_is_refused(given_: object) -> None:
    with pytest.raises(ValueRefused):
        stored("coded", given_)


@pytest.mark.parametrize("blank", [None, "", "  ", {}, {"system": "", "code": ""}, []])
def test_a_blank_says_nothing(blank: object) -> None:
    kinds = {str: "text", dict: "coded", list: "choices", type(None): "coded"}
    assert stored(kinds[type(blank)], blank) is None


def test_days_and_moments_may_be_given_as_such() -> None:
    assert stored("date", date(2026, 1, 31)) == "2026-01-31"
    assert stored("datetime", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)) == "2026-01-31T09:30:00Z"


@pytest.mark.parametrize(
    ("given_", "system", "code"),
    [
        ({"system": "SNOMED CT", "code": "44054006"}, SNOMED, "44054006"),
        ({"system": ICD10, "code": "e119"}, ICD10, "E11.9"),
        ("ICD-10-CM E11.9 Diabetes", ICD10, "E11.9"),
        (f"{ICD10}|E119|Diabetes", ICD10, "E11.9"),
        ("urn:local|42", "urn:local", "42"),
        ({"system": SNOMED, "code": "a code of our own"}, SNOMED, "a code of our own"),
    ],
)
def test_a_known_system_has_its_address_and_its_codes_one_form(
    given_: object, system: str, code: str
) -> None:
    """Code groups match by these."""
    kept = stored("coded", given_)
    assert (kept["system"], kept["code"]) == (system, code)
