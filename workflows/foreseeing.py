"""Answer by which way a message would reach people, for the branches that ask it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from consent.gate import GateRequest
from messaging import foretelling
from workflows.steps import Foreseen

PATIENCE = timedelta(days=1)
"""A receiver that nobody could look up for so long is answered no: nobody waits for ever."""


def among(
    condition: Foreseen, contact_ids: Sequence[int], *, now: datetime
) -> dict[int, bool | None]:
    """Return for each whether one of the ways would be taken; None while it is looked up."""
    asked = GateRequest(0, condition.purpose, "email", condition.classes)
    found = foretelling.each(sorted(set(contact_ids)), asked, now=now)
    return {
        one: None if way == "looked_up" and way not in condition.ways else way in condition.ways
        for one, way in found.items()
    }
