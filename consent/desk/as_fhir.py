"""A person's authorizations as a Bundle of FHIR R4 Consents (HD-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts.models import Organisation
from consent import fhir
from consent.desk import history, part2
from consent.desk.history import Agreement


def of_person(
    contact_id: int, *, patient: str, organisation: Organisation, now: datetime
) -> dict[str, Any]:
    """Return the Bundle; with substance use records go the notice and the consent (PR-31)."""
    found = history.of_person(contact_id, now=now).agreements
    notice = part2.accompaniment([one.authorization for one in found], now=now)
    return fhir.bundle(
        [_consent(one, patient=patient, name=organisation.name, notice=notice) for one in found]
    )


def _consent(one: Agreement, *, patient: str, name: str, notice: list[str]) -> dict[str, Any]:
    row = one.authorization
    version = row.form_version
    made = fhir.write(
        number=str(row.id),
        patient=patient,
        organisation=name,
        purposes=row.purposes,
        classes=row.classes,
        signed_at=row.signed_at,
        received_at=row.received_at,
        expires_on=row.expires_on,
        active=one.state == "live",
        text=str(version or ""),
        text_sha256=version.checksum if version else "",
    )
    if notice and part2.LABEL in row.classes:
        made["extension"] = [{"url": f"{fhir.OURS}:part2", "valueString": " ".join(notice)}]
    return made
