"""Keep lines, and say of a message by which it went."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from accounts import tenancy
from messaging.lines.line import Line
from messaging.lines.models import Line as Kept
from messaging.models import Message


def numbers(used: Collection[Line], *, now: datetime) -> Mapping[Line, int]:
    """Return the number of each line, with one look; a new one is kept."""
    found = _known(used)
    fresh = sorted((line for line in used if line not in found), key=lambda one: one.certificate)
    if not fresh:
        return found
    Kept.objects.bulk_create((_row(line, now=now) for line in fresh), ignore_conflicts=True)
    return _known(used)


def _known(used: Collection[Line]) -> dict[Line, int]:
    certificates = {line.certificate for line in used}
    rows = Kept.objects.filter(certificate__in=certificates) if used else Kept.objects.none()
    kept = {(row.host, row.tls, row.cipher, row.certificate): row.pk for row in rows}
    places = {line: (line.host, line.tls, line.cipher, line.certificate) for line in used}
    return {line: kept[place] for line, place in places.items() if place in kept}


def _row(line: Line, *, now: datetime) -> Kept:
    return Kept(
        organisation_id=tenancy.current(),
        host=line.host,
        tls=line.tls,
        cipher=line.cipher,
        certificate=line.certificate,
        issuer=line.issuer,
        expires_at=line.expires_at,
        first_used_at=now,
    )


def of_messages(messages: Iterable[Message]) -> Mapping[int, Kept]:
    """Return the lines that these messages name, by number."""
    wanted = {message.line for message in messages if message.line is not None}
    return Kept.objects.in_bulk(wanted) if wanted else {}
