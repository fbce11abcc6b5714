"""What the broker may ask for: one look of one loop."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.db import close_old_connections

from marketing import loops
from marketing.celery import app

PAUSE = 0.1
"""Seconds."""


@app.task(name="marketing.tick")
def tick(loop: str) -> None:
    """Let the loop do what is due, for every organisation."""
    close_old_connections()  # one that broke, or whose server has started anew since
    loops.run(loop, now=datetime.now(UTC))


@app.task(name="marketing.look")
def look() -> None:
    """Follow what has just changed, let in or wake whom that concerns, and move them on, without
    waiting for a tick.

    Under a stream of changes a short pause lets each look take many of them in. It comes first, and
    is no shorter than the rest of the bell (`wake`): whose bell was not heard any more is seen too.
    """
    close_old_connections()
    time.sleep(PAUSE)
    for loop in ("live", "triggers", "react"):
        loops.run(loop, now=datetime.now(UTC))
