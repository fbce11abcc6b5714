"""Reading definitions: every problem is named by its place, and no value is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from contacts.segments import counts, language, moments
from contacts.segments.definition import (
    DefinitionInvalid,
    data_classes,
    expand,
    in_words,
    parse,
)
from contacts.segments.facts import Facts
from contacts.segments.semantics import matches

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CITY = {"field": "city", "op": "exists"}

BROKEN: list[tuple[Any, str, str]] = [
    ([], "$", "must be an object"),
    ({}, "$", "exactly one of"),
    ({"all": [CITY], "any": [CITY]}, "$", "exactly one of"),
    ({"all": []}, "$.all", "empty group"),
    ({"any": [CITY, {"not": {"all": []}}]}, "$.any[1].not.all", "empty group"),
    ({"field": "shoe_size", "op": "exists"}, "$.field", "not a field"),
    ({"field": "email", "op": "exists"}, "$.field", "not a field"),
    ({"field": "city", "op": "age_gte"}, "$.op", "cannot be asked"),
    ({"field": "city"}, "$.op", "is missing"),
    ({"field": "city", "op": "equals"}, "$.value", "is missing"),
    ({"field": "city", "op": "equals", "value": 3}, "$.value", "must be text"),
    ({"field": "city", "op": "equals", "value": "a\0"}, "$.value", "must be text"),
    ({"field": "city", "op": "equals", "value": "\ud800"}, "$.value", "must be text"),
    ({"field": "city", "op": "in", "value": []}, "$.value", "must be a list"),
    ({"field": "city", "op": "exists", "vaule": 1}, "$.vaule", "not known here"),
    ({"field": "gender", "op": "equals", "value": "femal"}, "$.value", "must be one of"),
    ({"field": "deceased", "op": "equals", "value": "no"}, "$.value", "true or false"),
    ({"field": "birth_date", "op": "age_gte", "value": True}, "$.value", "whole years"),
    ({"field": "birth_date", "op": "before", "value": "03/02/1960"}, "$.value", "a date"),
    (
        {"field": "birth_date", "op": "older_than", "value": 3, "unit": "hours"},
        "$.unit",
        "no hours",
    ),
    ({"field": "last_visit", "op": "after", "value": "2026-01-01T10:00:00"}, "$.value", "offset"),
    ({"field": "conditions", "op": "has_code"}, "$.codes", "is missing"),
    ({"field": "conditions", "op": "has_code", "codes": ["1"], "within_hours": 2}, "$", "use days"),
    ({"field": "results", "op": "latest_gte", "value": 6.5}, "$.code", "is missing"),
    ({"field": "encounters", "op": "count_gte", "value": -1}, "$.value", "whole number"),
    ({"event": "Clicked!"}, "$.event", "event name"),
    ({"event": "message.clicked", "times": {"at_least": 1, "at_most": 2}}, "$.times", "one of"),
    ({"list": "friends"}, "$.list", "id of a list"),
]


@pytest.mark.parametrize(("tree", "path", "words"), BROKEN)
def test_a_problem_names_its_place(tree: Any, path: str, words: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse(tree)
    first = refused.value.problems[0]
    assert (first.path, words in first.message) == (path, True), first


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"all": [{"any": []}, {"field": "x"}, {"event": "?"}]})
    places = [problem.path for problem in refused.value.problems]
    assert places == ["$.all[0].any", "$.all[1].field", "$.all[2].event"]


def test_a_problem_never_repeats_a_value() -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"field": "birth_date", "op": "equals", "value": "Ada Lovelace"})
    assert "Ada" not in str(refused.value)


def test_a_tree_without_end_is_refused() -> None:
    tree: Any = CITY
    for _ in range(2000):
        tree = {"not": tree}
    with pytest.raises(DefinitionInvalid, match="too large"):
        parse(tree)


def test_a_definition_reads_as_a_sentence() -> None:
    tree = {
        "all": [
            {"field": "birth_date", "op": "age_gte", "value": 50},
            {"not": {"event": "message.clicked", "within_days": 30}},
            {"field": "last_visit", "op": "older_than", "value": 6, "unit": "months"},
        ]
    }
    assert in_words(parse(tree)) == (
        "People whose age is 50 or more, not (events include at least 1 “message.clicked” in the"
        " last 30 days), and last visit is more than 6 months ago"
    )


def test_large_numbers_are_said_with_all_of_their_digits() -> None:
    said = in_words(parse({"field": "income", "op": "gte", "value": 1_500_000}))
    assert said == "People whose yearly household income is at least 1500000"


def test_a_definition_tells_which_classes_membership_betrays() -> None:
    tree = {"any": [CITY, {"field": "last_visit", "op": "exists"}]}
    found = {kind.value for kind in data_classes(parse(tree))}
    assert found == {"contact_point", "engagement", "clinical"}


@pytest.mark.parametrize("kind", ["appointment.missed", "encounter.started", "segment.entered"])
def test_an_event_of_care_betrays_what_is_clinical(kind: str) -> None:
    found = {each.value for each in data_classes(parse({"event": kind}))}
    assert found == {"engagement", "clinical"}


def test_segments_that_multiply_each_other_are_refused() -> None:
    levels = [UUID(int=number) for number in range(1, 6)]
    below: dict[UUID, Any] = dict(zip(levels[1:], levels, strict=False))
    trees: dict[UUID, Any] = {
        each: {"any": [{"segment": str(below[each])}] * 150} if each in below else CITY
        for each in levels
    }
    with pytest.raises(DefinitionInvalid, match="more than 2000 clauses in all"):
        expand(parse(trees[levels[-1]]), lambda each: parse(trees[each]))


def test_someone_born_on_a_leap_day_turns_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)
    assert moments.age_on(born, date(2026, 2, 28)) == 17
    assert moments.age_on(born, date(2026, 3, 1)) == 18


def test_a_month_before_the_end_of_march_is_the_end_of_february() -> None:
    assert moments.shift_day(date(2026, 3, 31), -1, "months") == date(2026, 2, 28)


@pytest.mark.parametrize("count", [0, 4, 10])
def test_se32_counts_are_rounded_for_those_without_the_right(count: int) -> None:
    def said(size: int) -> str:
        return str(counts.blurred(counts.Answer(size), key=b"k", question=b"q"))

    assert said(count) == "<11"
    assert said(1234).startswith("about 1,2")


@dataclass(frozen=True)
class Answered:
    """A question of a higher floor, for the test: does the clinic like them?"""

    wanted: str
    data_classes: frozenset[str] = frozenset({"engagement"})

    def in_words(self) -> str:
        return f"mood is {self.wanted}"

    def holds(self, facts: Facts, *, now: Any) -> bool:
        return facts.registered.get("mood") == self.wanted

    def contact_ids(self, *, now: Any, among: Any = None) -> Any:
        return []


class Mood:
    key, label = "mood", "Mood"

    def parse(self, value: Any, path: str) -> Answered:
        return Answered(str(value))


@pytest.fixture
def mood() -> Iterator[None]:
    language.register(Mood())
    yield
    del language._leaves["mood"]


def test_a_higher_floor_adds_a_question_of_its_own(mood: None) -> None:
    definition = parse({"not": {"mood": "calm"}})
    assert in_words(definition) == "People whose not (mood is calm)"
    assert not matches(definition, Facts(registered={"mood": "calm"}), now=NOW)
    assert matches(definition, Facts(), now=NOW)


def test_a_question_may_not_take_a_word_of_the_language(mood: None) -> None:
    with pytest.raises(ValueError, match="already"):
        language.register(Mood())
