"""What moves people on, as processes of their own: `python -m tests.browser.workers`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import django

django.setup()

from marketing import loops  # noqa: E402

NAMES = ("live", "triggers", "runner", "dispatch")


def work() -> None:
    while True:
        for name in NAMES:
            loops.run(name, now=datetime.now(UTC))
        time.sleep(0.3)


if __name__ == "__main__":
    work()
