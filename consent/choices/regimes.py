"""Which law a person's data falls under: HIPAA for patients, consumer law for leads of the web."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from audit import actions, trail
from consent.models import Regime
from contacts import events, persons

BECAME_PATIENT = "contact.became_patient"
"""The event that ends what was agreed to as a consumer: a patient signs an authorization."""

actions.register("regime.began", ("regime", "source"))


def of(contact_ids: Collection[int], *, at: datetime) -> dict[int, str]:
    """Return each person's regime at a moment.

    Without a word it is HIPAA's; a person who is several contacts is a patient if one of them is.
    """
    families = persons.ids_of(contact_ids)
    everyone = {one for family in families.values() for one in family}
    rows = Regime.objects.filter(contact_id__in=everyone, since__lte=at).order_by("since", "id")
    latest = dict(rows.values_list("contact_id", "regime"))
    found = {}
    for one, family in families.items():
        each = {latest.get(member, Regime.Kind.HIPAA.value) for member in family}
        found[one] = next(kind for kind in Regime.Kind.values if kind in each)
    return found


@transaction.atomic
def begin(contact_id: int, regime: str, *, reason: str, now: datetime) -> bool:
    """Begin a regime for one contact; the ones before stay as history. Say if it is new."""
    kind = Regime.Kind(regime)
    last = Regime.objects.filter(contact_id=contact_id).order_by("since", "id").last()
    if (last.regime if last else Regime.Kind.HIPAA) == kind:
        return False
    Regime.objects.create(contact_id=contact_id, regime=kind, since=now, reason=reason)
    trail.record(
        "regime.began",
        subject=f"contact:{contact_id}",
        detail={"regime": kind.value, "source": reason},
    )
    if kind is Regime.Kind.HIPAA:
        became = events.NewEvent(
            contact_id=contact_id, kind=BECAME_PATIENT, occurred_at=now, source="consent"
        )
        events.write_own([became], now=now)
    return True


def become_patient(contact_id: int, *, reason: str, now: datetime) -> bool:
    family = persons.ids_of([contact_id])[contact_id]
    began = [begin(one, Regime.Kind.HIPAA, reason=reason, now=now) for one in family]
    return any(began)
