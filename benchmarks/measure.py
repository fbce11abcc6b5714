"""Rows, interleaved medians and peak memory."""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Row:
    """One result. `ratio` is work over limit, of rates or of times as DESIGN.md section 5 says."""

    name: str
    n: int
    seconds: float
    limit: float
    """The limit measured in the same run: its seconds for the same n, or its rate."""
    kind: Literal["time", "rate"] = "rate"
    peak_mb: float = 0.0

    @property
    def rate(self) -> float:
        return self.n / self.seconds if self.seconds else 0.0

    @property
    def ratio(self) -> float:
        if not self.limit:
            return 0.0
        return (self.seconds if self.kind == "time" else self.rate) / self.limit

    def line(self) -> str:
        figures = {
            "name": self.name,
            "n": self.n,
            "seconds": _short(self.seconds),
            "rate": _short(self.rate),
            "limit": _short(self.limit),
            "ratio": _short(self.ratio),
            "peak_mb": round(self.peak_mb, 1),
        }
        return json.dumps(figures)


@dataclass(frozen=True)
class Interleaved:
    """Median seconds of the work and of its limit, each limit taken right before its work."""

    work: float
    limit: float


def seconds(act: Callable[[], Any]) -> float:
    """Return how long one call takes, with no garbage collection in the midst of it."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began
    finally:
        gc.enable()


def interleave(
    work: Callable[[], Any], limit: Callable[[], Any], *, rounds: int = 5, warm_up: int = 1
) -> Interleaved:
    """Take turns, so that a machine that slows down slows both."""
    for _ in range(warm_up):
        limit()
        work()
    pairs = [(seconds(limit), seconds(work)) for _ in range(rounds)]
    return Interleaved(
        work=statistics.median(pair[1] for pair in pairs),
        limit=statistics.median(pair[0] for pair in pairs),
    )


@dataclass
class Peak:
    """Resident memory of this process, in MB."""

    before: float
    highest: float

    @property
    def grown_mb(self) -> float:
        return max(0.0, self.highest - self.before)


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Find the highest resident memory while the block runs. The kernel keeps the mark itself."""
    _forget_highest()
    peak = Peak(_resident("VmRSS"), 0.0)
    try:
        yield peak
    finally:
        peak.highest = _resident("VmHWM")


def _forget_highest() -> None:
    with suppress(OSError):  # another system than Linux: the mark is of the whole process then
        Path("/proc/self/clear_refs").write_text("5")


def _resident(mark: str) -> float:
    """Return VmRSS (now) or VmHWM (the highest); the highest for both where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
    (line,) = (line for line in lines if line.startswith(f"{mark}:"))
    return int(line.split()[1]) / 1024


def _short(value: float) -> float:
    """Return four significant digits."""
    return float(f"{value:.4g}")
