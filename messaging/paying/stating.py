"""State who pays for a campaign or a step; read it for many messages with one statement (PR-02).

What the template says counts as well: the gate is told every payment, and one that makes the
message marketing is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import actions, actor, trail
from consent.purposes import Remuneration
from messaging.paying.models import SendPayment

actions.register("payment.stated", ("step", "kind"))
Payments = tuple[Remuneration, ...]
NONE: Payments = ()


class PaymentInvalid(ValueError):
    """A payment that would decide nothing; the text names the field and what to do."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Who pays, by what sends the message and its step."""

    rows: Mapping[tuple[UUID, str], Payments] = field(default_factory=dict)

    def of(self, source: UUID, step: str) -> Payments:
        if not self.rows:
            return NONE
        return self.rows.get((source, ""), NONE) + (
            self.rows.get((source, step), NONE) if step else NONE
        )


def state(source: UUID, paid: Remuneration, *, step: str = "", now: datetime) -> SendPayment:
    """Put on record that somebody pays; raises `PaymentInvalid`."""
    if not paid.payer.strip():
        raise PaymentInvalid("payer: say who pays")
    if not paid.product_of.strip():
        raise PaymentInvalid("product_of: say whose product it describes; it may be the payer's")
    with transaction.atomic():
        made = SendPayment.objects.create(
            source=source,
            step=step,
            paid=paid.stored(),
            stated_by=actor.current().id,
            stated_at=now,
        )
        trail.record(
            "payment.stated",
            subject=f"source:{source}",
            detail={"step": step or "all", "kind": paid.kind},
        )
    return made


def of_sources(sources: Collection[UUID]) -> Stated:
    """Return what was stated of these; one statement, whatever their number."""
    found: dict[tuple[UUID, str], list[Remuneration]] = defaultdict(list)
    rows = SendPayment.objects.filter(source__in=set(sources)).order_by("id")
    for source, step, paid in rows.values_list("source", "step", "paid"):
        if (one := Remuneration.read(paid)) is not None:
            found[source, step].append(one)
    return Stated({key: tuple(these) for key, these in found.items()})


def carry(source: UUID, *, to: UUID) -> None:
    """Let what was stated of a campaign hold for a run of it."""
    rows = SendPayment.objects.filter(source=source).order_by("id")
    SendPayment.objects.bulk_create(
        SendPayment(
            source=to,
            step=one.step,
            paid=one.paid,
            stated_by=one.stated_by,
            stated_at=one.stated_at,
        )
        for one in rows
    )
