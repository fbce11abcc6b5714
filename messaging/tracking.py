"""Whether a person lets opens and clicks be measured: a choice of its own (TR-04)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from consent import ledger
from consent.models import OptOut

TOPIC = "tracking"


def declined(contact_ids: Collection[int]) -> set[int]:
    """Return those who said no: their mail has no picture and direct links."""
    said_no = OptOut.objects.filter(contact_id__in=contact_ids, topic=TOPIC, lifted_at=None)
    return {number for number in said_no.values_list("contact_id", flat=True) if number}


def decline(contact_id: int, *, now: datetime) -> None:
    ledger.opt_out(contact_id, topic=TOPIC, received_by="link", now=now)
