"""The terms on which the current organisation sends: read in one go, written one at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit import actions, trail
from consent import precedence
from consent.addresses import EMAIL, FIELD_OF_CHANNEL
from consent.ledger import ConsentInvalid
from consent.models import Carrier, FrequencyCap, QuietTime, StopScope
from consent.policy import OWN_ROUTE, RouteFacts
from consent.purposes import Purpose
from consent.rulebook import EVERY_DAY, Cap, QuietHours

THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
NOBODY = RouteFacts(own=False)
MOST_DAYS = 366

for _action, _facts in {
    "sending.quiet_added": ("channels", "purposes", "days"),
    "sending.quiet_removed": (),
    "sending.cap_added": ("most", "days", "channels", "purposes", "when_full"),
    "sending.cap_removed": (),
    "sending.carrier_recorded": ("channel", "own", "services"),
    "sending.stop_scope_set": ("everything",),
}.items():
    actions.register(_action, _facts)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the gate needs to know of the organisation."""

    quiet: tuple[QuietHours, ...] = ()
    caps: tuple[Cap, ...] = ()
    routes: Mapping[str, RouteFacts] = field(default_factory=dict)
    stop_means_all: bool = False

    def route(self, channel: str) -> RouteFacts:
        return self.routes.get(channel, NOBODY)


def read(*, now: datetime) -> Terms:
    """Return the terms that stand; four small statements, whatever is asked."""
    quiet = QuietTime.objects.filter(removed_at=None).order_by("id")
    caps = FrequencyCap.objects.filter(removed_at=None).order_by("id")
    scope = StopScope.objects.order_by("-id").first()
    return Terms(
        quiet=tuple(_quiet(one) for one in quiet),
        caps=tuple(_cap(one) for one in caps),
        routes=_routes(),
        stop_means_all=_reaches_all(scope, now=now),
    )


def _quiet(row: QuietTime) -> QuietHours:
    return QuietHours(
        id=str(row.id),
        begins=row.begins,
        ends=row.ends,
        channels=frozenset(row.channels),
        purposes=frozenset(row.purposes),
        days=frozenset(row.days) or EVERY_DAY,
        source="Settings, Sending",
    )


def _cap(row: FrequencyCap) -> Cap:
    return Cap(
        id=str(row.id),
        most=row.most,
        days=row.days,
        channels=frozenset(row.channels),
        purposes=frozenset(row.purposes),
        when_full="hold" if row.when_full == FrequencyCap.WhenFull.HOLD else "refuse",
        source="Settings, Sending",
    )


def carriers() -> dict[str, Carrier]:
    """Return who carries each channel now."""
    latest = Carrier.objects.order_by("channel", "-id").distinct("channel")
    return {one.channel: one for one in latest}


def _routes() -> dict[str, RouteFacts]:
    """A relay on this machine is ours unless somebody said otherwise; no other is by silence."""
    known = {channel: _route(one) for channel, one in carriers().items()}
    if settings.SMTP_HOST in THIS_MACHINE:
        known.setdefault(EMAIL, OWN_ROUTE)
    return known


def _route(row: Carrier) -> RouteFacts:
    return RouteFacts(
        own=row.own,
        agreement_from=row.agreement_from,
        agreement_until=row.agreement_until,
        covers_channel=row.channel in row.services,
    )


def _reaches_all(scope: StopScope | None, *, now: datetime) -> bool:
    return (
        scope is not None
        and scope.everything_from is not None
        and now.date() >= scope.everything_from
    )


