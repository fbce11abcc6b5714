"""Settle messages of unclear fate as time goes by, from the record that the mail system keeps.

Which record that is, the operator says (`SMTP_LOG`: the relay's log, readable here); in the sample
it is the local mailbox. Without either they stay `unknown` and are told of on Home.
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

from messaging import reconcile
from messaging.models import Message

SETTLES = timedelta(minutes=2)
"""So long after the hand-over the record is asked; until then it may still be written."""
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
    old = Message.objects.filter(state="unknown", handed_over_at__lt=now - SETTLES)
    wanted = frozenset(old.values_list("message_id_header", flat=True))
    known_by = by or (record() if wanted else None)
    if known_by is None or not wanted:
        return 0
    since = old.aggregate(first=Min("handed_over_at"))["first"]
    known = known_by.look_up(wanted, since=since, now=now)
    done = reconcile.reconcile(known.taken_in, complete_until=known.complete_until, now=now)
    return done.found + done.requeued
