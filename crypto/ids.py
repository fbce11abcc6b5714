"""Identifiers that sort by time, so that new rows land at the end of an index."""

from __future__ import annotations

import os
import time
from datetime import datetime
from uuid import UUID


def uuid7(*, now: datetime | None = None) -> UUID:
    """Return a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000) if now else time.time_ns() // 1_000_000
    number = milliseconds << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
