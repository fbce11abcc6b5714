"""Whatever the order in which writers, folding and questions take their steps, answers are right.

Hypothesis draws the order. Each writer and the compactor has a thread and a connection of its own;
they stop where the draw says: a writer between its change and its commit, the compactor after it
has read which contacts changed, after it has read their records and before it takes the changes
away. After every step the answer over columns must be that of the committed values.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import erase
from contacts.models import Dirty
from contacts.segments import columns, evaluate, gathering, opening
from contacts.segments.definition import parse
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.test_evaluate import change
from tests.ground.server import OwnDatabase

PEOPLE = 4
PATIENCE = 60
BOSTON = parse({"field": "city", "op": "equals", "value": "Boston"})
steps = st.one_of(
    st.tuples(st.just("begin"), st.integers(0, PEOPLE - 1), st.sampled_from(["Boston", "Quincy"])),
    st.tuples(st.just("end"), st.integers(0, PEOPLE - 1), st.booleans()),
    st.tuples(st.just("fold")),
    st.tuples(st.just("fold")),
    st.tuples(st.just("gather")),
    st.tuples(st.just("erase"), st.integers(0, PEOPLE - 1)),
)


class Walker:
    """An act in a thread with a connection of its own, which stops where it calls `pause`."""

    def __init__(self, organisation_id: int, act: Callable[[Walker], None]) -> None:
        self._told: queue.Queue[Any] = queue.Queue()
        self._said: queue.Queue[Any] = queue.Queue()
        self.done = False
        self._thread = threading.Thread(target=self._run, args=(organisation_id, act))
        self._thread.start()
        self._hear()

    def _run(self, organisation_id: int, act: Callable[[Walker], None]) -> None:
        try:
            with tenancy.acting_for(organisation_id), acting_as(Actor("system", "test")):
                act(self)
            self._said.put(("done", None))
        except BaseException as broken:  # the test's own thread raises it
            self._said.put(("broken", broken))
        finally:
            connection.close()

    def pause(self) -> Any:
        """Called in the act: wait for the next step, return what it was told."""
        self._said.put(("paused", None))
        return self._told.get(timeout=PATIENCE)

    def step(self, told: Any = None) -> None:
        """Let the act go on to its next pause, or its end."""
        self._told.put(told)
        self._hear()

    def _hear(self) -> None:
        said, broken = self._said.get(timeout=PATIENCE)
        if said != "paused":
            self.done = True
            self._thread.join()
        if broken is not None:
            raise broken


@dataclass
class Scene:
    organisation_id: int
    ids: list[int]
    cities: dict[int, str]
    writers: dict[int, tuple[Walker, str]] = field(default_factory=dict)
    folder: Walker | None = None

    def take(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])
        right = {contact_id for contact_id, city in self.cities.items() if city == "Boston"}
        assert set(self.ids) & set(evaluate.members(BOSTON, now=NOON).contact_ids()) == right
        assert evaluate.among(BOSTON, self.ids, now=NOON) == right

    def begin(self, place: int, city: str) -> None:
        contact_id = self.ids[place]
        if contact_id in self.writers or contact_id not in self.cities:
            return

        def write(walker: Walker) -> None:
            with transaction.atomic():
                change(contact_id, city=city)
                if not walker.pause():
                    transaction.set_rollback(True)

        self.writers[contact_id] = Walker(self.organisation_id, write), city

    def end(self, place: int, commit: bool) -> None:
        walker, city = self.writers.pop(self.ids[place], (None, ""))
        if walker is not None:
            walker.step(commit)
            if commit:
                self.cities[self.ids[place]] = city

    def gather(self) -> None:
        """Begin to gather, or let the compactor that is at work take its next step."""
        self.fold(_gather)

    def fold(self, act: Callable[[Walker], None] | None = None) -> None:
        """Begin to fold, or let the folding take its next step."""
        if self.folder is None:
            self.folder = Walker(self.organisation_id, act or _fold)
        else:
            self.folder.step()
        if self.folder.done:
            self.folder = None

    def erase(self, place: int) -> None:
        contact_id = self.ids[place]
        if self.folder is None and contact_id in self.cities and contact_id not in self.writers:
            erase.erase(contact_id, now=NOON)
            del self.cities[contact_id]

    def finish(self) -> None:
        while self.folder is not None:
            self.fold()
        for place in range(len(self.ids)):
            self.end(place, commit=True)


_walking = threading.local()


def _fold(walker: Walker) -> None:
    _walking.walker = walker
    columns._fold([0])


def _gather(walker: Walker) -> None:
    _walking.walker = walker
    gathering.gather(at_least=1)


def _pausing(act: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but the compactor's thread stops after it."""

    def paused(*args: Any, **kwargs: Any) -> Any:
        found = act(*args, **kwargs)
        walker = getattr(_walking, "walker", None)
        if walker is not None:
            walker.pause()
        return found

    return paused


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_dirty_in", _pausing(columns._dirty_in))
    monkeypatch.setattr(opening, "values_of", _pausing(opening.values_of))
    monkeypatch.setattr(gathering, "_scattered", _pausing(gathering._scattered))
    monkeypatch.setattr(columns, "_store", _pausing(columns._store))


@pytest.mark.usefixtures("stops")
def test_no_order_of_steps_gives_a_wrong_answer(
    committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    """W5"""

    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(steps, min_size=6, max_size=16))
    def right(order: list[tuple[Any, ...]]) -> None:
        ids = world.add([{"city": "Quincy"}] * PEOPLE)
        scene = Scene(at_harbor.pk, ids, dict.fromkeys(ids, "Quincy"))
        try:
            for step in order:
                scene.take(step)
        finally:
            scene.finish()
        columns.compact(now=NOON, at_least=1)
        assert not Dirty.objects.exists()
        scene.take(("finish",))

    right()
