"""One worker that does nothing but send: `python -m tests.chaos.worker`; killed by the tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import django

django.setup()

from marketing import loops  # noqa: E402


def work() -> None:
    while True:
        loops.run("dispatch", now=datetime.now(UTC))
        time.sleep(0.05)


if __name__ == "__main__":
    work()
