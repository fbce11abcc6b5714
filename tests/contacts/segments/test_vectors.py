"""The evaluator over columns agrees with the written meaning, whatever is asked of whomever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contacts.segments import arrays, building, semantics, vectors
from contacts.segments.arrays import Mask
from contacts.segments.definition import Definition
from contacts.segments.facts import Facts, Happening
from contacts.segments.nodes import Clause, Not
from contacts.segments.patching import patched
from contacts.segments.planning import BuiltBlock
from tests.contacts.segments import generated

Person = tuple[dict[str, Any], tuple[Happening, ...], frozenset[UUID]]
crowds = st.lists(
    st.tuples(
        generated.people(),
        st.lists(generated.happenings, max_size=4).map(tuple),
        generated.lists_of,
    ),
    min_size=1,
    max_size=6,
)


def facts(person: Person) -> Facts:
    values, events, lists = person
    return Facts(building.facts_values(values, generated.FIELDS), events, lists)


def by_meaning(definition: Definition, crowd: Sequence[Person], now: datetime) -> list[bool]:
    return [semantics.matches(definition, facts(person), now=now) for person in crowd]


def by_columns(definition: Definition, crowd: Sequence[Person], now: datetime) -> list[bool]:
    """Build the columns, through their bytes, and run."""
    names, people = vectors.columns_read(definition), [values for values, _, _ in crowd]
    built = building.build(people, names, fields=generated.FIELDS)
    columns = {name: arrays.unpack(arrays.pack(column)) for name, column in built.items()}
    block = BuiltBlock(len(crowd), slice(0, len(crowd)), columns)
    outside = {c: _mask(c, crowd, now) for c in vectors.answered_outside(definition)}
    return list(vectors.plan(definition, now=now, outside=outside)(block))


def _mask(clause: Clause, crowd: Sequence[Person], now: datetime) -> Mask:
    return np.array([semantics.holds(clause, facts(person), now) for person in crowd])


@settings(max_examples=120, deadline=None)
@given(generated.trees(generated.anything), crowds, generated.nows)
def test_columns_answer_as_the_meaning_does(tree: Any, crowd: Any, now: datetime) -> None:
    definition = generated.read(tree)
    assert by_columns(definition, crowd, now) == by_meaning(definition, crowd, now)


@settings(max_examples=120, deadline=None)
@given(generated.leaves, crowds, generated.nows)
def test_every_leaf_agrees_on_its_own(tree: Any, crowd: Any, now: datetime) -> None:
    definition = generated.read(tree)
    assert by_columns(definition, crowd, now) == by_meaning(definition, crowd, now)


@settings(max_examples=40, deadline=None)
@given(generated.trees(generated.anything), crowds, generated.nows)
def test_a_question_and_its_negation_are_everyone(tree: Any, crowd: Any, now: datetime) -> None:
    inside = by_columns(generated.read(tree), crowd, now)
    outside = by_columns(generated.read({"not": tree}), crowd, now)
    assert [a != b for a, b in zip(inside, outside, strict=True)] == [True] * len(crowd)


@settings(max_examples=40, deadline=None)
@given(generated.anything, generated.anything, crowds, generated.nows)
def test_de_morgan_holds(one: Any, other: Any, crowd: Any, now: datetime) -> None:
    neither = by_columns(generated.read({"not": {"any": [one, other]}}), crowd, now)
    both_not = by_columns(generated.read({"all": [{"not": one}, {"not": other}]}), crowd, now)
    assert neither == both_not


@settings(max_examples=40, deadline=None)
@given(generated.anything, crowds, generated.nows)
def test_what_is_not_not_so_is_so(one: Any, crowd: Any, now: datetime) -> None:
    twice = by_columns(generated.read({"not": {"not": one}}), crowd, now)
    assert twice == by_columns(generated.read(one), crowd, now)


@settings(max_examples=40, deadline=None)
@given(generated.anything, generated.anything, crowds, generated.nows)
def test_groups_are_special_cases_of_so_many_of(
    one: Any, other: Any, crowd: Any, now: datetime
) -> None:
    for group, counted in (("all", {"exactly": 2}), ("any", {"at_least": 1})):
        plain = by_columns(generated.read({group: [one, other]}), crowd, now)
        assert plain == by_columns(generated.read({**counted, "of": [one, other]}), crowd, now)


@settings(max_examples=40, deadline=None)
@given(crowds, crowds, st.data())
def test_columns_patched_place_by_place_equal_columns_built_anew(
    before: Any, changed: Any, data: Any
) -> None:
    """What the compactor does: some contacts of a block get new values."""
    names, fields = building.all_columns(generated.FIELDS), generated.FIELDS
    old = building.build([values for values, _, _ in before], names, fields=fields)
    new = building.build([*(values for values, _, _ in changed), {}], names, fields=fields)
    places = data.draw(
        st.lists(
            st.integers(0, 14),
            min_size=len(changed),
            max_size=len(changed),
            unique=True,
        )
    )
    size = max(len(before), *(place + 1 for place in places))
    people = [values for values, _, _ in before] + [{}] * (size - len(before))
    for place, (values, _, _) in zip(places, changed, strict=True):
        people[place] = values
    expected = {n: arrays.pack(c) for n, c in building.build(people, names, fields=fields).items()}
    got = patched(old, new, places=places, size=size)
    assert {n: arrays.pack(c) for n, c in got.items()} == expected


def test_negation_of_the_empty_is_everyone() -> None:
    definition = generated.read({"not": {"field": "city", "op": "exists"}})
    assert isinstance(definition.root, Not)
    assert by_columns(definition, [({}, (), frozenset())], generated.MOMENT) == [True]
