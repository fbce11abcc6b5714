"""The journey stage: one for everybody, by rules that segments share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation
from contacts import records, stages
from contacts.facts import last_visit
from contacts.fields import FIELDS, DataClass
from contacts.records import Change
from contacts.reveal import reveal
from contacts.segments import building, semantics
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from contacts.segments.evaluate import among, preview
from contacts.segments.explain import explain
from contacts.segments.facts import Facts
from contacts.segments.flips import next_flip
from contacts.stage_reasons import reasons
from contacts.stage_rules import RULES
from tests.conftest import NOON


def happened(days: int, status: str = "finished") -> dict[str, Any]:
    at = (NOON + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"system": "", "code": "", "display": "", "status": status, "at": at}


def person(visits: list[Any], appointments: list[Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"encounters": visits, "appointments": appointments}
    visit = last_visit(visits)
    return {key: value for key, value in values.items() if value} | (
        {"last_visit": visit} if visit else {}
    )


@pytest.mark.parametrize(
    ("visits", "appointments", "stage"),
    [
        ([], [], "new"),
        ([happened(-30)], [], "new"),
        ([happened(-30, "cancelled")], [], "new"),
        ([happened(-200), happened(-30)], [], "active"),
        ([happened(-200)], [], "active"),
        ([happened(-400)], [], "overdue"),
        ([happened(-400)], [happened(20, "booked")], "active"),
        ([happened(-400)], [happened(20, "cancelled")], "overdue"),
        ([happened(-400)], [happened(-20, "booked")], "overdue"),
        ([happened(-600)], [], "at risk"),
        ([happened(-600)], [happened(20, "booked")], "active"),
        ([happened(-300)], [happened(-20, "noshow"), happened(-90, "noshow")], "at risk"),
        ([happened(-30), happened(-300)], [happened(-20, "noshow")] * 2, "active"),
        ([happened(-300)], [happened(-20, "noshow")], "active"),
        ([], [happened(-20, "noshow"), happened(-90, "noshow")], "at risk"),
    ],
)
def test_the_first_rule_that_holds_is_the_stage(
    visits: list[Any], appointments: list[Any], stage: str
) -> None:
    assert stages.stage_of(person(visits, appointments), now=NOON) == stage


_times = st.integers(-900, 60)
_visits = st.lists(
    st.builds(happened, _times, st.sampled_from(["finished", "cancelled", "planned"])), max_size=4
)
_appointments = st.lists(
    st.builds(happened, _times, st.sampled_from(["booked", "noshow", "fulfilled", "cancelled"])),
    max_size=4,
)


@given(_visits, _appointments)
def test_everybody_has_exactly_one_stage_and_segments_agree(
    visits: list[Any], appointments: list[Any]
) -> None:
    values = person(visits, appointments)
    facts = Facts(values=building.facts_values(values))
    holds = [
        stage
        for stage in RULES
        if semantics.matches(
            parse({"field": "journey_stage", "op": "equals", "value": stage}), facts, now=NOON
        )
    ]
    assert holds == [stages.stage_of(values, now=NOON)]


def test_every_stage_has_its_rule() -> None:
    assert set(RULES) == set(FIELDS["journey_stage"].choices)


@pytest.mark.parametrize(
    "clause",
    [
        {"op": "equals"},
        {"value": "new"},
        {"op": "equals", "value": "lost"},
        {"op": "in", "value": "new"},
        {"op": "in", "value": []},
        {"op": "older_than", "value": "new"},
        {"op": "equals", "value": {"a": 1}},
        {"op": ["equals"], "value": "new"},
    ],
)
def test_a_question_about_stages_that_means_nothing_is_refused(clause: dict[str, Any]) -> None:
    with pytest.raises(DefinitionInvalid):
        parse({"field": "journey_stage"} | clause)


@pytest.fixture
def four(at_harbor: Organisation) -> dict[str, int]:
    told = {
        "new": [happened(-30)],
        "active": [happened(-200)],
        "overdue": [happened(-400)],
        "at risk": [happened(-600)],
    }
    changes = [
        Change(source="ehr", record_number=stage, values={"encounters": visits})
        for stage, visits in told.items()
    ]
    return dict(zip(told, records.upsert(changes, now=NOON).contact_ids, strict=True))


@pytest.mark.parametrize("stage", list(RULES))
def test_a_segment_finds_who_is_at_a_stage(four: dict[str, int], stage: str) -> None:
    asked = parse({"field": "journey_stage", "op": "equals", "value": stage})
    assert among(asked, four.values(), now=NOON) == {four[stage]}


def test_several_stages_and_the_others(four: dict[str, int]) -> None:
    some = parse({"field": "journey_stage", "op": "in", "value": ["new", "at risk"]})
    rest = parse({"field": "journey_stage", "op": "not_equals", "value": "new"})
    assert among(some, four.values(), now=NOON) == {four["new"], four["at risk"]}
    assert among(rest, four.values(), now=NOON) == set(four.values()) - {four["new"]}


def test_a_reader_of_engagement_gets_the_stage_and_nothing_clinical(four: dict[str, int]) -> None:
    opened = reveal(list(four.values()), [DataClass.ENGAGEMENT], purpose="test", now=NOON)
    assert {stage: opened[one]["journey_stage"] for stage, one in four.items()} == {
        stage: stage for stage in four
    }
    assert all(values.keys() <= {"last_visit", "journey_stage"} for values in opened.values())


def test_the_stage_moves_with_time_alone(four: dict[str, int]) -> None:
    later: datetime = NOON + timedelta(days=600)
    opened = reveal([four["new"]], [DataClass.ENGAGEMENT], purpose="test", now=later)
    assert opened[four["new"]]["journey_stage"] == "at risk"


def test_a_segment_of_a_stage_is_read_as_a_sentence() -> None:
    asked = {"all": [{"field": "city", "op": "exists"},
                     {"field": "journey_stage", "op": "in", "value": ["overdue", "at risk"]},
                     {"field": "journey_stage", "op": "not_equals", "value": "new"}]}  # fmt: skip
    assert in_words(parse(asked)) == (
        "People whose city is known, (journey stage is overdue or journey stage is at risk), "
        "and not (journey stage is new)"
    )


def test_the_clause_table_says_the_persons_stage_in_one_line(four: dict[str, int]) -> None:
    asked = parse({"field": "journey_stage", "op": "equals", "value": "overdue"})
    told = {
        stage: [(line.words, line.holds, line.value) for line in explain(asked, one, now=NOON)]
        for stage, one in four.items()
    }
    assert told == {
        stage: [("journey stage is overdue", stage == "overdue", stage)] for stage in four
    }


def test_reasons_end_with_the_rule_that_made_the_stage(four: dict[str, int]) -> None:
    granted = [kind.value for kind in DataClass]
    ends = {
        stage: [(one.stage, one.lines[0].holds) for one in reasons(who, now=NOON, granted=granted)]
        for stage, who in four.items()
    }
    assert ends["at risk"] == [("at risk", True)]
    assert ends["new"] == [("at risk", False), ("overdue", False), ("new", True)]
    assert ends["active"] == [("at risk", False), ("overdue", False), ("new", False)]


def test_time_alone_moves_somebody_from_stage_to_stage() -> None:
    """Each segment of a stage says when it changes next; nobody is asked in between."""
    values = person([happened(-30)], [])
    facts, now = Facts(values=building.facts_values(values)), NOON
    asked = [parse({"field": "journey_stage", "op": "equals", "value": one}) for one in RULES]
    found = [(stages.stage_of(values, now=now), 0)]
    while flips := [at for one in asked if (at := next_flip(one, facts, now))]:
        now = min(flips)
        found.append((stages.stage_of(values, now=now), (now - NOON).days))
    assert [stage for stage, _ in found] == ["new", "active", "overdue", "at risk"]
    assert [round(days / 30) for _, days in found[1:]] == [2, 11, 17]


def test_a_preview_counts_a_stage_as_one_clause(four: dict[str, int]) -> None:
    stage = {"field": "journey_stage", "op": "equals", "value": "overdue"}
    alone = preview(parse(stage), now=NOON)
    assert (alone.clause_counts, alone.funnel) == ({"$": 1}, [("$", 1)])
    within = preview(parse({"all": [{"not": stage}]}), now=NOON)
    assert within.clause_counts == {"$": 3, "$.all[0]": 3, "$.all[0].not": 1}
