"""The rule files beside this module, read once; the latest in force at a moment decides."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from consent import rulebook
from consent.rulebook import Rules


@lru_cache(maxsize=1)
def every() -> tuple[Rules, ...]:
    """Return every version, the oldest first."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    read = [rulebook.read(tomllib.loads(one.read_text("utf-8"))) for one in files]
    return tuple(sorted(read, key=lambda one: one.since))


def at(now: datetime) -> Rules:
    """Return the version in force at that moment; before the first one, the first."""
    in_force = [one for one in every() if rulebook.in_force(one.since, now)]
    return in_force[-1] if in_force else every()[0]
