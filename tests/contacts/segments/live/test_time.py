"""Time alone moves people: the next instant is foreseen, and nobody is asked in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from contacts import events
from contacts.amending import amend
from contacts.models import Event
from contacts.segments import catalogue, evaluate, membership
from contacts.segments.live import follow
from contacts.segments.live.models import Following, Foreseen
from contacts.segments.models import Segment
from tests.conftest import NOON
from tests.contacts.segments import world

pytestmark = pytest.mark.usefixtures("at_harbor")

CLICKED_LATELY = {"event": "message.clicked", "within_hours": 5}
SEEN_LATELY = {"field": "last_visit", "op": "within_last", "value": 2, "unit": "hours"}
BOSTON = ZoneInfo("America/New_York")


def segment(tree: Any, *, now: datetime = NOON) -> Segment:
    made = catalogue.save(name="A segment", tree=tree, now=now)
    step(now)
    return made


def step(now: datetime) -> None:
    """What the loops do at an instant."""
    while follow.run_once(now=now):
        pass
    membership.refresh_due(now=now)


def inside(found: Segment) -> set[int]:
    first = tenancy.current() << 40
    return {first + int(one) for one in membership.members(found)}


def click(contact_id: int, at: datetime, *, now: datetime) -> None:
    events.append(
        [events.NewEvent(contact_id=contact_id, kind="message.clicked", occurred_at=at)], now=now
    )


def seen(at: datetime) -> dict[str, Any]:
    return {
        "encounters": [{"status": "finished", "class": "AMB", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}]
    }


def test_a_window_that_passes_lets_its_member_go_at_its_second() -> None:
    (ada,) = world.add([{}])
    lately = segment(CLICKED_LATELY)
    click(ada, NOON, now=NOON)
    step(NOON)
    assert inside(lately) == {ada}
    step(NOON + timedelta(hours=5) - timedelta(seconds=1))
    assert inside(lately) == {ada}
    step(NOON + timedelta(hours=5, seconds=1))
    assert inside(lately) == set()
    assert Event.objects.filter(kind="segment.left", contact_id=ada).count() == 1


def test_who_was_in_from_the_first_is_foreseen_too() -> None:
    ada, _ = world.add([seen(NOON - timedelta(hours=1)), seen(NOON - timedelta(hours=9))])
    lately = segment(SEEN_LATELY)
    assert inside(lately) == {ada}
    follow.run_once(now=NOON + timedelta(hours=1, seconds=1))
    assert inside(lately) == set()


def test_nothing_is_evaluated_until_somebody_is_due() -> None:
    world.add([seen(NOON - timedelta(hours=1))])
    segment(SEEN_LATELY)
    assert follow.run_once(now=NOON + timedelta(seconds=1)) == 0
    assert membership.refresh_due(now=NOON + timedelta(minutes=59)) == 0


def test_a_birthday_moves_people_at_the_clinics_midnight() -> None:
    (ada,) = world.add([{"birth_date": "1976-03-03"}])
    adults = segment({"field": "birth_date", "op": "age_gte", "value": 50})
    midnight = datetime(2026, 3, 3, tzinfo=BOSTON).astimezone(UTC)
    step(midnight - timedelta(seconds=1))
    assert inside(adults) == set()
    step(midnight)
    assert inside(adults) == {ada}


def test_the_day_that_clocks_change_still_ends_at_midnight() -> None:
    before = datetime(2026, 3, 8, 1, tzinfo=BOSTON).astimezone(UTC)
    segment({"field": "birth_date", "op": "anniversary_within", "value": 0}, now=before)
    due = Following.objects.get().next_at
    assert due == datetime(2026, 3, 9, tzinfo=BOSTON).astimezone(UTC)
    assert due - before == timedelta(hours=22)


def test_a_period_ends_at_the_clinics_midnight_and_that_is_no_drift() -> None:
    (ada,) = world.add([seen(NOON)])
    today = segment({"field": "last_visit", "op": "during", "value": "today"})
    tomorrow = NOON.astimezone(BOSTON).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=BOSTON)
    step(midnight - timedelta(seconds=1))
    assert inside(today) == {ada}
    step(midnight + timedelta(seconds=1))
    assert inside(today) == set()
    assert Following.objects.get(pk=today.pk).drifted == 0


def test_se33_a_dump_tells_neither_who_nor_when() -> None:
    """Every hour has a row of one size, with somebody in it or with nobody."""
    world.add([seen(NOON - timedelta(hours=1))])
    segment(SEEN_LATELY)
    sizes = {len(bytes(row.payload)) for row in Foreseen.objects.all()}
    hours = sorted(Foreseen.objects.values_list("hour", flat=True))
    assert len(sizes) == 1
    assert hours == list(range(hours[0], hours[0] + len(hours)))
    assert len(hours) > 10


def test_a_segment_without_a_clock_has_no_hours() -> None:
    segment({"field": "city", "op": "equals", "value": "Boston"})
    assert not Foreseen.objects.exists()


FACTS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["click", "visit"]), st.integers(0, 60 * 60 * 30)),
    max_size=4,
)
STEPS = st.lists(st.tuples(st.integers(1, 60 * 60 * 9), FACTS), min_size=1, max_size=4)
TREES = st.lists(
    st.sampled_from(
        [
            CLICKED_LATELY,
            SEEN_LATELY,
            {"not": CLICKED_LATELY},
            {"event": "message.clicked", "within_days": 1, "times": {"at_least": 2}},
            {"all": [SEEN_LATELY, {"not": CLICKED_LATELY}]},
            {"any": [{"field": "last_visit", "op": "older_than", "value": 1, "unit": "days"},
                     CLICKED_LATELY]},
            {"field": "encounters", "op": "count_gte", "value": 1, "within_hours": 3},
            {"field": "birth_date", "op": "anniversary_within", "value": 0},
        ]
    ),
    min_size=1, max_size=3, unique_by=repr,
)  # fmt: skip
START = st.sampled_from(
    [NOON, datetime(2026, 3, 8, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)]
)


@settings(
    max_examples=12, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(start=START, trees=TREES, steps=STEPS)
def test_after_each_step_of_the_clock_members_are_those_of_a_whole_evaluation(
    start: datetime, trees: list[Any], steps: list[tuple[int, Any]], at_harbor: Organisation
) -> None:
    with transaction.atomic():
        people = world.add([{"birth_date": "1976-03-09"}, {}, seen(start)], now=start)
        made = [segment(tree, now=start) for tree in trees]
        now = start
        for seconds, facts in steps:
            now += timedelta(seconds=seconds)
            for who, what, ago in facts:
                _happens(people[who], what, now - timedelta(seconds=ago), now=now)
            step(now)
            for one in made:
                definition = catalogue.definition_of(one)
                whole = set(evaluate.members(definition, now=now).contact_ids())
                assert inside(one) == whole, one.definition
        _alternates()
        transaction.set_rollback(True)


def _happens(contact_id: int, what: str, at: datetime, *, now: datetime) -> None:
    if what == "click":
        click(contact_id, at, now=now)
    else:
        amend({contact_id: seen(at)}, source="test", now=now)


def _alternates() -> None:
    """Nobody enters twice without leaving, or leaves without having entered."""
    last: dict[tuple[int, Any], str] = {}
    rows = Event.objects.filter(kind__startswith="segment.").order_by("id")
    for contact_id, campaign, kind in rows.values_list("contact_id", "campaign", "kind"):
        assert last.get((contact_id, campaign), "segment.left") != kind
        last[contact_id, campaign] = kind
