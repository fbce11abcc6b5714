"""A worker that is killed in the middle of a part: the next one does the part, once."""

from __future__ import annotations

import os
import signal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts.importing import chunks, storing, undoing, work
from contacts.importing.jobs import State
from contacts.importing.models import ImportJob
from contacts.models import Event, ImportRun
from tests.conftest import NOON
from tests.contacts.importing.conftest import Bring, living, rows, until, work_off
from tests.ground.server import OwnDatabase


def killed_after(room: Any, name: str, organisation: int) -> None:
    """In a process of its own, do one part and die without a word right after this act of it."""
    connection.close()
    child = os.fork()
    if child == 0:
        _work_and_die(room, name, organisation)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _work_and_die(room: Any, name: str, organisation: int) -> None:
    whole = getattr(room, name)

    def act(*args: Any, **kwargs: Any) -> None:
        whole(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(room, name, act)
    with acting_as(Actor("system", "test")), tenancy.acting_for(organisation):
        work.run_once(now=NOON)
    os._exit(0)


def created(run: UUID) -> int:
    return Event.objects.filter(campaign=run, kind="contact.created").count()


@pytest.mark.parametrize(
    ("room", "name"),
    [(storing, "store_prepared"), (chunks, "put_refused"), (storing, "_write_part")],
)
def test_an_import_goes_on_where_it_was_killed_and_doubles_nothing(
    committed_db: OwnDatabase, at_harbor: Organisation, bring: Bring, room: Any, name: str
) -> None:
    """The part that was being written is as if it had never begun."""
    run = bring(rows(6))
    until(run, State.RUNNING)
    work.run_once(now=NOON)
    killed_after(room, name, at_harbor.pk)
    assert (ImportJob.objects.get(pk=run).next_chunk, living()) == (1, 2)
    work_off()
    row = ImportRun.objects.get(pk=run)
    assert (row.state, row.read, row.created) == (State.DONE, 6, 6)
    assert (living(), created(run)) == (6, 6)


def test_undoing_goes_on_where_it_was_killed(
    committed_db: OwnDatabase,
    at_harbor: Organisation,
    bring: Bring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(undoing, "PART", 2)
    run = bring(rows(5))
    work_off()
    undoing.begin(run, now=NOON)
    work.run_once(now=NOON)
    killed_after(undoing, "_remove", at_harbor.pk)
    assert living() == 3
    work_off()
    assert (living(), ImportJob.objects.get(pk=run).undone["removed"]) == (0, 5)
