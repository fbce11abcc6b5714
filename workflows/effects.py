"""Do what the steps passed ask for, before anything is asked that may depend on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contacts import lists
from contacts.amending import amend
from contacts.facts import CLEAR
from workflows import enrol
from workflows.engine import Leave, Outcome
from workflows.journeys import Journey
from workflows.steps import Update

SOURCE = "workflow"


def apply(outcomes: Sequence[tuple[Journey, Outcome]], *, now: datetime) -> None:
    updates: dict[int, dict[str, object]] = defaultdict(dict)
    changes: dict[tuple[UUID, bool], list[int]] = defaultdict(list)
    onward: dict[UUID, list[int]] = defaultdict(list)
    for journey, outcome in outcomes:
        for effect in outcome.effects:
            if isinstance(effect, Update):
                updates[journey.contact_id] |= effect.values
                updates[journey.contact_id] |= dict.fromkeys(effect.clear, CLEAR)
            else:
                changes[effect.list_id, effect.add].append(journey.contact_id)
        if (there := _onward(outcome)) is not None:
            onward[there].append(journey.contact_id)
    _write(updates, changes, now=now)
    for workflow_id, people in onward.items():
        enrol.pass_on(workflow_id, people, now=now)


def _onward(outcome: Outcome) -> UUID | None:
    """Return the workflow that the exit sends the person on to."""
    left = outcome.stopped
    return left.exit.enter if isinstance(left, Leave) and left.exit else None


def _write(
    updates: dict[int, dict[str, object]],
    changes: dict[tuple[UUID, bool], list[int]],
    *,
    now: datetime,
) -> None:
    if updates:
        amend(updates, source=SOURCE, now=now)
    for (list_id, add), people in changes.items():
        if add:
            lists.add(list_id, people, now=now)
        else:
            lists.remove(list_id, people, now=now)
