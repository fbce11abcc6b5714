"""A signature: checked, bound to the bytes that were shown, and put into the ledger at once."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts.models import Organisation
from audit import actions, trail
from consent import completed, ledger
from consent.models import Authorization, FormVersion
from consent.signing import stored
from consent.signing.models import Copy, Defect, Signature, SigningRequest
from consent.signing.wording import Expiry

MOST_STROKES: Final = 200
MOST_POINTS: Final = 6_000
WIDTH, HEIGHT = 600, 200
"""Of the field that is drawn in, in its own units."""
RESEARCH_ENDS: Final = "research.ended"
"""The event that ends what has no other end: research alone may (164.508(c)(1)(v))."""
LARGEST_SCAN: Final = 10 * 1024 * 1024
SCANS: Mapping[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
actions.register("authorization.signed", ("authorization", "version", "method"))
actions.register("authorization.copied", ("authorization", "how"))
actions.register("authorization.found_defective", ("authorization", "defect"))


class SignatureInvalid(ValueError):
    """A signature cannot be taken; `field` names what is missing, the text says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed and how. `authority` describes a representative's, and is empty for oneself."""

    name: str
    representative: bool = False
    authority: str = ""
    strokes: tuple[tuple[tuple[int, int], ...], ...] = ()
    address: str = ""
    program: str = ""
    notice: str = ""
    """The version of the Notice of Privacy Practices that was linked beside the form (PR-39)."""


