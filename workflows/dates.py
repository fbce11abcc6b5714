"""Who comes in by a date of their own: asked of the sealed columns once a day, for everybody.

Nobody's date is watched. At the trigger's time of day the question is put who has it today, so many
days on or back, and a date that was moved meanwhile is simply another day's.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from contacts.segments import evaluate
from workflows import audience, enrol
from workflows.entry import Trigger
from workflows.models import Enrolment
from workflows.versions import Published

CATCHES_UP = timedelta(days=7)
"""What was missed is made up for day by day, as far back as that."""


def asked_on(trigger: Trigger, day: date) -> dict[str, Any]:
    """Return the conditions, in the segment language, of whose day of the trigger this is."""
    theirs = day - timedelta(days=trigger.days)
    if trigger.yearly:
        return {"field": trigger.field, "op": "anniversary_within", "value": 0}
    return {
        "all": [
            {"field": trigger.field, "op": "on_or_after", "value": theirs.isoformat()},
            {
                "field": trigger.field,
                "op": "before",
                "value": (theirs + timedelta(days=1)).isoformat(),
            },
        ]
    }


def let_in(version: Published, comes_at: datetime, *, now: datetime) -> int:
    """Let in whose day it is at `comes_at`; return how many came.

    Once for each date, and never while inside: who is on the way has the timers of the way, which
    follow a date that was moved. Raises DefinitionInvalid where the field cannot be asked.
    """
    trigger = version.graph.trigger
    day = comes_at.astimezone(evaluate.zone()).date()
    asked = audience.approved(asked_on(trigger, day))
    # An anniversary is relative to the day on which it is asked: so it is asked on another.
    seen_from = comes_at - timedelta(days=trigger.days) if trigger.yearly else comes_at
    found = [int(one) for one in evaluate.members(asked, now=seen_from).contact_ids()]
    outside = set(found) - _inside(version, found)
    theirs = f"{day - timedelta(days=trigger.days):%Y-%m-%d}"
    return enrol.insert_people(version, [(one, theirs) for one in sorted(outside)], now=now)


def _inside(version: Published, contact_ids: Collection[int]) -> set[int]:
    waiting = Enrolment.objects.filter(
        workflow_id=version.workflow_id, state=Enrolment.State.WAITING
    )
    held = waiting.values_list("contact_id", flat=True)
    if len(contact_ids) < 10_000:
        held = held.filter(contact_id__in=list(contact_ids))
    return set(held)
