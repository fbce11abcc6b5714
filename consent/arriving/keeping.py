"""Take Consents from another system into the ledger. Taking one again changes nothing (HD-12)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import actions, trail
from consent import fhir, ledger
from consent.arriving.models import ImportedConsent

RECEIVED_BY = "fhir"
actions.register("consent.imported", ("source", "permitted", "denied", "faults"))
actions.register("consent.import_reviewed", ())


@dataclass(frozen=True, slots=True)
class Taken:
    number: str
    outcome: str
    """recorded, unchanged, or ended."""
    authorizations: tuple[UUID, ...] = ()
    denied: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def take(
    resource: dict[str, Any], *, contact_id: int, source: str, zone: str, now: datetime
) -> Taken:
    """Record one Consent; another version of it takes the place of the former.

    A refusal that a former version named stays: only the person takes that back.
    """
    found = fhir.read(resource)
    sha256 = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).digest()
    with transaction.atomic():
        former = (
            ImportedConsent.objects.select_for_update()
            .filter(source=source, number=found.number, superseded_at=None)
            .first()
        )
        if former and bytes(former.sha256) == sha256:
            return _told(former, "unchanged")
        if former:
            _end(former, now=now)
        made = _record(found, sha256, contact_id=contact_id, source=source, zone=zone, now=now)
    return _told(made, "recorded" if found.active else "ended")


def _end(former: ImportedConsent, *, now: datetime) -> None:
    for one in former.authorizations:
        ledger.revoke(one, received_by=RECEIVED_BY, now=now)
    ImportedConsent.objects.filter(id=former.id).update(superseded_at=now)


def _record(
    found: fhir.Read, sha256: bytes, *, contact_id: int, source: str, zone: str, now: datetime
) -> ImportedConsent:
    endless = [one for one in found.permits if one.expires_on is None]
    faults = [*found.faults, *(["provision.period.end"] if endless else [])]
    signings = [
        ledger.Signing(
            contact_id,
            one.purposes,
            one.classes,
            one.signed_at,
            expires_on=one.expires_on,
            zone=zone,
        )
        for one in found.permits
        if one.expires_on is not None
    ]
    signed = ledger.record_authorizations(signings, received_by=RECEIVED_BY, now=now)
    for purpose in sorted(found.denied):
        ledger.opt_out(contact_id, purpose=purpose, received_by=RECEIVED_BY, now=now)
    made = ImportedConsent.objects.create(
        source=source,
        number=found.number,
        sha256=sha256,
        contact_id=contact_id,
        authorizations=signed,
        denied=sorted(found.denied),
        faults=[one[:120] for one in faults],
        received_at=now,
    )
    trail.record(
        "consent.imported",
        subject=f"contact:{contact_id}",
        detail={
            "source": RECEIVED_BY,
            "permitted": len(signed),
            "denied": len(found.denied),
            "faults": len(faults),
        },
    )
    return made


def review(imported_id: UUID, *, by: str, now: datetime) -> bool:
    """Record that somebody looked at what was not understood."""
    waiting = ImportedConsent.objects.filter(id=imported_id, reviewed_at=None)
    with transaction.atomic():
        done = waiting.update(reviewed_at=now, reviewed_by=by) == 1
        if done:
            trail.record("consent.import_reviewed", subject=f"imported_consent:{imported_id}")
    return done


def _told(row: ImportedConsent, outcome: str) -> Taken:
    return Taken(
        row.number, outcome, tuple(row.authorizations), tuple(row.denied), tuple(row.faults)
    )
