"""How consent stands: figures for the officer's desk, and everything on record about one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count

from consent.models import Authorization, Entry, OptOut, Suppression
from consent.policy import NEEDS_AUTHORIZATION, Purpose, end_of_day
from contacts import persons
from contacts.models import Contact

SOON = timedelta(days=30)
PAGE = 50

# A person counts once for a purpose, however many authorizations cover it. Expiry by date is
# decided in the zone that the authorization names, as the policy does.
_STANDING = """
select p.purpose,
       count(distinct a.contact_id) filter (where live.now),
       count(distinct a.contact_id) filter (where live.now and a.expires_on <= %(soon)s),
       count(distinct a.contact_id) filter (where a.revoked_at is not null)
from consent_authorization a
cross join lateral unnest(a.purposes) as p (purpose)
cross join lateral (
    select a.revoked_at is null and a.signed_at <= %(now)s and (
        a.expires_on is null
        or (a.expires_on + 1)::timestamp at time zone a.zone > %(now)s
    ) and not exists (
        select from contacts_event e where a.expires_event <> '' and e.contact_id = a.contact_id
            and e.kind = a.expires_event and e.occurred_at >= a.signed_at
    ) as now
) as live
group by p.purpose
"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many people one purpose may reach by their signature."""

    purpose: str
    needs_authorization: bool
    authorized: int
    expiring: int
    revoked: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The organisation's consent, as of one moment."""

    people: int
    opted_out: int
    suppressed: int
    coverage: tuple[Coverage, ...]


def standing(*, now: datetime) -> Standing:
    """Count what stands now; four statements, whatever the size."""
    return Standing(
        people=Contact.objects.filter(erased_at=None).count(),
        opted_out=OptOut.objects.filter(lifted_at=None, contact_id__isnull=False).aggregate(
            people=Count("contact_id", distinct=True)
        )["people"],
        suppressed=Suppression.objects.filter(released_at=None).count(),
        coverage=_coverage(now=now),
    )


def _coverage(*, now: datetime) -> tuple[Coverage, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"now": now, "soon": (now + SOON).date()})
        counted = {purpose: figures for purpose, *figures in cursor.fetchall()}
    return tuple(
        Coverage(purpose, purpose in NEEDS_AUTHORIZATION, *counted.get(purpose, (0, 0, 0)))
        for purpose in Purpose
    )


def acts(*, before: int | None = None, kind: str = "", size: int = PAGE) -> list[Entry]:
    """Return one page of the ledger, the latest act first; `before` is the last id seen."""
    entries = Entry.objects.order_by("-id")
    if kind:
        entries = entries.filter(kind=kind)
    if before is not None:
        entries = entries.filter(id__lt=before)
    return list(entries[:size])


@dataclass(frozen=True, slots=True)
class Signed:
    """One authorization with what became of it."""

    authorization: Authorization
    state: str
    ends_at: datetime | None

    @property
    def is_live(self) -> bool:
        return self.state == "live"


@dataclass(frozen=True, slots=True)
class History:
    """All that is on record about one person's consent."""

    signed: tuple[Signed, ...]
    opt_outs: tuple[OptOut, ...]
    acts: tuple[Entry, ...]


def history(contact_id: int, *, now: datetime) -> History:
    """Return one person's authorizations, refusals and every act, the latest first."""
    ids = persons.ids_of([contact_id])[contact_id]
    rows = Authorization.objects.filter(contact_id__in=ids).select_related("form_version")
    return History(
        signed=tuple(signed(list(rows.order_by("-signed_at", "-id")), now=now)),
        opt_outs=tuple(OptOut.objects.filter(contact_id__in=ids, lifted_at=None)),
        acts=tuple(Entry.objects.filter(contact_id__in=ids).order_by("-id")),
    )


def signed(rows: Sequence[Authorization], *, now: datetime) -> list[Signed]:
    """Return each authorization with what became of it by now."""
    ended = _ended_by_event([row for row in rows if row.expires_event])
    found = []
    for row in rows:
        ends = [_ends_at(row.expires_on, row.zone), ended.get(row.id)]
        ends_at = min((one for one in ends if one), default=None)
        found.append(Signed(row, _state(row, ends_at, now=now), ends_at))
    return found


def _ends_at(day: date | None, zone: str) -> datetime | None:
    return None if day is None else end_of_day(day, zone).astimezone(ZoneInfo("UTC"))


def _state(row: Authorization, ends_at: datetime | None, *, now: datetime) -> str:
    if row.revoked_at is not None:
        return "revoked"
    if ends_at is not None and ends_at <= now:
        return "expired"
    return "live"


_ENDED = """
select a.id, min(e.occurred_at) from consent_authorization a
join contacts_contact c on c.id = a.contact_id
join contacts_event e on e.contact_id in (a.contact_id, c.merged_into) and e.kind = a.expires_event
    and e.occurred_at >= a.signed_at
where a.id = any(%s) group by a.id
"""


def _ended_by_event(rows: Sequence[Authorization]) -> dict[object, datetime]:
    if not rows:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [[row.id for row in rows]])
        return dict(cursor.fetchall())
