"""The organisation's table of allowed ways: versions, and a second person for what weakens it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import trail
from audit.actor import current
from messaging.protect import DEMANDS, EVERY, NO_TABLE, By, Table
from messaging.protection.models import ProtectionPolicy

State = ProtectionPolicy.State


class PolicyInvalid(ValueError):
    """A table says what none may say; `faults` are sentences."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        super().__init__(" ".join(faults))


class NotYours(Exception):
    """Whoever proposed a version may not approve it; somebody else must look at it."""


def table_of(rows: Iterable[Mapping[str, Any]]) -> Table:
    return Table(
        {(row["purpose"], row["class"]): tuple(By(one) for one in row["ways"]) for row in rows}
    )


def rows_of(table: Table) -> list[dict[str, Any]]:
    return [
        {"purpose": purpose, "class": name, "ways": [one.value for one in ways]}
        for (purpose, name), ways in sorted(table.rows.items())
    ]


def in_force() -> Table:
    row = ProtectionPolicy.objects.filter(state=State.LIVE).first()
    return table_of(row.rows) if row else NO_TABLE


@transaction.atomic
def propose(table: Table, *, now: datetime) -> ProtectionPolicy:
    """Put a table in force at once, or before a second person where it weakens; PolicyInvalid."""
    from messaging.models import PURPOSES

    purposes = {name for name, _ in PURPOSES} | {EVERY}
    faults = table.faults()
    faults += [
        f"{purpose}, {name}: there is no such purpose or class."
        for purpose, name in table.rows
        if purpose not in purposes or name not in DEMANDS
    ]
    if faults:
        raise PolicyInvalid(faults)
    newest = ProtectionPolicy.objects.select_for_update().first()
    weakens = table.weakens(in_force())
    ProtectionPolicy.objects.filter(state=State.PROPOSED).update(state=State.REPLACED)
    row = ProtectionPolicy.objects.create(
        number=newest.number + 1 if newest else 1,
        rows=rows_of(table),
        state=State.PROPOSED,
        weakens=weakens,
        proposed_by=current().id,
        proposed_at=now,
    )
    facts = {"version": row.number, "weakens": weakens}
    trail.record("protection.proposed", subject=f"protection:{row.pk}", detail=facts)
    if not weakens:
        _enforce(row, now=now)
    return row


@transaction.atomic
def decide(version_id: UUID, *, approve: bool, now: datetime) -> ProtectionPolicy:
    """Approve or refuse a proposed version; raises NotYours, or DoesNotExist when it is none."""
    rows = ProtectionPolicy.objects.select_for_update().filter(state=State.PROPOSED)
    row = rows.get(pk=version_id)
    if not approve:
        row.state, row.decided_by, row.decided_at = State.REFUSED, current().id, now
        row.save(update_fields=["state", "decided_by", "decided_at"])
        trail.record(
            "protection.refused", subject=f"protection:{row.pk}", detail={"version": row.number}
        )
        return row
    if row.proposed_by == current().id:
        raise NotYours(NotYours.__doc__)
    _enforce(row, now=now)
    return row


def _enforce(row: ProtectionPolicy, *, now: datetime) -> None:
    ProtectionPolicy.objects.filter(state=State.LIVE).update(state=State.REPLACED)
    row.state, row.decided_by, row.decided_at = State.LIVE, current().id, now
    row.save(update_fields=["state", "decided_by", "decided_at"])
    facts = {"version": row.number, "weakens": row.weakens}
    trail.record("protection.changed", subject=f"protection:{row.pk}", detail=facts)
