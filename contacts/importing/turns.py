"""Turns of the workers at one import: its parts are made ready side by side and written in order.

Who has a part, or a lane, holds a lock of PostgreSQL's until the transaction ends. A worker that is
killed loses its locks with its connection, so nothing of it is left to clear up.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b
from uuid import UUID

from django.db import connection


class Lane(Enum):
    """The first goes on as long as it may; the second helps where a worker is free."""

    FIRST = "first"
    SECOND = "second"


def enter(run: UUID, lane: Lane) -> bool:
    """Take the lane of this import, unless a worker is in it."""
    return _try(run, lane.value)


def take(run: UUID, start: int, end: int) -> int | None:
    """Take the first part of `start` to `end` (excluded) that nobody has; None where all are had.

    There are as many parts under way as lanes, so no more are asked for.
    """
    for number in range(start, min(end, start + len(Lane))):
        if _try(run, f"part {number}"):
            return number
    return None


def wait_for(run: UUID, number: int) -> None:
    """Wait until whoever has this part has written it, or failed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_key(run, f"part {number}")])


def _try(run: UUID, what: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_key(run, what)])
        return bool(cursor.fetchone()[0])


def _key(run: UUID, what: str) -> int:
    digest = blake2b(run.bytes + what.encode(), digest_size=8, person=b"import").digest()
    return int.from_bytes(digest, signed=True)
