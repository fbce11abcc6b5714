"""One person's consent from the first word to the last: what was signed, for what, until when.

A person may be several contacts after merges; what was signed by any of them is told of the person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from consent import report
from consent.models import Authorization, Entry, FormVersion, OptOut, Part2Consent, Restriction
from consent.signing import wording
from consent.signing.models import Copy, Defect, Signature
from contacts import persons


@dataclass(frozen=True, slots=True)
class Agreement:
    """One authorization with its text, its signature and its end."""

    authorization: Authorization
    state: str
    ends_at: datetime | None
    document: wording.Document | None
    intact: bool
    """The kept text has the checksum that it was signed by."""
    signature: Signature | None
    copies: tuple[Copy, ...]
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """All that is on record about one person's consent."""

    ids: tuple[int, ...]
    agreements: tuple[Agreement, ...]
    opt_outs: tuple[OptOut, ...]
    restrictions: tuple[Restriction, ...]
    part2: tuple[Part2Consent, ...]
    acts: tuple[Entry, ...]


def of_person(contact_id: int, *, now: datetime) -> Whole:
    """Return the person's history; agreements and acts in the order in which they came."""
    ids = persons.ids_of([contact_id])[contact_id]
    return Whole(
        ids=ids,
        agreements=tuple(_agreements(ids, now=now)),
        opt_outs=tuple(OptOut.objects.filter(contact_id__in=ids).order_by("received_at")),
        restrictions=tuple(Restriction.objects.filter(contact_id__in=ids).order_by("id")),
        part2=tuple(
            Part2Consent.objects.filter(contact_id__in=ids)
            .select_related("form_version")
            .order_by("id")
        ),
        acts=tuple(Entry.objects.filter(contact_id__in=ids).order_by("id")),
    )


def _agreements(ids: tuple[int, ...], *, now: datetime) -> list[Agreement]:
    rows = (
        Authorization.objects.filter(contact_id__in=ids)
        .select_related("form_version")
        .prefetch_related("copies", "defects")
        .order_by("signed_at", "id")
    )
    signatures = {
        one.authorization_id: one for one in Signature.objects.filter(authorization__in=rows)
    }
    return [
        Agreement(
            one.authorization,
            "defective" if one.authorization.defects.all() else one.state,
            one.ends_at,
            document_of(one.authorization.form_version),
            intact(one.authorization.form_version),
            signatures.get(one.authorization.id),
            tuple(one.authorization.copies.all()),
            tuple(one.authorization.defects.all()),
        )
        for one in report.signed(list(rows), now=now)
    ]


def document_of(version: FormVersion | None) -> wording.Document | None:
    return wording.read(version.text, language=version.language) if version else None


def intact(version: FormVersion | None) -> bool:
    """Work the checksum out again, over the bytes that are kept."""
    if version is None:
        return True
    return hashlib.sha256(version.text.encode()).digest() == bytes(version.sha256)
