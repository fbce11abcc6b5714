"""After a restored backup nothing is sent until a person has looked.

A database that was restored does not know what went out after the backup was made, and would send
it again. So each claim draws a number from the database, and the highest is kept in a file beside
the database (in the anchor's folder). A file that is ahead of the database, or missing where the
database has drawn numbers before, tells of a restore: everything stops, for every organisation.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import tenancy
from audit import actions, trail
from audit.actor import current
from crypto.rows import binary_cursor
from messaging import claims
from messaging.pools.models import Stop

FILE = "sending-{}.json"
"""One for each database, by its name."""
_OURS = re.compile(r"<([0-9a-f]{32})(?:\.\d+)?@([^<>@\s]+)>")

actions.register("sending.fenced", ("drawn", "known"))
actions.register("sending.fence_lifted", ("sent", "unknown_to_us"))


@dataclass(frozen=True, slots=True)
class Difference:
    """What the mail server took in that this database does not know as sent."""

    waiting: tuple[int, ...]
    """Messages of ours that the log has and that would go again."""
    foreign: int
    """Message-IDs of our own form without a row: made after the backup."""


def draw() -> int:
    """Draw the number of a claim, in its transaction; `keep` it once that has committed."""
    with binary_cursor() as cursor:
        cursor.execute("select nextval('messaging_generation')")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def keep(number: int) -> None:
    """Write the number beside the database, before anything of the claim leaves."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        if number > _number(file.read()):
            _write(file.fileno(), number)


def _write(file: int, number: int) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps({"drawn": number}).encode(), 0)
    os.fsync(file)


def _number(text: str) -> int:
    try:
        return int(json.loads(text)["drawn"])
    except (ValueError, KeyError, TypeError):
        return 0


def _path() -> Path:
    return Path(settings.ATTUNE_ANCHOR_DIR) / FILE.format(_database()[0])


def _database() -> tuple[str, int]:
    """Return the database's name and the last number drawn, 0 if none was."""
    with binary_cursor() as cursor:
        cursor.execute(
            "select current_database()::text, case when is_called then last_value else 0 end"
            " from messaging_generation"
        )
        row = cursor.fetchone()
    assert row is not None
    return row[0], int(row[1])


def kept() -> int | None:
    """Return the number beside the database; None where there is no file."""
    try:
        return _number(_path().read_text())
    except FileNotFoundError:
        return None


@transaction.atomic
def check(*, now: datetime) -> bool:
    """Return whether sending is fenced; fence it where the database is older than the file."""
    if Stop.objects.filter(cause=Stop.Cause.RESTORED, ended_at=None).exists():
        return True
    drawn, known = _database()[1], kept()
    if drawn == 0 if known is None else known <= drawn:
        return False
    for organisation_id in tenancy.organisation_ids():
        with tenancy.acting_for(organisation_id):
            _fence(drawn, known or 0, now=now)
    return True


def _fence(drawn: int, known: int, *, now: datetime) -> None:
    row = Stop.objects.create(
        cause=Stop.Cause.RESTORED, began_at=now, began_by=current().id, tried=drawn, bad=known
    )
    trail.record(
        "sending.fenced", subject=f"stop:{row.id}", detail={"drawn": drawn, "known": known}
    )


def fence() -> Stop | None:
    """Return the fence that stands, if one does."""
    return Stop.objects.filter(cause=Stop.Cause.RESTORED, ended_at=None).first()


_WAITING = """
SELECT id, public_id FROM messaging_message
WHERE organisation_id = %b AND public_id = ANY(%b::uuid[])
"""
_OPEN = """
SELECT id FROM messaging_message WHERE organisation_id = %b AND public_id = ANY(%b::uuid[])
  AND state IN ('queued', 'deferred', 'paused', 'claimed', 'handing_over', 'unknown')
"""
_WENT = """
UPDATE messaging_message SET state = 'sent', refusal_code = '', lease_until = NULL,
    sent_at = %b
WHERE organisation_id = %b AND id = ANY(%b::int8[])
"""


def difference(taken_in: Collection[str], *, domains: Collection[str]) -> Difference:
    """Compare the Message-IDs that the mail server took in with the rows of this database."""
    ours = [one for each in taken_in if (one := _public_id(each, domains)) is not None]
    organisation_id = tenancy.current()
    with binary_cursor() as cursor:
        cursor.execute(_WAITING, [organisation_id, ours])
        known = {row[1] for row in cursor.fetchall()}
        cursor.execute(_OPEN, [organisation_id, ours])
        waiting = tuple(row[0] for row in cursor.fetchall())
    return Difference(waiting, len(set(ours) - known))


def _public_id(message_id: str, domains: Collection[str]) -> UUID | None:
    found = _OURS.fullmatch(message_id)
    if found is None or found[2].lower() not in domains:
        return None
    return UUID(found[1])


@transaction.atomic
def lift(found: Difference, *, now: datetime) -> None:
    """Let sending go on: what the log has counts as sent, and the file follows the database."""
    row = Stop.objects.select_for_update().filter(cause=Stop.Cause.RESTORED, ended_at=None).get()
    waiting = list(found.waiting)
    with binary_cursor() as cursor:
        cursor.execute(_WENT, [now, tenancy.current(), waiting])
    claims.note([(one, "sent", "reconciled") for one in waiting], now=now)
    row.ended_at, row.ended_by, row.moved = now, current().id, len(waiting)
    row.save()
    trail.record(
        "sending.fence_lifted",
        subject=f"stop:{row.id}",
        detail={"sent": len(waiting), "unknown_to_us": found.foreign},
    )
    transaction.on_commit(_follow)


def _follow() -> None:
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _write(file.fileno(), _database()[1])
