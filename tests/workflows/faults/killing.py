"""Die at the k-th thing that is said to the database: each statement, each copy, each commit."""

from __future__ import annotations

import itertools
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.db import connections

from accounts import tenancy
from audit.actor import Actor, acting_as

PATIENCE = 400
"""More statements than any turn has; a loop that never comes to its end fails."""


def killed_at_every_statement(
    act: Callable[[], object], *, organisation: int, step: int = 1
) -> Iterator[int]:
    """Run `act` in a process of its own again and again, killed at its 1st, 2nd, 3rd ... statement.

    Yields after each kill, so that the caller looks at what is left; ends once a process came
    through alive. A commit counts twice: killed before it, and after it where nobody knows of it.
    `step` leaves out all but each step-th place, and never the first process that comes through.
    """
    for place in itertools.count(1, step):
        assert place < PATIENCE, "the work never came to an end"
        connections.close_all()
        child = os.fork()
        if child == 0:
            _die_at(place, act, organisation)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, "the work failed instead of being killed"
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield place


def _die_at(place: int, act: Callable[[], object], organisation: int) -> None:
    said = itertools.count(1)

    def speak() -> None:
        if next(said) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("execute", "executemany", "copy", "stream"):
        setattr(psycopg.Cursor, name, _after(speak, getattr(psycopg.Cursor, name)))
    commit = psycopg.Connection.commit

    def told(self: Any) -> None:
        speak()
        commit(self)
        speak()

    psycopg.Connection.commit = told  # type: ignore[method-assign]
    try:
        with acting_as(Actor("system", "test")), tenancy.acting_for(organisation):
            act()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _after(speak: Callable[[], None], whole: Callable[..., Any]) -> Callable[..., Any]:
    def part(*args: Any, **kwargs: Any) -> Any:
        speak()
        return whole(*args, **kwargs)

    return part
