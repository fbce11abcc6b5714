"""What the language takes, what it says, and what asking betrays."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from contacts import codes
from contacts.fields import DataClass
from contacts.segments import references
from contacts.segments.definition import DefinitionInvalid, data_classes, in_words, labels, parse
from contacts.segments.patterns import finder
from tests.contacts.segments import generated

BOUGHT = {"event": "shop.bought"}
GROUP = str(UUID(int=21))
AMOUNT = {"property": "amount", "op": "gte", "value": 5}

BROKEN: list[tuple[Any, str]] = [
    ({"exactly": 2, "of": []}, "$.of"),
    ({"at_least": 2}, "$.of"),
    ({"at_least": "two", "of": [{"event": "a"}]}, "$.at_least"),
    ({"exactly": 1, "at_most": 2, "of": [{"event": "a"}]}, "$"),
    ({"field": "city", "op": "matches", "value": "(?=a)b"}, "$.value"),
    ({"field": "city", "op": "matches", "value": "a" * 201}, "$.value"),
    ({"field": "city", "op": "matches", "value": "((a{1000}){1000}){1000}"}, "$.value"),
    ({"field": "custom_colours", "op": "has_any", "value": ["Pink"]}, "$.value"),
    ({"field": "custom_colours", "op": "size_eq", "value": -1}, "$.value"),
    ({"field": "custom_calls", "op": "before", "value": "25:00"}, "$.value"),
    ({"field": "custom_calls", "op": "before", "value": "9:00"}, "$.value"),
    ({"field": "custom_balance", "op": "gt", "value": "1e3"}, "$.value"),
    ({"field": "custom_balance", "op": "gt", "value": "0.1234567890123456"}, "$.value"),
    ({"field": "custom_ward", "op": "has_any"}, "$.codes"),
    ({"field": "conditions", "op": "has_any", "group": "diabetes"}, "$.group"),
    ({"field": "results", "op": "count_gte", "value": 1, "gt": 1, "gte": 2}, "$.gte"),
    ({"field": "conditions", "op": "count_gte", "value": 1, "gt": 9}, "$.gt"),
    ({**BOUGHT, "where": []}, "$.where"),
    ({**BOUGHT, "where": [{**AMOUNT, "op": "near"}]}, "$.where[0].op"),
    ({**BOUGHT, "where": [{**AMOUNT, "value": "five"}]}, "$.where[0].value"),
    ({**BOUGHT, "where": {"any": [AMOUNT, {"op": "exists"}]}}, "$.where.any[1].property"),
    ({**BOUGHT, "where": [{**AMOUNT, "why": 1}]}, "$.where[0].why"),
    ({**BOUGHT, "which": "second"}, "$.which"),
    ({**BOUGHT, "which": "last", "times": {"exactly": 1}}, "$.times"),
    ({**BOUGHT, "aggregate": {"property": "a", "fn": "median"}, "op": "gt", "value": 1},
     "$.aggregate.fn"),
    ({**BOUGHT, "aggregate": {"property": "a", "fn": "sum"}, "op": "equals", "value": 1}, "$.op"),
    ({**BOUGHT, "window": {"within_days": 3, "until": 1}}, "$.window.until"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "path"), BROKEN)
def test_a_mistake_names_its_place(tree: Any, path: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse(tree, fields=generated.FIELDS)
    assert refused.value.problems[0].path == path


SAID: list[tuple[Any, str]] = [
    (
        {"at_least": 1, "of": [{"field": "city", "op": "matches", "value": "^bos"}, BOUGHT]},
        "answers to at least 1 of these are yes: city matches the pattern “^bos”;"
        " events include at least 1 “shop.bought”",
    ),
    (
        {"field": "custom_colours", "op": "has_all", "value": ["Red", "Blue"]},
        "colours include all of “Red” and “Blue”",
    ),
    ({"field": "custom_colours", "op": "size_gte", "value": 2}, "number of colours is at least 2"),
    (
        {"field": "custom_calls", "op": "between", "value": ["22:00", "06:00"]},
        "calls is on or after 22:00 or calls is on or before 06:00",
    ),
    (
        {"field": "results", "op": "latest_gt", "value": 9, "group": GROUP, "within_months": 6},
        "latest result of code in “Sugar” in the last 6 months is more than 9",
    ),
    (
        {**BOUGHT, "where": [AMOUNT], "times": {"exactly": 0}, "within_days": 30},
        "events include exactly 0 “shop.bought” where amount is at least 5 in the last 30 days",
    ),
    (
        {**BOUGHT, "aggregate": {"property": "amount", "fn": "avg"}, "op": "lt", "value": 3},
        "average of amount over events “shop.bought” is less than 3",
    ),
    (
        {**BOUGHT, "which": "last", "within_days": 7, "where": [AMOUNT]},
        "last event “shop.bought” is in the last 7 days where amount is at least 5",
    ),
]


@pytest.mark.parametrize(("tree", "said"), SAID)
def test_a_question_reads_as_a_sentence(tree: Any, said: str) -> None:
    definition = generated.read(tree)
    assert in_words(definition, names={UUID(GROUP): "in “Sugar”"}) == f"People whose {said}"


@settings(max_examples=60, deadline=None)
@given(generated.trees(generated.anything))
def test_everything_that_can_be_asked_can_be_said_and_sent(tree: Any) -> None:
    definition = generated.read(tree)
    assert in_words(definition).startswith(("People whose ", "Everyone"))
    assert generated.read(json.loads(json.dumps(definition.tree))) == definition


def test_a_group_that_is_gone_is_told_at_its_place() -> None:
    tree = {"not": {"field": "conditions", "op": "has_any", "group": str(UUID(int=99))}}
    with pytest.raises(DefinitionInvalid) as refused:
        generated.read(tree)
    assert refused.value.problems[0].path == "$.not"


def test_a_group_gives_the_labels_of_its_codes() -> None:
    """PR-30: a group hides its codes from the eye, not their labels."""
    group = UUID(int=7)
    asked = {"field": "conditions", "op": "has_any", "group": str(group)}
    coding = (codes.ICD10, "B20")
    found = references.expand(
        parse(asked), lambda _: None, codes_of={group: frozenset({coding})}.get
    )
    assert references.label_names(labels(found)) == ["hiv"]


def test_what_an_event_carries_may_be_a_diagnosis() -> None:
    """PR-30: properties have no declared class, so they count as clinical."""
    asked = {**BOUGHT, "where": [{"property": "reason", "op": "equals", "value": "86406008"}]}
    assert data_classes(parse(BOUGHT)) == {DataClass.ENGAGEMENT}
    assert data_classes(parse(asked)) == {DataClass.ENGAGEMENT, DataClass.CLINICAL}
    assert references.label_names(labels(parse(asked))) == ["hiv"]


def test_no_pattern_can_hold_a_worker_up() -> None:
    """A pattern that takes others longer than the universe has: here it takes its text's length."""
    assert not finder("(a+)+$", exact=True)("a" * 1000 + "b")
