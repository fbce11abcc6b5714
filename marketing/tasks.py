"""What the broker may ask for: one look of one loop."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import close_old_connections

from marketing import loops
from marketing.celery import app

PAUSE = 0.1
"""Seconds from the end of one look to the next."""
_rested = 0.0
"""When this worker may look again, on its own clock."""


@app.task(name="marketing.tick")
def tick(loop: str) -> None:
    """Let the loop do what is due, for every organisation."""
    close_old_connections()  # one that broke, or whose server has started anew since
    loops.run(loop, now=datetime.now(UTC))


@app.task(name="marketing.look")
def look() -> None:
    """Follow what has just changed, let in or wake whom that concerns, and move them on, without
    waiting for a tick.

    Under a stream of changes a short pause between two looks lets each take many of them in; the
    first change after a rest is looked at at once.
    """
    global _rested  # noqa: PLW0603 - a worker's process takes one look at a time
    close_old_connections()
    time.sleep(max(0.0, _rested - time.monotonic()))
    for loop in ("live", "triggers", "react"):
        loops.run(loop, now=datetime.now(UTC))
    _rested = time.monotonic() + PAUSE
