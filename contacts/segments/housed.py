"""Who lives with someone for whom a question holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from contacts import registry
from contacts.segments.nodes import Definition, Household
from contacts.segments.opened_events import Found


def find(clause: Household, *, now: datetime, among: Sequence[int] | None) -> Found:
    """Evaluate the question for everyone, or for those who live with `among`; then go home."""
    # Both stand above this room: the evaluator asks here, and households tell of their changes.
    from contacts import households
    from contacts.segments import evaluate

    asked = Definition(clause.part, None, registry.current())
    if among is None:
        holding = set(evaluate.members(asked, now=now).contact_ids())
    else:
        holding = evaluate.among(asked, households.mates_of(among), now=now)
    return Found(np.array(sorted(households.mates_of(holding)), np.int64))
