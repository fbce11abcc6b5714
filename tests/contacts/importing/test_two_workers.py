"""Two workers at one import: what they write is what one would have written."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import matching, reveal
from contacts.fields import DataClass
from contacts.importing import jobs, storing, turns, undoing, work
from contacts.importing.jobs import State
from contacts.importing.models import ImportJob
from contacts.importing.turns import Lane
from contacts.models import ImportRun
from tests.conftest import NOON
from tests.contacts.importing.conftest import Bring, living, rows, until, work_off
from tests.ground.server import OwnDatabase

OVER = (State.DONE, State.FAILED)


def as_worker(organisation: Organisation, act: Callable[[], object]) -> object:
    """Do it with a connection of its own, as another thread has."""
    try:
        with tenancy.acting_for(organisation.pk), acting_as(Actor("system", "test")):
            return act()
    finally:
        connections.close_all()


def in_lane(lane: Lane, run: UUID) -> int:
    """Work until the import is over; return how many looks found something to do."""
    end, found = time.monotonic() + 120, 0
    while not ImportRun.objects.filter(pk=run, state__in=OVER).exists():
        assert time.monotonic() < end
        found += work.run_once(now=NOON, lane=lane)
    return found


def test_two_workers_write_each_row_once_and_the_last_word_stays(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring
) -> None:
    """One person is in every part, with another name each time: the last line's is the one."""
    run = bring("id,first\n" + "".join(f"{n},Ada\nsame,Name{n}\n" for n in range(40)))
    with ThreadPoolExecutor() as pool:
        looks = list(
            pool.map(
                lambda lane: as_worker(at_harbor, lambda: in_lane(lane, run)),
                (Lane.FIRST, Lane.SECOND),
            )
        )
    row = ImportRun.objects.get(pk=run)
    assert (row.state, row.read, row.created, living()) == (State.DONE, 80, 41, 41)
    (same,) = matching.ids_by_number([("crm", "same")])
    assert same is not None
    names = reveal.reveal([same], [DataClass.IDENTITY], purpose="test")[same]
    assert names["given_name"] == "Name39"
    assert all(looks)


def test_the_second_takes_the_part_after_the_one_that_is_being_written(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring
) -> None:
    run = bring(rows(6))
    with transaction.atomic(), ThreadPoolExecutor() as pool:
        assert turns.take(run, 0, 3) == 0
        taken = pool.submit(as_worker, at_harbor, lambda: turns.take(run, 0, 3))
        assert taken.result() == 1


def test_what_was_made_ready_behind_a_part_that_failed_is_not_written(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring
) -> None:
    run = bring(rows(6))
    until(run, State.RUNNING)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            assert turns.take(run, 0, 3) == 0
            second = pool.submit(
                as_worker, at_harbor, lambda: work.run_once(now=NOON, lane=Lane.SECOND)
            )
            time.sleep(0.2)  # it waits for its turn, which this transaction never gives
        assert second.result() == 0
    assert (ImportJob.objects.get(pk=run).next_chunk, living()) == (0, 0)
    work_off()
    assert living() == 6


def test_a_pause_holds_for_what_was_made_ready_too(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bring(rows(6))
    until(run, State.RUNNING)
    read = storing.ready

    def paused_meanwhile(*args: object) -> storing.Ready:
        ImportRun.objects.filter(pk=run).update(state=State.PAUSED)
        return read(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(work._STEPS[State.RUNNING], "ready", paused_meanwhile)
    assert work.run_once(now=NOON) == 0
    assert living() == 0


def pressed(act: Callable[[], object]) -> str:
    """Do what a button does; return what is said where it comes too late."""
    try:
        act()
    except jobs.NotNow as late:
        return str(late)
    return ""


def test_a_pause_that_comes_while_the_last_part_is_written_does_not_take_its_end_back(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring
) -> None:
    """A run that looked paused after its end was undone as a whole by who pressed Resume."""
    run = bring(rows(2))
    until(run, State.RUNNING)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            work.run_once(now=NOON)
            assert ImportRun.objects.get(pk=run).state == State.DONE
            button = pool.submit(as_worker, at_harbor, lambda: pressed(lambda: jobs.pause(run)))
            wait_until_somebody_waits()
        assert "it is imported" in str(button.result())
    assert ImportRun.objects.get(pk=run).state == State.DONE


def test_who_undoes_a_paused_import_waits_for_the_part_that_is_still_being_written(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring
) -> None:
    run = bring(rows(4))
    until(run, State.RUNNING)
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            ImportJob.objects.select_for_update().get(pk=run)
            pool.submit(as_worker, at_harbor, lambda: jobs.pause(run)).result()
            button = pool.submit(
                as_worker, at_harbor, lambda: pressed(lambda: undoing.begin(run, now=NOON))
            )
            wait_until_somebody_waits()
            # The writer's next statement needs the run's row, which the button must not hold.
            ImportRun.objects.filter(pk=run).update(read=2)
        assert button.result() == ""
    assert ImportRun.objects.get(pk=run).state == State.UNDOING


def wait_until_somebody_waits() -> None:
    end = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")
