"""What needs a person today: each a figure, what it means, and where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from accounts.models import User
from accounts.roles import Permission

Kind = Literal["bad", "warn", "info"]
MOST = 10_000
"""Figures stop here: past it, more is not more urgent."""


@dataclass(frozen=True)
class Matter:
    figure: int
    title: str
    text: str
    address: str
    action: str
    kind: Kind = "warn"


@dataclass(frozen=True)
class Watch:
    """A question asked of the database for those whose role may see the answer."""

    permission: Permission
    look: Callable[[datetime, User], Matter | None]


_watches: list[Watch] = []


def watches(permission: Permission) -> Callable[[Look], Look]:
    """Let a function put a matter on Home, for the roles that have the permission."""

    def add(look: Look) -> Look:
        _watches.append(Watch(permission, lambda now, user: look(now)))
        return look

    return add


def watches_for_reader(permission: Permission) -> Callable[[LookFor], LookFor]:
    """Like `watches`, where the answer depends on what its reader may see."""

    def add(look: LookFor) -> LookFor:
        _watches.append(Watch(permission, look))
        return look

    return add


Look = Callable[[datetime], Matter | None]
LookFor = Callable[[datetime, User], Matter | None]


def matters(user: User, *, now: datetime) -> list[Matter]:
    """Return what needs this person, the worst first."""
    order = ("bad", "warn", "info")
    found = (watch.look(now, user) for watch in _seen_by(user))
    return sorted((matter for matter in found if matter), key=lambda m: order.index(m.kind))


def _seen_by(user: User) -> Iterable[Watch]:
    return (watch for watch in _watches if user.may(watch.permission))


def told(count: int, words: tuple[str, str], text: str, where: str, kind: Kind) -> Matter | None:
    """Return the matter in its number, singular or plural; None where there is nothing."""
    if not count:
        return None
    return Matter(count, words[0] if count == 1 else words[1], text, where, "Look", kind)
