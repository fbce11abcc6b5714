"""What a definition rests on, so that only those who may have moved are asked again."""

from __future__ import annotations

from uuid import UUID

from consent.leaf import ConsentLeaf
from contacts.segments import language, references
from contacts.segments.definition import parse
from contacts.segments.references import Dependencies, dependencies

LIST, OTHER = UUID(int=1), UUID(int=2)


def test_a_definition_names_all_that_its_answer_rests_on() -> None:
    definition = parse(
        {
            "all": [
                {"field": "last_visit", "op": "exists"},
                {"any": [{"event": "message.opened"}, {"not": {"list": str(LIST)}}]},
                {"segment": str(OTHER)},
            ]
        }
    )
    assert dependencies(definition) == Dependencies(
        fields=frozenset({"last_visit", "encounters"}),
        event_kinds=frozenset({"message.opened"}),
        lists=frozenset({LIST}),
        segments=frozenset({OTHER}),
    )


def test_what_another_segment_asks_counts_too() -> None:
    inner = parse({"field": "birth_date", "op": "age_gte", "value": 50})
    outer = references.expand(parse({"segment": str(OTHER)}), {OTHER: inner}.get)
    found = dependencies(outer)
    assert (found.fields, found.clocks) == (frozenset({"birth_date"}), True)


def test_a_fixed_day_needs_no_clock() -> None:
    assert not dependencies(
        parse({"field": "birth_date", "op": "before", "value": "1970-01-01"})
    ).clocks


def test_a_question_of_a_higher_floor_says_what_it_rests_on() -> None:
    if language.leaf("consent") is None:
        language.register(ConsentLeaf())
    found = dependencies(parse({"consent": {"purpose": "marketing"}}))
    assert found.consent and found.clocks and "email" in found.fields
