"""The only writer of restrictions, confidential communications, plain mail and Part 2 consents.

Like the ledger's own acts, each is one transaction with its entry there, in the trail and in the
contact's events. What narrows waits for the claims in flight, and no claim is later than it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from consent import forms, ledger, precedence
from consent.addresses import FIELD_OF_CHANNEL
from consent.ledger import ConsentInvalid
from consent.models import (
    ConfidentialRequest,
    Entry,
    FormVersion,
    Part2Consent,
    PlainPreference,
    Restriction,
)
from consent.purposes import Purpose
from contacts.fields import DataClass

CLASSES = frozenset(one.value for one in DataClass) | ledger.LABELS
CATEGORIES = CLASSES | frozenset(Purpose)
WARNING = """E-mail and text messages that are not encrypted can be read by others on their way \
and on shared devices. They may say that you are our patient and name your care. We send them \
to you without encryption only because you ask for it. You can take this back at any time.
"""


def restrict(
    contact_id: int,
    *,
    purposes: Collection[str] = (),
    classes: Collection[str] = (),
    channels: Collection[str] = (),
    received_by: str,
    now: datetime,
) -> UUID:
    """Record a restriction that we agreed to; it binds from now on."""
    _known("purposes", purposes, frozenset(Purpose))
    _known("classes", classes, CLASSES)
    _known("channels", channels, frozenset(FIELD_OF_CHANNEL))
    row = Restriction(
        contact_id=contact_id,
        purposes=sorted(purposes),
        classes=sorted(classes),
        channels=sorted(channels),
        received_at=now,
    )
    return _add(row, Entry.Kind.RESTRICTED, received_by=received_by, now=now)


@transaction.atomic
def end_restriction(restriction_id: UUID, *, how: str, received_by: str, now: datetime) -> bool:
    """End a restriction; by notice it keeps binding what is known from before (PR-23)."""
    if how not in Restriction.Ending.values:
        raise ConsentInvalid("how: say agreement or notice")
    standing = Restriction.objects.select_for_update().filter(id=restriction_id, ended_at=None)
    row = standing.first()
    if row is None:
        return False
    Restriction.objects.filter(id=row.id).update(ended_at=now, ended_how=how)
    ledger.keep([row], Entry.Kind.UNRESTRICTED, received_by=f"{received_by}:{how}"[:32], now=now)
    return True


def keep_confidential(
    contact_id: int, *, category: str = "", channel: str = "", received_by: str, now: datetime
) -> UUID:
    """Record a request for confidential communications; nobody is asked why."""
    _known("category", {category} - {""}, CATEGORIES)
    _known("channel", {channel} - {""}, frozenset(FIELD_OF_CHANNEL))
    row = ConfidentialRequest(
        contact_id=contact_id, category=category, channel=channel, received_at=now
    )
    return _add(row, Entry.Kind.CONFIDENTIAL, received_by=received_by, now=now)


def end_confidential(request_id: UUID, *, received_by: str, now: datetime) -> bool:
    return _end(ConfidentialRequest, request_id, Entry.Kind.NOT_CONFIDENTIAL, received_by, now=now)


def accept_plain(
    contact_id: int, *, channel: str, warning: UUID | None = None, received_by: str, now: datetime
) -> UUID:
    """Record that the person took the warning and prefers unencrypted messages by this channel."""
    _known("channel", {channel}, frozenset(FIELD_OF_CHANNEL))
    text = FormVersion.objects.filter(id=warning).first() if warning else current_warning(now=now)
    if text is None:
        raise ConsentInvalid("warning: there is no such text; add it before it is shown")
    row = PlainPreference(contact_id=contact_id, channel=channel, warning=text, received_at=now)
    return _add(row, Entry.Kind.PLAIN_AGREED, received_by=received_by, now=now)


def end_plain(preference_id: UUID, *, received_by: str, now: datetime) -> bool:
    return _end(PlainPreference, preference_id, Entry.Kind.PLAIN_ENDED, received_by, now=now)


def current_warning(*, now: datetime) -> FormVersion:
    """Return the words of the warning; they are kept like every text that people agree to."""
    return forms.add_version("Unencrypted messages", language="en", text=WARNING, now=now)


def sign_part2(
    contact_id: int,
    *,
    purposes: Collection[str] = (),
    signed_at: datetime,
    expires_on: date | None = None,
    zone: str = "UTC",
    form_version: UUID | None = None,
    received_by: str,
    now: datetime,
) -> UUID:
    """Record a Part 2 consent: for care in general (no purposes), or for the purposes named."""
    _known("purposes", purposes, frozenset(Purpose))
    if signed_at > now:
        raise ConsentInvalid("signed_at: a signature cannot lie in the future")
    row = Part2Consent(
        contact_id=contact_id,
        purposes=sorted(purposes),
        form_version_id=form_version,
        signed_at=signed_at,
        expires_on=expires_on,
        zone=zone,
        received_at=now,
    )
    return _add(row, Entry.Kind.PART2_SIGNED, received_by=received_by, now=now)


def revoke_part2(consent_id: UUID, *, received_by: str, now: datetime) -> bool:
    return _end(Part2Consent, consent_id, Entry.Kind.PART2_REVOKED, received_by, now=now)


Wish = Restriction | ConfidentialRequest | PlainPreference | Part2Consent


@transaction.atomic
def _add(row: Wish, kind: Entry.Kind, *, received_by: str, now: datetime) -> UUID:
    precedence.hold_for_withdrawal()
    row.save(force_insert=True)
    ledger.keep([row], kind, received_by=received_by, now=now)
    return row.id


@transaction.atomic
def _end(
    model: type[ConfidentialRequest | PlainPreference | Part2Consent],
    row_id: UUID,
    kind: Entry.Kind,
    received_by: str,
    *,
    now: datetime,
) -> bool:
    precedence.hold_for_withdrawal()
    row = model.objects.select_for_update().filter(id=row_id, ended_at=None).first()
    if row is None:
        return False
    model.objects.filter(id=row_id).update(ended_at=now)
    ledger.keep([row], kind, received_by=received_by, now=now)
    return True


def _known(element: str, given: Collection[str], known: frozenset[str]) -> None:
    if set(given) - known:
        raise ConsentInvalid(f"{element}: use {', '.join(sorted(known))}")
