"""Changes that are looked at together are stored as each would be alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts import item_rows
from contacts.changes import Change, ChangeRefused, Cleaner
from contacts.changes import cleaned as cleaned_together
from contacts.facts import CLEAR
from contacts.fields import FIELDS

TEXTS = st.sampled_from(["Boston", " Boston", "Bo\x00ston", "Ärzte", "", None, 7, True, CLEAR])
BOOLEANS = st.sampled_from([True, False, 1, "yes", "maybe", None])
GENDERS = st.sampled_from(["female", "F", "nobody", None])
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"system": st.just("http://loinc.org"), "code": st.sampled_from(["4548-4", " 4548-4", 5])},
        optional={
            "value": st.sampled_from([6.5, "high", " high", float("nan")]),
            "at": st.sampled_from(
                ["2026-09-17T19:15:00Z", "2026-13-17T19:15:00Z", "2026-09-17T19:15:00+02:00"]
            ),
            "also": st.sampled_from([[["a", "b"]], [["a"]], []]),
        },
    ),
    max_size=3,
)
CHANGES = st.lists(
    st.builds(
        Change,
        source=st.sampled_from(["ehr", " ehr", ""]),
        record_number=st.sampled_from(["1", " 1", "é", "x" * 201]),
        values=st.fixed_dictionaries(
            {},
            optional={
                "city": TEXTS,
                "deceased": BOOLEANS,
                "gender": GENDERS,
                "results": ITEMS,
                "nothing_like_it": TEXTS,
            },
        ),
        also=st.sampled_from([(), (("lab", " 2"),)]),
        same_as=st.sampled_from([None, ("lab", " 2")]),
    ),
    max_size=5,
)


def alone(changes: list[Change]) -> Any:
    try:
        return [Cleaner(FIELDS).clean(change, place) for place, change in enumerate(changes)]
    except ChangeRefused as refused:
        return refused.position, refused.field, refused.reason


def together(changes: list[Change]) -> Any:
    try:
        return cleaned_together(changes, fields=FIELDS)
    except ChangeRefused as refused:
        return refused.position, refused.field, refused.reason


@given(CHANGES)
def test_many_changes_are_cleaned_as_each_alone(changes: list[Change]) -> None:
    expected = alone(changes)
    for _ in range(2):  # the second time most words are known
        assert repr(together(changes)) == repr(expected)


def test_the_refused_change_is_named_by_its_place_among_all() -> None:
    sound = Change(source="ehr", record_number="1", values={"gender": "female"})
    broken = Change(source="ehr", record_number="2", values={"gender": "nobody"})
    with pytest.raises(ChangeRefused, match="change 251: gender"):
        cleaned_together([*[sound] * 250, broken], fields=FIELDS)


def test_a_change_in_canonical_form_is_not_made_anew() -> None:
    change = Change(source="ehr", record_number="1", values={"city": "Boston", "deceased": False})
    assert cleaned_together([change], fields=FIELDS)[0] is change


PART = st.sampled_from(["http://loinc.org", "urn:ours", "a", ""])


@given(
    st.sampled_from(["conditions", "results", "encounters"]).flatmap(
        lambda key: st.tuples(
            st.just(key),
            st.lists(
                st.fixed_dictionaries(
                    {"system": PART, "code": PART},
                    optional=dict.fromkeys(item_rows.LISTS[key][2:-1], PART)
                    | {"as_of": st.sampled_from([5, 6])},
                )
            ),
        )
    )
)
def test_items_of_any_shape_are_read_as_they_were_packed(
    keyed: tuple[str, list[dict[str, Any]]],
) -> None:
    key, items = keyed
    rows = [list(row) for row in item_rows.packed(key, items, 5)]
    assert item_rows.unpacked(key, rows, 5) == [{"as_of": 5} | item for item in items]
    assert item_rows.read(key, rows) == [
        {name: part for name, part in item.items() if name != "as_of"} for item in items
    ]
