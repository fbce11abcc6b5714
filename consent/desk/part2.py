"""What must go along with substance use records that leave the house (42 CFR 2.32, PR-31)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from consent.models import Authorization, Part2Consent
from consent.question import Part2Facts
from contacts import persons

LABEL = "substance_use"
NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."


class NotAccompanied(ValueError):
    """A row that names substance use has no consent under Part 2 to go along with it."""


def accompaniment(rows: Sequence[Authorization], *, now: datetime) -> list[str]:
    """Return the notice and an explanation of each consent, or nothing where no row is labelled.

    Raise NotAccompanied where one is labelled and the person has no live consent under Part 2.
    """
    labelled = {row.contact_id for row in rows if LABEL in row.classes}
    if not labelled:
        return []
    consents = _live(labelled, now=now)
    missing = len(labelled - set(consents))
    if missing:
        raise NotAccompanied(
            f"{missing} of these people have substance use records named and no live consent under "
            "42 CFR Part 2: record it, or filter those rows out"
        )
    told = [_explained(one) for contact_id in sorted(consents) for one in consents[contact_id]]
    return [NOTICE, *dict.fromkeys(told)]


def _live(people: set[int], *, now: datetime) -> dict[int, list[Part2Consent]]:
    families = persons.ids_of(people)
    rows = Part2Consent.objects.filter(
        contact_id__in={one for family in families.values() for one in family}
    ).order_by("id")
    of_contact: dict[int, list[Part2Consent]] = defaultdict(list)
    for row in rows:
        if Part2Facts(
            row.signed_at, frozenset(row.purposes), row.expires_on, row.zone, row.ended_at
        ).live(now):
            of_contact[row.contact_id].append(row)
    found = {
        one: [row for member in family for row in of_contact[member]]
        for one, family in families.items()
    }
    return {one: kept for one, kept in found.items() if kept}


def _explained(one: Part2Consent) -> str:
    purposes = ", ".join(one.purposes) or "treatment, payment and health care operations"
    until = one.expires_on.isoformat() if one.expires_on else "withdrawn"
    return (
        f"Consent {one.id} under 42 CFR 2.31, signed {one.signed_at:%Y-%m-%d}, "
        f"for {purposes}, until {until}."
    )