def strokes_of(text: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Read a drawing: lines of points within the field. An empty text is no drawing."""
    if not text:
        return ()
    try:
        raw = json.loads(text)
        if not isinstance(raw, list):
            raise TypeError
        lines = tuple(tuple((int(x), int(y)) for x, y in line) for line in raw)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise SignatureInvalid("drawing", "The drawing could not be read: draw again.") from None
    points = [point for line in lines for point in line]
    if len(lines) > MOST_STROKES or len(points) > MOST_POINTS:
        raise SignatureInvalid("drawing", "The drawing is too large: draw again, simpler.")
    if not all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points):
        raise SignatureInvalid("drawing", "The drawing left its field: draw again.")
    return lines


def sign(
    request: SigningRequest, version: FormVersion, signer: Signer, *, now: datetime
) -> Authorization:
    """Take a person's own signature by a link; the link is used up in the same transaction."""
    check(signer)
    with transaction.atomic():
        if not _use_up(request, now=now):
            raise SignatureInvalid("", "This link was used before.")
        authorization = _authorize(request.contact_id, version, received_by="link", now=now)
        _keep(
            authorization,
            method=Signature.Method.LINK,
            sha256=bytes(version.sha256),
            evidence=_evidence(signer, version),
            request=request,
            now=now,
        )
    return authorization


def take_paper(
    contact_id: int,
    version: FormVersion,
    signer: Signer,
    *,
    scan: bytes,
    signed_at: datetime,
    now: datetime,
) -> Authorization:
    """Record a signature on paper, with the scan of it."""
    check(signer)
    kind = next((name for start, name in SCANS.items() if scan.startswith(start)), "")
    if not kind or len(scan) > LARGEST_SCAN:
        raise SignatureInvalid("scan", "Bring a PDF, PNG or JPEG of at most 10 MB.")
    with transaction.atomic():
        authorization = _authorize(
            contact_id, version, received_by="paper", signed_at=signed_at, now=now
        )
        paper = {"type": kind, "content": base64.b64encode(scan).decode()}
        _keep(
            authorization,
            method=Signature.Method.PAPER,
            sha256=hashlib.sha256(scan).digest(),
            evidence=_evidence(signer, version) | {"paper": paper},
            now=now,
        )
    return authorization


def give_copy(authorization: Authorization, *, how: str, sha256: bytes, now: datetime) -> None:
    """Record that the signer got a copy (164.508(c)(4))."""
    with transaction.atomic():
        Copy.objects.create(authorization=authorization, how=how, sha256=sha256, given_at=now)
        trail.record(
            "authorization.copied",
            subject=f"contact:{authorization.contact_id}",
            detail={"authorization": str(authorization.id), "how": how},
        )


def hand_out(signature: Signature, *, now: datetime) -> None:
    """Record that the signer took the document from our page; once is enough."""
    if without_copy([signature.authorization_id]):
        give_copy(signature.authorization, how="page", sha256=bytes(signature.sha256), now=now)


def find_defective(
    authorization: Authorization, kind: Defect.Kind, *, found_by: str, now: datetime
) -> None:
    """Record that it never was valid; nothing more goes out under it (164.508(b)(2))."""
    with transaction.atomic():
        Defect.objects.create(
            authorization=authorization, kind=kind, found_at=now, found_by=found_by
        )
        ledger.revoke(authorization.id, received_by="defect", now=now)
        trail.record(
            "authorization.found_defective",
            subject=f"contact:{authorization.contact_id}",
            detail={"authorization": str(authorization.id), "defect": kind.value},
        )


def check(signer: Signer) -> None:
    """Raise SignatureInvalid where the signer left out what a signature needs."""
    if not signer.name.strip() or len(signer.name) > 200:
        raise SignatureInvalid("name", "Type your full name.")
    if signer.representative and not signer.authority.strip():
        sentence = "Say by what authority you sign, such as parent, guardian or health care proxy."
        raise SignatureInvalid("authority", sentence)


def _use_up(request: SigningRequest, *, now: datetime) -> bool:
    unused = SigningRequest.objects.filter(
        id=request.id, signed_at=None, declined_at=None, cancelled_at=None, expires_at__gt=now
    )
    return unused.update(signed_at=now) == 1


def _authorize(
    contact_id: int,
    version: FormVersion,
    *,
    received_by: str,
    now: datetime,
    signed_at: datetime | None = None,
) -> Authorization:
    if version.elements is None:
        raise SignatureInvalid("", "This text was not made here and says nothing to decide by.")
    elements = stored.load(version.elements)
    zone = Organisation.objects.get(id=version.organisation_id).zone
    moment = signed_at or now
    expiry: Expiry = elements.expiry
    signing = ledger.Signing(
        contact_id=contact_id,
        purposes=elements.purposes,
        classes=elements.covers,
        signed_at=moment,
        expires_on=expiry.last_day(moment.astimezone(zone).date()),
        zone=zone.key,
        expires_event=RESEARCH_ENDS if expiry.kind == "never" else expiry.event,
        form_version=version.id,
        states_remuneration=elements.remunerated,
        channels=elements.channels,
    )
    made = ledger.record_authorization(signing, received_by=received_by, now=now)
    return Authorization.objects.get(id=made)


def _keep(
    authorization: Authorization,
    *,
    method: Signature.Method,
    sha256: bytes,
    evidence: Mapping[str, Any],
    now: datetime,
    request: SigningRequest | None = None,
) -> None:
    Signature.objects.create(
        authorization=authorization,
        request=request,
        method=method,
        sha256=sha256,
        evidence=dict(evidence),
        received_at=now,
    )
    signed = authorization.form_version and completed.of_name(authorization.form_version.name)
    if signed:
        completed.tell(authorization.contact_id, signed, now=now)
    trail.record(
        "authorization.signed",
        subject=f"contact:{authorization.contact_id}",
        detail={
            "authorization": str(authorization.id),
            "version": str(authorization.form_version_id),
            "method": method.value,
        },
    )


def _evidence(signer: Signer, version: FormVersion) -> dict[str, Any]:
    return {
        "name": signer.name.strip(),
        "representative": signer.representative,
        "authority": signer.authority.strip(),
        "strokes": [[list(point) for point in line] for line in signer.strokes],
        "address": signer.address,
        "program": signer.program[:300],
        "language": version.language,
        "notice": signer.notice,
    }


def without_copy(authorizations: Sequence[UUID]) -> set[UUID]:
    """Return which of these signers have no copy yet."""
    given = Copy.objects.filter(authorization_id__in=authorizations)
    return set(authorizations) - set(given.values_list("authorization_id", flat=True))
