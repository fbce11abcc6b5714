"""Who lives with someone for whom a question holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import numpy as np

from contacts import households, registry
from contacts.segments.nodes import Definition, Household
from contacts.segments.opened_events import Found

Ask = Callable[[Definition, Sequence[int] | None, datetime], Collection[int]]
"""Evaluates a question for these contacts, or for everyone; returns the ids for whom it holds."""


def find(clause: Household, *, now: datetime, among: Sequence[int] | None, ask: Ask) -> Found:
    """Evaluate the question for everyone, or for those who live with `among`; then go home."""
    asked = Definition(clause.part, None, registry.current())
    mates = None if among is None else sorted(households.mates_of(among))
    holding = ask(asked, mates, now)
    return Found(np.array(sorted(households.mates_of(holding)), np.int64))
