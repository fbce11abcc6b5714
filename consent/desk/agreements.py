"""Signed authorizations by how they stood at a moment: who agreed to what, when, to which text.

The moment is an argument throughout, so that an old question (a sample that was drawn for an
audit) has the answer it had then: nothing here is ever deleted, only ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields import DateTimeField
from django.db.models.functions import Coalesce

from consent.models import Authorization
from consent.signing.models import Copy, Defect, Signature
from contacts.models import Contact, Event

PAGE = 50
SOON = 30
State = Literal["live", "expired", "revoked", "defective"]
STATES: tuple[str, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which authorizations; what is left empty is not asked."""

    state: str = ""
    purpose: str = ""
    text: UUID | None = None
    method: str = ""
    """How it was signed; "none" where no signature is kept."""
    signed_from: date | None = None
    signed_until: date | None = None
    ends_within: int | None = None
    """Live, and its last day comes within so many days."""
    without_copy: bool = False
    people: tuple[int, ...] | None = None

    def codes(self) -> dict[str, Any]:
        """Return what was asked for as JSON: for the record of a sample, never of a person."""
        given = {
            "state": self.state,
            "purpose": self.purpose,
            "text": str(self.text) if self.text else "",
            "method": self.method,
            "signed_from": self.signed_from.isoformat() if self.signed_from else "",
            "signed_until": self.signed_until.isoformat() if self.signed_until else "",
            "ends_within": self.ends_within,
            "without_copy": self.without_copy,
        }
        return {name: value for name, value in given.items() if value not in ("", None, False)}


def wanted_of(codes: Mapping[str, Any]) -> Wanted:
    """Return what `Wanted.codes` wrote."""
    given = dict(codes)
    if "text" in given:
        given["text"] = UUID(given["text"])
    for name in ("signed_from", "signed_until"):
        if name in given:
            given[name] = date.fromisoformat(given[name])
    return Wanted(**given)


class EndOfDay(Func):
    """The first moment after a date in a zone, as the policy counts it."""

    template = "((%(expressions)s)"
    arg_joiner = " + 1)::timestamp at time zone "
    output_field = DateTimeField()


def matching(wanted: Wanted, *, now: datetime, zone: ZoneInfo) -> QuerySet[Authorization]:
    """Return the authorizations that were on record by `now`, the latest first."""
    rows = Authorization.objects.filter(received_at__lte=now).order_by("-id")
    if wanted.people is not None:
        rows = rows.filter(contact_id__in=wanted.people)
    for condition in (
        *_about_the_text(wanted),
        *_about_time(wanted, now=now, zone=zone),
        *_about_proof(wanted, now=now),
    ):
        rows = rows.filter(condition)
    return rows


def _about_the_text(wanted: Wanted) -> Iterator[Q]:
    if wanted.purpose:
        yield Q(purposes__contains=[wanted.purpose])
    if wanted.text:
        yield Q(form_version_id=wanted.text)


def _about_time(wanted: Wanted, *, now: datetime, zone: ZoneInfo) -> Iterator[Q]:
    if wanted.state:
        yield _in_state(wanted.state, now=now)
    if wanted.signed_from:
        yield Q(signed_at__gte=datetime.combine(wanted.signed_from, time(), zone))
    if wanted.signed_until:
        after = wanted.signed_until + timedelta(days=1)
        yield Q(signed_at__lt=datetime.combine(after, time(), zone))
    if wanted.ends_within is not None:
        last = (now + timedelta(days=wanted.ends_within)).astimezone(zone).date()
        yield _in_state("live", now=now) & Q(expires_on__lte=last)


def _about_proof(wanted: Wanted, *, now: datetime) -> Iterator[Q]:
    if wanted.method:
        yield _signed_how(wanted.method)
    if wanted.without_copy:
        given = Copy.objects.filter(authorization=OuterRef("pk"), given_at__lte=now)
        yield Q(_has_signature()) & ~Q(Exists(given))


def page(
    wanted: Wanted, *, before: UUID | None, now: datetime, zone: ZoneInfo, size: int = PAGE
) -> list[Authorization]:
    """Return one page; `before` is the last id seen."""
    rows = matching(wanted, now=now, zone=zone).select_related("form_version")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return list(rows.prefetch_related("defects", "copies")[:size])


def states(rows: list[Authorization], *, now: datetime) -> dict[UUID, str]:
    """Return how each of these stood at `now`, by the same conditions as the list is asked by."""
    ids = [row.id for row in rows]
    found: dict[UUID, str] = {}
    for state in STATES:
        some = Authorization.objects.filter(_in_state(state, now=now), id__in=ids)
        found |= dict.fromkeys(some.values_list("id", flat=True), state)
    return found


def _in_state(state: str, *, now: datetime) -> Q:
    """Each authorization is in one state; a defect outweighs the withdrawal that it caused."""
    defective = Exists(Defect.objects.filter(authorization=OuterRef("pk"), found_at__lte=now))
    revoked = Q(revoked_at__isnull=False, revoked_at__lte=now)
    expired = Q(_past_last_day(now)) | Q(_ended_by_event(now))
    conditions = {
        "defective": Q(defective),
        "revoked": ~Q(defective) & revoked,
        "expired": ~Q(defective) & ~revoked & expired,
        "live": ~Q(defective) & ~revoked & ~expired,
    }
    return conditions[state]


def _past_last_day(now: datetime) -> Exists:
    ended = Authorization.objects.filter(pk=OuterRef("pk"), expires_on__isnull=False).alias(
        ends=EndOfDay(F("expires_on"), F("zone"))
    )
    return Exists(ended.filter(ends__lte=now))


def _ended_by_event(now: datetime) -> Exists:
    """The event may have moved to the contact that stands for the person since."""
    merged = Contact.objects.filter(pk=OuterRef("contact_id")).values("merged_into")[:1]
    ended = (
        Authorization.objects.filter(pk=OuterRef("pk"))
        .exclude(expires_event="")
        .alias(person=Coalesce(Subquery(merged), F("contact_id")))
        .alias(
            ended=Exists(
                Event.objects.filter(
                    contact_id=OuterRef("person"),
                    kind=OuterRef("expires_event"),
                    occurred_at__gte=OuterRef("signed_at"),
                    occurred_at__lte=now,
                )
            )
        )
    )
    return Exists(ended.filter(ended=True))


def _signed_how(method: str) -> Q:
    if method == "none":
        return ~Q(_has_signature())
    return Q(Exists(Signature.objects.filter(authorization=OuterRef("pk"), method=method)))


def _has_signature() -> Exists:
    return Exists(Signature.objects.filter(authorization=OuterRef("pk")))
