"""Identifiers that sort by time, so that new rows land at the end of an index."""

from __future__ import annotations

import os
import time
from datetime import datetime
from uuid import UUID

_RANDOM = (1 << 80) - 1 & ~(0xF << 76) & ~(0x3 << 62)
"""The bits that neither the time nor the version and variant take."""


def uuid7(*, now: datetime | None = None) -> UUID:
    """Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    return uuids7(1, now=now)[0]


def uuids7(count: int, *, now: datetime | None = None) -> list[UUID]:
    """Return many; their random bits are asked for together."""
    milliseconds = int(now.timestamp() * 1000) if now else time.time_ns() // 1_000_000
    fixed = milliseconds << 80 | 0x7 << 76 | 0x2 << 62
    random = os.urandom(10 * count)
    return [
        UUID(int=fixed | int.from_bytes(random[at : at + 10]) & _RANDOM)
        for at in range(0, len(random), 10)
    ]
