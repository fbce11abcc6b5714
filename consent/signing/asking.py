"""A link to sign by: made by staff for one person and one form, good once, for thirty days.

The link alone shows the form and nothing of the person. Where we know the date of birth it is asked
before a signature counts; five wrong ones close the link.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import F, QuerySet

from accounts import tenancy
from audit import actions, actor, trail
from audit.actor import Actor, acting_as
from consent.signing.models import Form, SigningRequest
from contacts import reveal
from contacts.fields import DataClass
from crypto import tokens
from crypto.tokens import TokenRefused

PURPOSE = "consent.sign"
LASTS = timedelta(days=30)
SIGNER = Actor("patient", "signing-page")
CHECK = Actor("system", "signing-page")
actions.register("signing.asked", ("form", "version"))
actions.register("signing.refused", ("reason",))
actions.register("signing.declined", ("form",))
actions.register("signing.cancelled", ("form",))

Shut = Literal["signed", "expired", "locked", "cancelled", "declined"]


class NotPublished(ValueError):
    """The form has no published version that could be signed."""


def ask(contact_id: int, form: Form, *, now: datetime) -> tuple[SigningRequest, str]:
    """Return a new request and the token of its link; an open one of the same form is closed."""
    if not form.number or form.archived_at is not None:
        raise NotPublished(form.name)
    with transaction.atomic():
        still_open(contact_id).filter(form=form).update(cancelled_at=now)
        request = SigningRequest.objects.create(
            contact_id=contact_id,
            form=form,
            created_at=now,
            created_by=actor.current().id,
            expires_at=now + LASTS,
        )
        trail.record(
            "signing.asked",
            subject=f"contact:{contact_id}",
            detail={"form": str(form.id), "version": form.number},
        )
    return request, token_of(request, now=now)


def token_of(request: SigningRequest, *, now: datetime) -> str:
    return tokens.issue(
        {"r": request.id.hex},
        purpose=PURPOSE,
        now=now,
        lifetime=None,
        organisation_id=request.organisation_id,
    )


def still_open(contact_id: int) -> QuerySet[SigningRequest]:
    return SigningRequest.objects.filter(
        contact_id=contact_id, signed_at=None, declined_at=None, cancelled_at=None
    )


@contextmanager
def at(token: str, *, now: datetime) -> Iterator[SigningRequest]:
    """Act for the token's organisation, as the person who signs; raises `TokenRefused`."""
    read = tokens.read(token, purpose=PURPOSE, now=now)
    with tenancy.acting_for(read.organisation_id), acting_as(SIGNER):
        found = SigningRequest.objects.select_related("form").filter(id=read.payload["r"]).first()
        if found is None:
            raise TokenRefused
        yield found


def shut(request: SigningRequest, *, now: datetime) -> Shut | None:
    """Say why nothing can be signed by this link any more, or None."""
    if request.signed_at:
        return "signed"
    if request.declined_at:
        return "declined"
    if request.cancelled_at or request.form.archived_at:
        return "cancelled"
    if request.attempts >= SigningRequest.MOST_ATTEMPTS:
        return "locked"
    return "expired" if now >= request.expires_at else None


def asks_birth_date(request: SigningRequest) -> bool:
    return bool(_birth_date(request))


def is_born(request: SigningRequest, given: date | None) -> bool:
    """Count a wrong date of birth before saying so; true where none is known."""
    known = _birth_date(request)
    if not known or hmac.compare_digest(known, given.isoformat() if given else ""):
        return True
    SigningRequest.objects.filter(id=request.id).update(attempts=F("attempts") + 1)
    trail.record(
        "signing.refused",
        subject=f"contact:{request.contact_id}",
        detail={"reason": "birth_date"},
        outcome="refused",
    )
    return False


def _birth_date(request: SigningRequest) -> str:
    with acting_as(CHECK):  # the page compares; the person sees nothing of the record
        found = reveal.reveal([request.contact_id], [DataClass.IDENTITY], purpose="signing")
    return str(found.get(request.contact_id, {}).get("birth_date", ""))


def decline(request: SigningRequest, *, now: datetime) -> None:
    """Record that the person will not sign; nothing else follows from it (164.508(b)(4))."""
    with transaction.atomic():
        if still_open(request.contact_id).filter(id=request.id).update(declined_at=now):
            trail.record(
                "signing.declined",
                subject=f"contact:{request.contact_id}",
                detail={"form": str(request.form_id)},
            )


def cancel(request: SigningRequest, *, now: datetime) -> None:
    with transaction.atomic():
        if still_open(request.contact_id).filter(id=request.id).update(cancelled_at=now):
            trail.record(
                "signing.cancelled",
                subject=f"contact:{request.contact_id}",
                detail={"form": str(request.form_id)},
            )
