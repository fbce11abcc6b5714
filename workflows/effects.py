"""Do what the steps passed ask for, before anything is asked that may depend on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contacts import lists
from contacts.amending import More, amend
from contacts.facts import CLEAR
from workflows import enrol, writing_back
from workflows.asks import Effect, Leave, Outcome
from workflows.journeys import Journey
from workflows.steps import ListChange, Update, WriteBack

SOURCE = "workflow"


def apply(outcomes: Sequence[tuple[Journey, Outcome]], *, now: datetime) -> None:
    onward: dict[UUID, list[int]] = defaultdict(list)
    for journey, outcome in outcomes:
        if (there := _onward(outcome)) is not None:
            onward[there].append(journey.contact_id)
    done = [(journey, one) for journey, outcome in outcomes for one in outcome.effects]
    _write([(journey.contact_id, one) for journey, one in done], now=now)
    said = [_said(journey, one) for journey, one in done if isinstance(one, WriteBack)]
    if said:
        writing_back.write(said, now=now)
    for workflow_id, people in onward.items():
        enrol.pass_on(workflow_id, people, now=now)


def _said(journey: Journey, step: WriteBack) -> writing_back.Said:
    return writing_back.Said(
        enrolment_id=journey.id,
        version_id=journey.version.id,
        contact_id=journey.contact_id,
        node=step.id,
        event=step.event,
        about=step.about,
    )


def _onward(outcome: Outcome) -> UUID | None:
    """Return the workflow that the exit sends the person on to."""
    left = outcome.stopped
    return left.exit.enter if isinstance(left, Leave) and left.exit else None


def _write(done: Sequence[tuple[int, Effect]], *, now: datetime) -> None:
    updates: dict[int, dict[str, object]] = defaultdict(dict)
    changes: dict[tuple[UUID, bool], list[int]] = defaultdict(list)
    for contact_id, effect in done:
        if isinstance(effect, Update):
            updates[contact_id] |= effect.values
            updates[contact_id] |= dict.fromkeys(effect.clear, CLEAR)
            for key, amount in effect.add.items():
                updates[contact_id][key] = _sum(updates[contact_id].get(key), amount)
        elif isinstance(effect, ListChange):
            changes[effect.list_id, effect.add].append(contact_id)
    if updates:
        amend(updates, source=SOURCE, now=now)
    for (list_id, add), people in changes.items():
        if add:
            lists.add(list_id, people, now=now)
        else:
            lists.remove(list_id, people, now=now)


def _sum(before: object, amount: int) -> object:
    """Several steps of one turn may touch the same number: what the one set, the next adds to."""
    if isinstance(before, More):
        return More(before.amount + amount)
    if before is None:
        return More(amount)
    return amount if before is CLEAR else float(str(before)) + amount
