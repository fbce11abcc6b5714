"""Was consent withdrawn after these messages were claimed? Known before each one is handed over.

Whoever records a withdrawal notifies (consent.precedence); PostgreSQL delivers that when the
withdrawal commits, to a connection that does nothing but listen, so that the threads that hand
over may look while others use the database. Looking costs no statement: it reads what has arrived.
Only when something came for this organisation is the gate asked again, once for all that still
wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any

from django.db import connection
from psycopg import Connection

from accounts import tenancy
from consent.precedence import CHANNEL

Asked = Callable[[set[int]], Mapping[int, str]]
"""Given numbers of messages, return those that may not go any more, with the reason's code."""


@dataclass(slots=True)
class Watch:
    """Looks out for withdrawals; any thread may look."""

    organisation_id: int
    listening: Connection[Any]
    own: int = 0
    _heard: int = 0
    _lock: Lock = field(default_factory=Lock)

    def heard(self) -> int:
        """Return how many withdrawals came since the watch began."""
        raw = self.listening.pgconn
        with self._lock:
            raw.consume_input()
            while (told := raw.notifies()) is not None:
                ours = told.extra.decode() == str(self.organisation_id)
                self._heard += ours and told.be_pid != self.own
            return self._heard


@contextmanager
def watching() -> Iterator[Watch]:
    """Listen from before the claim until everything is handed over."""
    connection.ensure_connection()
    parameters = connection.get_connection_params()
    known = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "options")
    with Connection.connect(
        **{name: parameters[name] for name in known if name in parameters}, autocommit=True
    ) as listening:
        listening.execute(f"listen {CHANNEL}".encode())
        own = connection.connection.info.backend_pid
        yield Watch(tenancy.current(), listening, own)


@dataclass(slots=True)
class Slice:
    """The messages of one slice that still wait for their hand-over.

    Every slice asks for itself: what one heard while it was handed over concerns the next as well.
    """

    watch: Watch
    ask: Asked
    waiting: set[int]
    heard: int
    """Withdrawals that the watch had heard of before these were claimed: the gate knew of them."""
    recalled: dict[int, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _home: int = field(default_factory=get_ident)

    def stays(self, number: int) -> str:
        """Return why this one must not go after all; empty if it may. Any thread may ask."""
        with self._lock:
            if (heard := self.watch.heard()) > self.heard:
                self.heard = heard
                self.recalled |= self._asked()
            self.waiting.discard(number)
            return self.recalled.get(number, "")

    def _asked(self) -> Mapping[int, str]:
        """Ask the gate; a thread that lends itself for that gives its connection back."""
        try:
            return self.ask(set(self.waiting))
        finally:
            if get_ident() != self._home:
                connection.close()
