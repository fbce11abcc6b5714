"""Suppression lists as files: in by address or by our own hash, out by hash."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from audit import actions, actor, trail
from consent import addresses, precedence
from consent.models import Entry, Suppression
from consent.purposes import Purpose
from contacts import exporting, reveal
from contacts.fields import DataClass
from contacts.models import Contact
from contacts.segments.live import attend

COLUMNS = ("channel", "address", "hash", "reason", "purpose", "topic", "from", "until")
MOST = 200_000
BATCH = 5_000
_FIELD = {addresses.EMAIL: ("email", "email_index"), addresses.SMS: ("phone", "phone_index")}

actions.register("suppression.imported", ("count", "known", "problems"))
actions.register("suppression.exported", ("count", "fields"))


class FileRefused(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(slots=True)
class Took:
    """What became of a file: new rows, rows that stood before, and what is wrong, by line."""

    added: int = 0
    known: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


Key = tuple[str, bytes, str, str, str]


def take(data: bytes, *, received_by: str, now: datetime) -> Took:
    """Put every sound line on the list; the others are told by line, without their values."""
    took, rows = Took(), dict[Key, Suppression]()
    for line, cells in _lines(data):
        try:
            row = _row(cells, received_by=received_by, now=now)
        except ValueError as wrong:
            took.faults.append((line, str(wrong)))
            continue
        hashed = bytes(row.address_hash or b"")
        rows.setdefault((row.channel, hashed, row.purpose, row.topic, _own(row.reason)), row)
    with transaction.atomic():
        precedence.hold_for_withdrawal()
        standing = _standing(rows)
        fresh = [row for key, row in rows.items() if key not in standing]
        Suppression.objects.bulk_create(fresh, batch_size=BATCH)
        Entry.objects.bulk_create(
            [_entry(row, received_by=received_by, now=now) for row in fresh], batch_size=BATCH
        )
        took.added, took.known = len(fresh), len(rows) - len(fresh)
        attend.want_resting_on("consent", now=now)
        trail.record(
            "suppression.imported",
            detail={"count": took.added, "known": took.known, "problems": len(took.faults)},
        )
    return took


def export(*, with_addresses: bool) -> Iterator[list[str]]:
    """Return what stands: hashes and reasons; addresses too where the caller may see them.

    An address is known only while somebody among the contacts has it.
    """
    rows = list(Suppression.objects.filter(released_at=None).order_by("received_at", "id"))
    known = _addresses(rows) if with_addresses else {}
    fields = ["hash", "reason", *(["address"] if with_addresses else [])]
    trail.record("suppression.exported", detail={"count": len(rows), "fields": fields})
    yield list(COLUMNS)
    for row in rows:
        hashed = bytes(row.address_hash) if row.address_hash else b""
        cells = [
            row.channel,
            known.get((row.channel, hashed), ""),
            hashed.hex(),
            row.reason,
            row.purpose,
            row.topic,
            _moment(row.effective_from),
            _moment(row.effective_until),
        ]
        yield [exporting.cell(one) for one in cells]


def _lines(data: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("it is not UTF-8; save it as CSV UTF-8 and try again") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        head = [one.strip().lower() for one in next(reader, [])]
        if not ({"address", "hash"} & set(head)) or set(head) - set(COLUMNS):
            raise FileRefused(f"its first line must name columns among {', '.join(COLUMNS)}")
        for cells in reader:
            if reader.line_num > MOST:
                raise FileRefused(f"it has more than {MOST} lines; split it")
            if any(one.strip() for one in cells):
                yield reader.line_num, dict(zip(head, map(str.strip, cells), strict=False))
    except csv.Error:
        raise FileRefused("it is not CSV; a quotation mark may be missing") from None


def _row(cells: Mapping[str, str], *, received_by: str, now: datetime) -> Suppression:
    channel = cells.get("channel") or addresses.EMAIL
    reason = cells.get("reason") or Suppression.Reason.IMPORTED
    if channel not in _FIELD:
        raise ValueError("channel: use email or sms")
    if reason not in Suppression.Reason.values:
        raise ValueError(f"reason: use {', '.join(Suppression.Reason.values)}")
    if cells.get("purpose") and cells["purpose"] not in set(Purpose):
        raise ValueError("purpose: use one that stands under Consent, Purposes")
    return Suppression(
        channel=channel,
        address_hash=_hash(cells, channel),
        reason=reason,
        source=received_by,
        purpose=cells.get("purpose", ""),
        topic=cells.get("topic", "")[:64],
        effective_from=_read(cells.get("from", "")),
        effective_until=_read(cells.get("until", "")),
        received_at=now,
    )


def _hash(cells: Mapping[str, str], channel: str) -> bytes:
    address, hashed = cells.get("address", "").removeprefix("'"), cells.get("hash", "")
    if address:
        whole = "@" in address if channel == addresses.EMAIL else any(map(str.isdigit, address))
        if not whole:
            raise ValueError("address: this is none of this channel")
        return addresses.hash_of(address, channel=channel)
    try:
        known = bytes.fromhex(hashed)
    except ValueError:
        raise ValueError("hash: this is not hexadecimal") from None
    if len(known) != len(addresses.hash_of("a@b.example", channel=addresses.EMAIL)):
        raise ValueError("hash: give an address, or a hash of an export of this organisation")
    return known


def _read(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("from, until: write 2027-01-31 or 2027-01-31T09:00:00-05:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _own(reason: str) -> str:
    return reason if reason in Suppression.OF_THEIR_OWN else ""


def _standing(rows: Mapping[Key, Suppression]) -> set[Key]:
    hashes = {key[1] for key in rows}
    found = Suppression.objects.filter(released_at=None, address_hash__in=hashes)
    return {
        (channel, bytes(hashed or b""), purpose, topic, _own(reason))
        for channel, hashed, purpose, topic, reason in found.values_list(
            "channel", "address_hash", "purpose", "topic", "reason"
        )
    }


def _entry(row: Suppression, *, received_by: str, now: datetime) -> Entry:
    who = actor.current()
    return Entry(
        kind=Entry.Kind.SUPPRESSED,
        concerns=row.id,
        address_hash=row.address_hash,
        channel=row.channel,
        purpose=row.purpose,
        topic=row.topic,
        received_by=received_by,
        received_at=now,
        actor_kind=who.kind,
        actor_id=who.id,
    )


def _addresses(rows: Sequence[Suppression]) -> dict[tuple[str, bytes], str]:
    known: dict[tuple[str, bytes], str] = {}
    for channel, (kind, index) in _FIELD.items():
        hashes = [row.address_hash for row in rows if row.channel == channel and row.address_hash]
        held: dict[int, Any] = dict(
            Contact.objects.filter(**{f"{index}__in": hashes}, erased_at=None).values_list(
                "id", index
            )
        )
        opened = reveal.reveal(list(held), [DataClass.CONTACT_POINT], purpose="suppression")
        for contact_id, hashed in held.items():
            value = opened.get(contact_id, {}).get(kind)
            if value:
                known[channel, bytes(hashed)] = str(value)
    return known
