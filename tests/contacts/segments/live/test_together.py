"""Followers, whole evaluations and writers beside each other; and one killed in the midst."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import lists
from contacts.amending import amend
from contacts.models import Event
from contacts.segments import catalogue, columns, evaluate, membership
from contacts.segments.live import bits, feed, follow, telling
from contacts.segments.live.models import Following
from contacts.segments.models import Membership, Segment
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.live.test_time import _alternates, click, inside
from tests.contacts.segments.test_evaluate import BOSTON
from tests.ground.server import OwnDatabase

WOMEN = {"field": "gender", "op": "equals", "value": "female"}
CLICKED = {"event": "message.clicked"}


def settle() -> None:
    while follow.run_once(now=NOON) + membership.refresh_due(now=NOON):
        pass


def as_reference(found: Segment) -> set[int]:
    definition = catalogue.definition_of(Segment.objects.get(pk=found.pk))
    return set(evaluate.members(definition, now=NOON).contact_ids())


def within(organisation_id: int, act: Callable[[], None]) -> None:
    try:
        with tenancy.acting_for(organisation_id), acting_as(Actor("system", "test")):
            act()
    finally:
        connection.close()


@dataclass
class Scene:
    """Writers, followers and whole evaluations of the same people and segments."""

    people: list[int]
    made: list[Segment]
    done: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        chance = random.Random(5)
        for _ in range(60):
            city = chance.choice(["Boston", "Quincy"])
            amend({chance.choice(self.people): {"city": city}}, source="test", now=NOON)
            click(chance.choice(self.people), NOON, now=NOON)
        self.done.set()

    def look(self) -> None:
        while not self.done.is_set():
            follow.run_once(now=NOON)

    def evaluate_all(self) -> None:
        while not self.done.is_set():
            for one in self.made:
                membership.refresh(Segment.objects.get(pk=one.pk), now=NOON)
            columns.compact(now=NOON, at_least=1)


def test_two_followers_and_a_whole_evaluation_beside_writers_settle_on_the_truth(
    committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    trees = (BOSTON, {"all": [WOMEN, {"not": BOSTON}]}, CLICKED)
    scene = Scene(
        world.add([{"city": "Quincy", "gender": "female"} for _ in range(12)]),
        [catalogue.save(name="A", tree=tree, now=NOON) for tree in trees],
    )
    with ThreadPoolExecutor(4) as pool:
        acts = (scene.write, scene.look, scene.look, scene.evaluate_all)
        results = [pool.submit(within, at_harbor.pk, act) for act in acts]
        for result in results:
            result.result(timeout=120)
    settle()
    assert [inside(one) for one in scene.made] == [as_reference(one) for one in scene.made]
    _alternates()
    assert not Following.objects.exclude(drifted=0).exists()


@pytest.mark.parametrize(
    "where", [(bits, "_store"), (telling, "announce"), (telling, "of_day"), (feed, "advance")]
)
def test_killed_anywhere_nothing_is_lost_or_told_twice(
    where: tuple[Any, str], committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    settle()
    (ada,) = world.add([{"city": "Boston"}])
    with (
        mock.patch.object(*where, side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        follow.run_once(now=NOON)
    assert not Event.objects.filter(kind="segment.entered").exists()
    settle()
    assert inside(boston) == {ada}
    assert Event.objects.filter(kind="segment.entered").count() == 1


def test_a_long_transaction_of_another_holds_nobody_up(
    committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    settle()
    begun, leave = threading.Event(), threading.Event()

    def linger() -> None:
        with transaction.atomic():
            lists.create("A list", now=NOON)
            begun.set()
            leave.wait(60)

    with ThreadPoolExecutor(1) as pool:
        lingering = pool.submit(within, at_harbor.pk, linger)
        assert begun.wait(30)
        (ada,) = world.add([{"city": "Boston"}])
        follow.run_once(now=NOON)
        assert inside(boston) == {ada}
        assert follow.run_once(now=NOON) == 0
        leave.set()
        lingering.result(timeout=60)


def test_a_whole_evaluation_puts_right_what_drifted(at_harbor: Organisation) -> None:
    (ada,) = world.add([{"city": "Boston"}])
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    settle()
    settle()
    Membership.objects.all().delete()
    membership.refresh_due(now=NOON + timedelta(hours=30))
    assert inside(boston) == {ada}
    assert Following.objects.get().drifted == 1


def test_a_change_that_no_follower_has_come_to_is_not_drift(at_harbor: Organisation) -> None:
    (ada,) = world.add([{"city": "Quincy"}])
    boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    settle()
    amend({ada: {"city": "Boston"}}, source="test", now=NOON)
    membership.refresh(Segment.objects.get(pk=boston.pk), now=NOON)
    assert inside(boston) == {ada}
    assert Following.objects.get().drifted == 0
    settle()
    assert Event.objects.filter(kind="segment.entered").count() == 1


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["move", "click", "list", "look", "whole", "compact", "edit", "add", "storm"]
        ),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    min_size=4, max_size=18,
)  # fmt: skip


@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(acts=ACTS)
def test_whatever_the_order_members_settle_on_the_reference(
    acts: list[tuple[str, int, int]], at_harbor: Organisation
) -> None:
    with transaction.atomic():
        people = world.add([{"city": "Boston"}, {"gender": "female"}, {}, {}, {}, {}])
        listed = lists.create("A list", now=NOON)
        inner = catalogue.save(name="Inner", tree=BOSTON, now=NOON)
        trees = [
            {"any": [CLICKED, {"list": str(listed.id)}]},
            {"not": {"segment": str(inner.id)}},
        ]
        made = [inner, *(catalogue.save(name="A", tree=tree, now=NOON) for tree in trees)]
        for what, who, how in acts:
            _act(what, people, who, how, listed.id, inner)
        settle()
        for one in made:
            assert inside(one) == as_reference(one)
        _alternates()
        transaction.set_rollback(True)


def _act(what: str, people: list[int], who: int, how: int, listed: Any, inner: Segment) -> None:
    person, city = people[who], ["Boston", "Quincy", "Salem"][how]
    tree = [BOSTON, WOMEN, {"not": BOSTON}][how]
    acts: dict[str, Callable[[], object]] = {
        "move": lambda: amend({person: {"city": city}}, source="test", now=NOON),
        "click": lambda: click(person, NOON, now=NOON),
        "list": lambda: (lists.remove if how else lists.add)(listed, [person], now=NOON),
        "look": lambda: follow.run_once(now=NOON),
        "whole": lambda: membership.refresh_due(now=NOON, limit=how + 1),
        "compact": lambda: columns.compact(now=NOON, at_least=1),
        "add": lambda: people.extend(world.add([{"city": "Boston"}])),
        "storm": _storm,
        "edit": lambda: catalogue.save(name="Inner", tree=tree, now=NOON, segment_id=inner.id),
    }
    acts[what]()


def _storm() -> None:
    world.add([{"city": "Boston"}, {"city": "Quincy"}])
    with mock.patch.object(follow, "STORM", 2):
        follow.run_once(now=NOON)
