"""Who acts: a member of staff, a machine with an API key, a named part of the system, a patient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Kind = Literal["staff", "api_key", "system", "patient"]


class NobodyActs(Exception):
    """Something that must be recorded was done while no actor was set."""


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is a user's or key's id, a system part's name, or a contact's id; never a name."""

    kind: Kind
    id: str


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Let everything inside be recorded as this actor's doing."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def current() -> Actor:
    """Return who acts, or raise NobodyActs."""
    actor = _current.get()
    if actor is None:
        raise NobodyActs("no actor is set: wrap the act in audit.actor.acting_as(Actor(...))")
    return actor
