"""Take files in, sealed; find them; open them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from crypto import data_keys
from crypto.ids import uuid7
from crypto.seal import Context, seal, unseal
from messaging.attachments import kinds
from messaging.attachments.models import Attachment
from messaging.models import Message

TABLE = "messaging_attachment"


class FileRefused(ValueError):
    """A file may not be attached; the sentence says which, by its place, and why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file as somebody hands it over."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    place: int
    name: str
    media_type: str
    content: bytes = field(repr=False)


def check(files: Sequence[Given]) -> list[str]:
    """Return the media type of each file, or raise FileRefused."""
    if len(files) > kinds.MOST:
        raise FileRefused(f"At most {kinds.MOST} files can be attached; these are {len(files)}.")
    if sum(len(one.content) for one in files) > kinds.LARGEST_TOGETHER:
        raise FileRefused("The files are larger than 20 MB together. Attach fewer.")
    return [_kind(place, one) for place, one in enumerate(files, 1)]


def _kind(place: int, given: Given) -> str:
    if not given.content:
        raise FileRefused(f"File {place} is empty.")
    if len(given.content) > kinds.LARGEST:
        raise FileRefused(f"File {place} is larger than 10 MB.")
    kind = kinds.media_type(given.content)
    if kind is None:
        raise FileRefused(f"File {place} is not a PDF, PNG, JPEG or plain text file.")
    return kind


@transaction.atomic
def attach(
    message_id: int,
    files: Sequence[Given],
    *,
    now: datetime,
    classes: Collection[str] = (),
    answer_id: UUID | None = None,
) -> list[Attachment]:
    """Attach files to a message that has not left yet, or to a person's answer to it.

    `classes`: what the files say of the person, as the message's own classes. Raises FileRefused,
    or LookupError where the message is gone, was sent, or is for somebody who was erased.
    """
    found = check(files)
    message = Message.objects.select_for_update().get(pk=message_id)
    if answer_id is None and message.state not in ("queued", "paused", "deferred", "refused"):
        raise LookupError("the message is on its way or was sent: nothing can be attached any more")
    if more := set(classes) - set(message.classes):
        message.classes = [*message.classes, *sorted(more)]
        message.save(update_fields=["classes"])
    rows = _sealed(message, files, found, now=now, answer_id=answer_id)
    Attachment.objects.bulk_create(rows)
    trail.record(
        "message.attached",
        subject=f"message:{message_id}",
        detail={"count": len(rows), "sha256": [one.sha256 for one in rows]},
    )
    return rows


def _sealed(
    message: Message,
    files: Sequence[Given],
    found: Sequence[str],
    *,
    now: datetime,
    answer_id: UUID | None,
) -> list[Attachment]:
    organisation_id, contact_id = tenancy.current(), message.contact_id
    key = data_keys.load(organisation_id, [contact_id]).get(contact_id)
    if key is None:
        raise LookupError("the person was erased: nothing can be kept for them")
    first = Attachment.objects.filter(message_id=message.pk, answer_id=answer_id).count()
    rows = []
    for place, (given, kind) in enumerate(zip(files, found, strict=True), first + 1):
        number = uuid7()
        name = kinds.clean_name(given.name, kind)
        rows.append(
            Attachment(
                id=number,
                message_id=message.pk,
                answer_id=answer_id,
                contact_id=contact_id,
                place=place,
                media_type=kind,
                size=len(given.content),
                sha256=hashlib.sha256(given.content).hexdigest(),
                name=seal(key, name.encode(), context=_context(organisation_id, number, "name")),
                content=seal(
                    key, given.content, context=_context(organisation_id, number, "content")
                ),
                added_at=now,
            )
        )
    return rows


def _context(organisation_id: int, number: UUID, part: str) -> Context:
    return Context(organisation_id, TABLE, str(number), part)


def of_message(message_id: int, *, answer_id: UUID | None = None) -> list[Attachment]:
    """Return a message's own files, or an answer's, without their contents."""
    rows = Attachment.objects.filter(message_id=message_id, answer_id=answer_id)
    return list(rows.defer("content").order_by("place"))


def one(message_id: int, number: UUID) -> Attachment | None:
    return Attachment.objects.filter(message_id=message_id, pk=number).first()


def opened(rows: Iterable[Attachment], *, contents: bool = True) -> list[Opened]:
    """Open files; those of erased people are left out. The caller records who looks."""
    wanted = list(rows)
    organisation_id = tenancy.current()
    keys = data_keys.load(organisation_id, {row.contact_id for row in wanted})
    found = []
    for row in wanted:
        key = keys.get(row.contact_id)
        if key is None:
            continue
        name = unseal(key, bytes(row.name), context=_context(organisation_id, row.id, "name"))
        raw = b""
        if contents:
            context = _context(organisation_id, row.id, "content")
            raw = unseal(key, bytes(row.content), context=context)
        found.append(Opened(row.place, name.decode(), row.media_type, raw))
    return found


def named(rows: Iterable[Attachment]) -> list[tuple[Attachment, str]]:
    """Return files with their names, without their contents; those of erased people are left out.

    The caller records who looks.
    """
    wanted = list(rows)
    organisation_id = tenancy.current()
    keys = data_keys.load(organisation_id, {row.contact_id for row in wanted})
    return [
        (
            row,
            unseal(
                key, bytes(row.name), context=_context(organisation_id, row.id, "name")
            ).decode(),
        )
        for row in wanted
        if (key := keys.get(row.contact_id)) is not None
    ]
