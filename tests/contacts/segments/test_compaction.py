"""Folding changes in while others write and ask: never a wrong answer, never a lost change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts.models import Dirty
from contacts.segments import columns, evaluate
from contacts.segments.definition import parse
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.test_evaluate import change
from tests.ground.server import OwnDatabase

ROUNDS = 25
BOSTON = parse({"field": "city", "op": "equals", "value": "Boston"})
ANYWHERE = parse({"field": "city", "op": "in", "value": ["Boston", "Quincy"]})


@dataclass
class Scene:
    """Pairs who swap cities in one transaction: one of each is in Boston at any instant."""

    pairs: list[list[int]]
    done: threading.Event = field(default_factory=threading.Event)

    def write(self) -> int:
        for turn in range(ROUNDS):
            here, there = ("Quincy", "Boston") if turn % 2 == 0 else ("Boston", "Quincy")
            for one, other in self.pairs:
                with transaction.atomic():
                    change(one, city=here)
                    change(other, city=there)
        self.done.set()
        return ROUNDS

    def fold(self) -> int:
        folded = 0
        while not self.done.is_set():
            folded += columns.compact(now=NOON, at_least=1)
        return folded

    def ask(self) -> int:
        asked = 0
        while not self.done.is_set():
            found = set(evaluate.members(BOSTON, now=NOON).contact_ids())
            assert all(len(found & set(pair)) == 1 for pair in self.pairs)
            assert evaluate.members(ANYWHERE, now=NOON).count == 2 * len(self.pairs)
            asked += 1
        return asked


def test_folding_beside_writers_and_evaluations_is_never_wrong(
    committed_db: OwnDatabase, at_harbor: Organisation
) -> None:
    scene = Scene([world.add([{"city": "Boston"}, {"city": "Quincy"}]) for _ in range(6)])
    acts = (scene.write, scene.fold, scene.fold, scene.ask)
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(within, at_harbor.pk, act) for act in acts]
        _, folded, also, asked = (result.result(timeout=120) for result in results)
    assert asked > 0
    assert folded + also > 0
    columns.compact(now=NOON, at_least=1)
    assert not Dirty.objects.exists()
    last = {pair[ROUNDS % 2] for pair in scene.pairs}
    assert set(evaluate.members(BOSTON, now=NOON).contact_ids()) == last


def within(organisation_id: int, act: Callable[[], int]) -> int:
    """Run in a thread of its own: its own connection, organisation and actor."""
    try:
        with tenancy.acting_for(organisation_id), acting_as(Actor("system", "test")):
            return act()
    finally:
        connection.close()
