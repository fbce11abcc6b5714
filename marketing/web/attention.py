"""What needs a person today: each a figure, what it means, and where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from accounts.models import User
from accounts.roles import Permission

Kind = Literal["bad", "warn", "info"]


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
    look: Callable[[datetime], Matter | None]


_watches: list[Watch] = []


def watches(permission: Permission) -> Callable[[Look], Look]:
    """Let a function put a matter on Home, for the roles that have the permission."""

    def add(look: Look) -> Look:
        _watches.append(Watch(permission, look))
        return look

    return add


Look = Callable[[datetime], Matter | None]


def matters(user: User, *, now: datetime) -> list[Matter]:
    """Return what needs this person, the worst first."""
    order = ("bad", "warn", "info")
    found = (watch.look(now) for watch in _seen_by(user))
    return sorted((matter for matter in found if matter), key=lambda m: order.index(m.kind))


def _seen_by(user: User) -> Iterable[Watch]:
    return (watch for watch in _watches if user.may(watch.permission))
