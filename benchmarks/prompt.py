"""The product's own worker for what answers promptly, woken through a broker as in production."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contacts.segments.live import wake
from deploy.broker import EmbeddedBroker

PATIENCE = 80.0
"""Seconds for the worker to start."""


@contextmanager
def broker() -> Iterator[None]:
    """Let wake-ups be taken, as on every installation; without it each try costs seconds."""
    served = EmbeddedBroker(Path(os.environ["BROKER_URL"].removeprefix("redis+socket://")).parent)
    served.start()
    try:
        yield
    finally:
        served.stop_any()


@contextmanager
def prompt_worker(ready: Callable[[], bool]) -> Iterator[None]:
    """Start it, and go on once `ready` says that it looks."""
    from marketing.apps import ring
    from marketing.tasks import look

    command = [sys.executable, "-m", "celery", "-A", "marketing.celery", "--quiet", "worker"]
    command += ["--pool", "prefork", "--concurrency", "1", "-Q", "prompt"]
    with broker():
        worker = subprocess.Popen(command, env=dict(os.environ), start_new_session=True)
        wake.register(ring)
        stop = threading.Event()
        ticks = threading.Thread(target=_tick, args=(look, stop))
        ticks.start()
        try:
            _until(ready)
            yield
        finally:
            wake.register(None)
            stop.set()
            ticks.join()
            worker.terminate()
            worker.wait(20)


def _until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise RuntimeError("the worker does not look")
        time.sleep(0.2)


def _tick(look: Any, stop: threading.Event) -> None:
    """What the scheduler does."""
    while not stop.wait(1.0):
        look.apply_async(queue="prompt", expires=2)