@transaction.atomic
def add_quiet(
    begins: time,
    ends: time,
    *,
    days: Collection[int] = (),
    channels: Collection[str] = (),
    purposes: Collection[str] = (),
    now: datetime,
) -> QuietTime:
    """Keep quiet in these hours; equal ends would be a whole day and are refused."""
    if begins == ends:
        raise ConsentInvalid("hours: begin and end are the same; give two different times")
    if set(days) - EVERY_DAY:
        raise ConsentInvalid("days: use 1 for Monday to 7 for Sunday")
    _check(channels, purposes)
    precedence.hold_for_withdrawal()
    row = QuietTime.objects.create(
        begins=begins,
        ends=ends,
        days=sorted(set(days)),
        channels=sorted(channels),
        purposes=sorted(purposes),
        added_at=now,
    )
    trail.record(
        "sending.quiet_added",
        subject=f"quiet:{row.id}",
        detail={"channels": row.channels, "purposes": row.purposes, "days": len(row.days)},
    )
    return row


@transaction.atomic
def remove_quiet(quiet_id: UUID, *, now: datetime) -> bool:
    gone = QuietTime.objects.filter(id=quiet_id, removed_at=None).update(removed_at=now) == 1
    if gone:
        trail.record("sending.quiet_removed", subject=f"quiet:{quiet_id}")
    return gone


@transaction.atomic
def add_cap(
    most: int,
    days: int,
    *,
    channels: Collection[str] = (),
    purposes: Collection[str] = (),
    when_full: str,
    now: datetime,
) -> FrequencyCap:
    """Allow at most so many in so many days."""
    if not 1 <= most <= 1000 or not 1 <= days <= MOST_DAYS:
        raise ConsentInvalid(f"cap: 1 to 1000 messages in 1 to {MOST_DAYS} days")
    if when_full not in FrequencyCap.WhenFull.values:
        raise ConsentInvalid("when_full: say hold or refuse")
    _check(channels, purposes)
    precedence.hold_for_withdrawal()
    row = FrequencyCap.objects.create(
        most=most,
        days=days,
        channels=sorted(channels),
        purposes=sorted(purposes),
        when_full=when_full,
        added_at=now,
    )
    trail.record(
        "sending.cap_added",
        subject=f"cap:{row.id}",
        detail={
            "most": most,
            "days": days,
            "channels": row.channels,
            "purposes": row.purposes,
            "when_full": when_full,
        },
    )
    return row


@transaction.atomic
def remove_cap(cap_id: UUID, *, now: datetime) -> bool:
    gone = FrequencyCap.objects.filter(id=cap_id, removed_at=None).update(removed_at=now) == 1
    if gone:
        trail.record("sending.cap_removed", subject=f"cap:{cap_id}")
    return gone


@transaction.atomic
def record_carrier(
    channel: str,
    *,
    name: str,
    own: bool = False,
    agreement_from: date | None = None,
    agreement_until: date | None = None,
    services: Collection[str] = (),
    now: datetime,
) -> Carrier:
    """Record who carries a channel from now on, and under which agreement (PR-32)."""
    _check({channel, *services}, ())
    if agreement_from and agreement_until and agreement_until < agreement_from:
        raise ConsentInvalid("agreement: it would end before it begins")
    precedence.hold_for_withdrawal()
    row = Carrier.objects.create(
        channel=channel,
        name=name,
        own=own,
        agreement_from=agreement_from,
        agreement_until=agreement_until,
        services=sorted(services),
        recorded_at=now,
    )
    trail.record(
        "sending.carrier_recorded",
        subject=f"carrier:{row.id}",
        detail={"channel": channel, "own": own, "services": row.services},
    )
    return row


@transaction.atomic
def set_stop_scope(everything_from: date | None, *, now: datetime) -> None:
    """Say from which day STOP ends everything of its channel; None: what it answered (TC-03)."""
    precedence.hold_for_withdrawal()
    StopScope.objects.create(everything_from=everything_from, recorded_at=now)
    trail.record("sending.stop_scope_set", detail={"everything": everything_from is not None})


def _check(channels: Collection[str], purposes: Collection[str]) -> None:
    if set(channels) - set(FIELD_OF_CHANNEL):
        raise ConsentInvalid(f"channels: use {', '.join(sorted(FIELD_OF_CHANNEL))}")
    if set(purposes) - set(Purpose):
        raise ConsentInvalid(f"purposes: use {', '.join(sorted(Purpose))}")
