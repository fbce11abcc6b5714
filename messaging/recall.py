"""Was consent withdrawn after these messages were claimed? Known before each one is handed over.

Whoever records a withdrawal notifies (consent.precedence); PostgreSQL delivers that when the
withdrawal commits. Looking costs no statement: it reads what has arrived on the connection. Only
when something came for this organisation is the gate asked again, once for all that still wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import connection
from psycopg import Notify
from psycopg.pq import TransactionStatus

from accounts import tenancy
from consent.precedence import CHANNEL

Asked = Callable[[set[int]], Mapping[int, str]]
"""Given numbers of messages, return those that may not go any more, with the reason's code."""


@dataclass(slots=True)
class Watch:
    """Looks out for withdrawals on this process's connection."""

    organisation_id: int
    came: bool = False
    _own: int = field(default=0)

    def hear(self, notify: Notify) -> None:
        if notify.payload == str(self.organisation_id) and notify.pid != self._own:
            self.came = True

    def look(self) -> bool:
        """Say whether a withdrawal came since the last look."""
        raw = connection.connection
        if raw is not None and raw.info.transaction_status == TransactionStatus.IDLE:
            raw.pgconn.consume_input()
            while (told := raw.pgconn.notifies()) is not None:
                payload = told.extra.decode()
                self.hear(Notify(told.relname.decode(), payload, told.be_pid))
        came, self.came = self.came, False
        return came


@contextmanager
def watching() -> Iterator[Watch]:
    """Listen from before the claim until everything is handed over."""
    watch = Watch(tenancy.current())
    with connection.cursor() as cursor:
        cursor.execute(f"listen {CHANNEL}")
    raw = connection.connection
    watch._own = raw.info.backend_pid
    raw.add_notify_handler(watch.hear)
    try:
        yield watch
    finally:
        if not raw.closed:
            raw.remove_notify_handler(watch.hear)


@dataclass(slots=True)
class Slice:
    """The messages of one slice that still wait for their hand-over."""

    watch: Watch
    ask: Asked
    waiting: set[int]
    recalled: dict[int, str] = field(default_factory=dict)

    def stays(self, number: int) -> str:
        """Return why this one must not go after all; empty if it may."""
        if self.watch.look():
            self.recalled |= self.ask(self.waiting)
        self.waiting.discard(number)
        return self.recalled.get(number, "")
