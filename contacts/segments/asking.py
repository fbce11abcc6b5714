"""A count that gives way: it has a time limit, and a newer question of the same page stops it.

Whoever types asks many questions and wants the last one answered. Each question holds an advisory
lock named by the page and the question's turn. A newer turn cancels the statement of an older one
at once, and an older one that is between statements sees the newer lock before its next block.
Locks are shared memory: they are seen through any snapshot, and end with the transaction.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import OperationalError, connection

LIMIT = 8.0
"""Seconds after which a count is given up; a saved segment is counted in the background."""
_LOOK_EVERY = 0.05


class Overtaken(Exception):
    """A newer question came: nobody waits for this answer."""


class TooSlow(Exception):
    """The count took longer than its limit."""


@dataclass(slots=True)
class Turn:
    """One question of one page; call it at the start of the transaction and between blocks."""

    page: int
    number: int
    limit: float = LIMIT
    started: float = field(default_factory=time.monotonic)
    looked: float | None = None

    @classmethod
    def of(cls, asker: str, page: str, number: int, *, limit: float = LIMIT) -> Turn:
        """`asker` keeps one person's pages apart from another's."""
        digest = hashlib.blake2b(f"{asker}\0{page}".encode(), digest_size=4).digest()
        return cls(
            int.from_bytes(digest, "big", signed=True), min(max(number, 0), 2**31 - 1), limit
        )

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.started > self.limit:
            raise TooSlow
        if self.looked is None:
            self._begin()
        elif now - self.looked > _LOOK_EVERY and self._newer():
            raise Overtaken
        else:
            return
        self.looked = now

    def _begin(self) -> None:
        with connection.cursor() as cursor:
            milliseconds = max(int(self.limit * 1000), 1)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [self.page, self.number])
            cursor.execute(_CANCEL_OLDER, [self.page, self.number])
        if self._newer():
            raise Overtaken

    def _newer(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_NEWER, [self.page, self.number])
            return bool(cursor.fetchone()[0])


_HELD = """
locktype = 'advisory' and objsubid = 2 and granted and pid <> pg_backend_pid()
and database = (select oid from pg_database where datname = current_database())
and classid::int8 = (%s::int8 & 4294967295)
"""
_CANCEL_OLDER = f"""
select pg_cancel_backend(pid) from pg_locks where {_HELD} and objid::int8 < %s
"""
_NEWER = f"select exists (select from pg_locks where {_HELD} and objid::int8 > %s)"


@contextmanager
def giving_way(turn: Turn) -> Iterator[Turn]:
    """Turn a cancelled statement into the reason for it, and leave no time limit behind."""
    try:
        yield turn
    except OperationalError as stopped:
        if getattr(stopped.__cause__, "sqlstate", "") != "57014":
            raise
        late = time.monotonic() - turn.started > turn.limit - 0.1
        raise (TooSlow if late else Overtaken) from stopped
    finally:
        if connection.in_atomic_block and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
