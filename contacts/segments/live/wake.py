"""Have the followers look at once. Losing a wake-up costs one tick, never a change.

The roof registers how (a message without content to a worker); below it nobody knows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import transaction

logger = logging.getLogger(__name__)

AT_MOST_EVERY: Final = 0.1
"""Seconds between two wake-ups by one process: one look finds everything there is."""
REST: Final = 10.0
"""Seconds without wake-ups after one failed: the tick goes on, and nobody waits for a broker."""


class _Bell:
    def __init__(self) -> None:
        self.ring: Callable[[], None] | None = None
        self.not_before = 0.0
        self.ringing = False

    def sound(self) -> None:
        moment = time.monotonic()
        if self.ring is None or self.ringing or moment < self.not_before:
            return
        self.not_before, self.ringing = moment + AT_MOST_EVERY, True
        # Beside the request: a client that finds no broker tries for seconds before it gives up.
        threading.Thread(target=self._ring, args=(self.ring,), daemon=True).start()

    def _ring(self, ring: Callable[[], None]) -> None:
        try:
            ring()
        except Exception:
            self.not_before = time.monotonic() + REST
            logger.warning("no wake-up for live segments: the broker does not take messages")
        finally:
            self.ringing = False


_bell = _Bell()


def register(ring: Callable[[], None] | None) -> None:
    """Say how followers are woken; None for not at all."""
    _bell.ring = ring


def soon() -> None:
    """Wake the followers once the current transaction is committed."""
    if _bell.ring is not None:
        transaction.on_commit(_bell.sound)
