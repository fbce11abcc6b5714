"""Since when somebody is in a segment, and what asking that betrays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from contacts.segments import catalogue, evaluate, explain, membership
from contacts.segments.definition import DefinitionInvalid, data_classes, in_words
from contacts.segments.facts import Happening
from contacts.segments.live import feed, follow
from contacts.segments.models import Segment
from contacts.segments.nodes import ENTERED, LEFT
from tests.conftest import NOON
from tests.contacts.segments import generated, world
from tests.contacts.segments.test_evaluate import BOSTON

pytestmark = pytest.mark.usefixtures("at_harbor")

WEEK = {"before": {"ago": 7, "unit": "days"}}
ADDICTED = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}


def saved(name: str, tree: Any) -> Segment:
    return catalogue.save(name=name, tree=tree, now=NOON)


def been_in(segment: Segment, **window: Any) -> Any:
    return {"segment": str(segment.id), **(window or WEEK)}


def event(kind: str, segment: Segment, at: datetime) -> Happening:
    return Happening(kind, at, campaign=segment.id)


def inside(tree: Any, now: datetime = NOON) -> list[int]:
    return evaluate.members(catalogue.read(tree), now=now).contact_ids()


def test_who_came_in_long_ago_and_is_still_in_has_been_in_it() -> None:
    boston = saved("Boston", BOSTON)
    stayed, left, back, late = world.add([{}, {}, {}, {}])
    long_ago, lately = NOON - timedelta(days=9), NOON - timedelta(days=2)
    for one in (stayed, left, back):
        world.happen(one, [event(ENTERED, boston, long_ago)])
    world.happen(left, [event(LEFT, boston, lately)])
    world.happen(back, [event(LEFT, boston, lately), event(ENTERED, boston, lately)])
    world.happen(late, [event(ENTERED, boston, lately)])
    assert inside(been_in(boston)) == [stayed]
    assert inside(been_in(boston, within_days=7)) == [back, late]


def test_statement_and_meaning_agree(at_harbor: Organisation) -> None:
    boston, other = saved("Boston", BOSTON), saved("Other", BOSTON)
    moved = st.builds(
        event, st.sampled_from([ENTERED, LEFT]), st.sampled_from([boston, other]), generated.moments
    )
    windows = st.sampled_from(
        [
            {"within_days": 30},
            {"before": {"ago": 5, "unit": "hours"}},
            {"during": "this_month"},
            {"since": "2024-03-01"},
            {"since": "2024-03-01", "before": "2024-03-10"},
        ]
    )

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.lists(moved, max_size=4), min_size=3, max_size=3), windows, generated.nows)
    def agree(histories: Any, window: Any, now: datetime) -> None:
        for one, history in zip(world.add([{}, {}, {}]), histories, strict=True):
            world.happen(one, history)
        known, zoned = world.facts(), now.astimezone(at_harbor.zone)
        asked = catalogue.expanded(catalogue.read(been_in(boston, **window)))
        right = world.by_meaning(asked, known, now=zoned)
        assert set(evaluate.members(asked, now=now).contact_ids()) == right
        assert evaluate.among(asked, list(known), now=now) == right
        assert evaluate.among_each([asked], list(known), now=zoned) == [right]

    agree()


def test_a_member_of_a_week_comes_in_by_time_alone() -> None:
    boston = saved("Boston", BOSTON)
    membership.refresh(boston, now=NOON)
    loyal = saved("A week in Boston", been_in(boston))
    membership.refresh(loyal, now=NOON)
    world.add([{"city": "Boston"}])
    settle(NOON)
    assert membership.members(loyal).tolist() == []
    for day in range(1, 9):
        settle(NOON + timedelta(days=day))
    assert membership.members(loyal).tolist() == [0]


def settle(now: datetime) -> None:
    while follow.run_once(now=now) + membership.refresh_due(now=now):
        pass


def test_se20_coming_into_a_labelled_segment_carries_its_label() -> None:
    recovery = saved("In recovery", ADDICTED)
    asked = {"event": ENTERED, "campaign": str(recovery.id)}
    for name, tree in (
        ("Counted", asked),
        ("First", {**asked, "which": "first", "within_days": 3}),
        ("Been", been_in(recovery)),
    ):
        made = saved(name, tree)
        assert made.labels == ["substance_use"]
        assert not made.sendable


def test_coming_into_a_segment_betrays_what_being_in_it_does() -> None:
    boston, ill = saved("Boston", BOSTON), saved("Ill", {"not": ADDICTED})
    found = [
        {one.value for one in data_classes(catalogue.expanded(catalogue.read(been_in(each))))}
        for each in (boston, ill)
    ]
    assert found == [{"engagement", "contact_point"}, {"engagement", "clinical"}]


def test_an_event_about_segments_names_its_segment() -> None:
    with pytest.raises(DefinitionInvalid, match=r"\$: is about a segment: name it"):
        saved("Any", {"event": ENTERED})
    with pytest.raises(DefinitionInvalid, match="gone or invalid"):
        saved("Gone", {"event": LEFT, "campaign": str(UUID(int=5))})


def test_a_circle_through_coming_and_going_is_refused() -> None:
    inner = saved("Inner", BOSTON)
    outer = saved("Outer", been_in(inner))
    with pytest.raises(DefinitionInvalid, match="leads back to itself"):
        tree = {"any": [BOSTON, {"event": LEFT, "campaign": str(outer.id)}]}
        catalogue.save(name="Inner", tree=tree, now=NOON, segment_id=inner.id)


def test_what_rests_on_a_broken_segment_is_broken_too() -> None:
    boston = saved("Boston", BOSTON)
    loyal = saved("Loyal", been_in(boston))
    catalogue.archive(boston, now=NOON)
    loyal.refresh_from_db()
    assert loyal.status == Segment.Status.INVALID


def test_a_whole_evaluation_leaves_those_alone_who_came_in_meanwhile() -> None:
    """Members that come and go are a change only to who asks for it."""
    (ada,) = world.add([{}])
    boston = saved("Boston", BOSTON)
    then = feed.instant(alone=True)
    then = feed.Instant(then.snapshot, "")
    world.happen(ada, [event(ENTERED, boston, NOON)])
    assert ada in feed.changed_since(then, [ENTERED, LEFT])


def test_it_is_said_and_explained() -> None:
    boston = saved("Boston", BOSTON)
    (ada,) = world.add([{}])
    world.happen(ada, [event(ENTERED, boston, NOON - timedelta(days=9))])
    definition = catalogue.expanded(catalogue.read(been_in(boston)))
    names = catalogue.names_in(definition, clinical=True)
    assert in_words(definition, names=names) == (
        "People whose segments include “Boston”, entered before 7 days ago"
    )
    (line,) = explain.explain(definition, ada, now=NOON)
    assert (line.holds, line.value[:10]) == (True, "once, last")
