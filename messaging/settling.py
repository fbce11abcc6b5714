"""Settle messages of unclear fate as time goes by, from the record that the mail system keeps.

A gateway is asked about each message that it was given; what it says for certain settles that one.
For mail that a relay carries, the operator says which record that is (`SMTP_LOG`: the relay's log,
readable here); in the sample it is the local mailbox. Without either they stay `unknown` and are
told of on Home.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db.models import Min

from contacts.canonical import phone_form
from messaging import evidence, reconcile
from messaging.models import Message
from messaging.pools import facts, lanes
from messaging.pools.models import Pool
from messaging.transports import carriers
from messaging.transports.base import Wanted

SETTLES = timedelta(minutes=2)
"""So long after the hand-over the record is asked; until then it may still be written."""
AT_A_TIME = 50
"""Unclear messages that a gateway is asked about in one go."""
_GATEWAYS = frozenset(Pool.Carrier.values) - {Pool.Carrier.RELAY}
ROTATED = (".1", ".1.gz", ".2.gz")


@dataclass(frozen=True, slots=True)
class Known:
    """What a record says: the Message-IDs among those asked, and until when it is complete."""

    taken_in: frozenset[str]
    complete_until: datetime | None


class Record(Protocol):
    """Where Message-IDs that were taken in can be looked up."""

    def look_up(self, wanted: frozenset[str], *, since: datetime, now: datetime) -> Known: ...


@dataclass(frozen=True, slots=True)
class RelayLog:
    """A Postfix log and the files that it was rotated into.

    It is complete up to its last line, less a little: lines come in order, and a relay that is
    alive writes. A log that nobody writes any more proves nothing about later messages.
    """

    path: Path

    def look_up(self, wanted: frozenset[str], *, since: datetime, now: datetime) -> Known:
        lines = (line for path in self._files(since) for line in _lines(path))
        found = frozenset(one for one in reconcile.logged(lines) if one in wanted)
        return Known(found, self._complete())

    def _files(self, since: datetime) -> Iterator[Path]:
        """Return the log and what of its past reaches back to the moment."""
        for path in (self.path, *(Path(f"{self.path}{ending}") for ending in ROTATED)):
            if path.exists() and _changed(path) >= since:
                yield path

    def _complete(self) -> datetime | None:
        return _changed(self.path) - SETTLES / 2 if self.path.exists() else None


@dataclass(frozen=True, slots=True)
class Letters:
    """The sample's own mailbox: 250 is said after the mail is on its disk."""

    folder: Path

    def look_up(self, wanted: frozenset[str], *, since: datetime, now: datetime) -> Known:
        found = set()
        for path in (self.folder / "new").glob("*"):
            with path.open("rb") as file:
                head = file.read(8192)
            found |= {one for one in wanted if one.encode() in head}
        return Known(frozenset(found), now - SETTLES / 2)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _lines(path: Path) -> Iterable[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", errors="replace") as file:
        yield from file


def record() -> Record | None:
    """Return the record that this installation has."""
    if settings.SMTP_LOG:
        return RelayLog(Path(settings.SMTP_LOG))
    return Letters(settings.ATTUNE_MAILBOX) if settings.SAMPLE else None


def run_once(*, now: datetime, by: Record | None = None) -> int:
    """Settle what is unclear for long enough; return how many were."""
    return _by_gateways(now=now) + _by_record(now=now, by=by)


def _by_record(*, now: datetime, by: Record | None) -> int:
    old = Message.objects.filter(state="unknown", handed_over_at__lt=now - SETTLES)
    old = old.exclude(pool__in=lanes.OF_TEXTS)
    wanted = frozenset(old.values_list("message_id_header", flat=True))
    known_by = by or (record() if wanted else None)
    if known_by is None or not wanted:
        return 0
    since = old.aggregate(first=Min("handed_over_at"))["first"]
    known = known_by.look_up(wanted, since=since, now=now)
    done = reconcile.reconcile(known.taken_in, complete_until=known.complete_until, now=now)
    return done.found + done.requeued


def _by_gateways(*, now: datetime) -> int:
    """Ask each gateway about the messages that it was given and never answered for."""
    old = Message.objects.filter(state="unknown", handed_over_at__lt=now - SETTLES)
    pools = facts.read() if old.exists() else {}
    settled = 0
    for pool in pools.values():
        rows = list(old.filter(pool=pool.kind).order_by("id")[:AT_A_TIME])
        rows = [one for one in rows if pool.carried_then(one.handed_over_at, by=_GATEWAYS)]
        if not rows or (line := carriers.gateway_of(pool)) is None:
            continue
        known, absent = line.look_up([_wanted(one, texts=pool.of_texts) for one in rows])
        headers = {one.public_id.hex: one.message_id_header for one in rows}
        done = reconcile.reconcile(
            {headers[one] for one in known},
            complete_until=None,
            absent={headers[one] for one in absent},
            now=now,
        )
        settled += done.found + done.requeued
    return settled


def _wanted(message: Message, *, texts: bool) -> Wanted:
    """Return how a message may be found; the number it went to, where there is one still."""
    try:
        to = phone_form(evidence.merged(message).recipient) if texts else ""
    except evidence.Gone:
        to = ""
    at = message.handed_over_at or message.created_at
    return Wanted(message.public_id.hex, to, message.sha256, at)
