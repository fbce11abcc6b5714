"""The inbox: which answers there are for whoever may read them, opened into the trail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from audit import actor, trail
from consent.choices import replies
from contacts import persons
from contacts.fields import DataClass, Sensitivity
from messaging import attachments
from messaging.answers import sealing
from messaging.attachments import Opened
from messaging.models import Answer, Attachment, Letter, Message, Pickup

NEEDED: Final = frozenset({DataClass.IDENTITY.value, DataClass.CLINICAL.value})
"""What people write may say anything of them: who reads it sees these at least."""
_LABELS: Final = tuple(
    one.name.lower() for one in Sensitivity if one.name and one is not Sensitivity.PSYCHOTHERAPY
)
MOST: Final = 50


def may_read(message: Message, classes: Collection[str]) -> bool:
    """Say whether somebody who sees these data classes may read answers to this message.

    Sensitivity labels are for whoever sees clinical facts.
    """
    return set(classes) >= NEEDED and set(message.classes) <= {*classes, *_LABELS}


def visible(classes: Collection[str]) -> QuerySet[Answer]:
    """Return the answers that somebody who sees these data classes may read."""
    if not set(classes) >= NEEDED:
        return Answer.objects.none()
    seen = Message.objects.filter(
        id=OuterRef("message_id"), classes__contained_by=[*sorted(classes), *_LABELS]
    )
    return Answer.objects.filter(Exists(seen))


def count(message: Message) -> int:
    return Answer.objects.filter(message_id=message.pk).count()


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of a conversation, opened: the person's (`answer`) or ours (`letter`)."""

    at: datetime
    words: str = field(repr=False)
    answer: Answer | None = None
    letter: Letter | None = None
    files: Sequence[tuple[Attachment, str]] = ()


def of_message(message: Message) -> list[Said]:
    """Return the answers to one message, the oldest first; into the trail."""
    rows = Answer.objects.filter(message_id=message.pk).order_by("sent_at")[:MOST]
    return opened(list(rows), [])


def conversation(answer: Answer, classes: Collection[str]) -> list[Said]:
    """Return what this person and we wrote, the oldest first, as far as one may read it."""
    family = persons.ids_of([answer.contact_id])[answer.contact_id]
    answers = visible(classes).filter(contact_id__in=family).order_by("-sent_at")[:MOST]
    found = {one.id: one for one in [*answers, answer]}
    letters = Letter.objects.filter(answer_id__in=found).order_by("-written_at")[:MOST]
    return opened(list(found.values()), list(letters))


def opened(answers: Sequence[Answer], letters: Sequence[Letter]) -> list[Said]:
    """Open these, each with its own entry in the trail."""
    words = sealing.unsealed([*answers, *letters])
    files = _files(answers)
    looked = [(row.message_id, row.id) for row in answers]
    looked += [(row.message_id, row.id) for row in letters]
    trail.record_many(
        trail.Entry(
            "message.answer_viewed",
            subject=f"message:{message_id}",
            detail={"answer": str(number)},
        )
        for message_id, number in looked
    )
    said = [Said(one.sent_at, words[one.id], one, None, files.get(one.id, ())) for one in answers]
    said += [Said(one.written_at, words[one.id], None, one) for one in letters]
    return sorted(said, key=lambda one: one.at)


def _files(answers: Sequence[Answer]) -> Mapping[UUID, list[tuple[Attachment, str]]]:
    rows = list(
        Attachment.objects.filter(answer_id__in=[one.id for one in answers])
        .defer("content")
        .order_by("answer_id", "place")
    )
    found: dict[UUID, list[tuple[Attachment, str]]] = {}
    for row, name in attachments.named(rows):
        assert row.answer_id is not None
        found.setdefault(row.answer_id, []).append((row, name))
    return found


def file(answer: Answer, number: UUID) -> Opened | None:
    """Open one file of an answer, into the trail."""
    row = Attachment.objects.filter(pk=number, answer_id=answer.id).first()
    found = attachments.opened([row]) if row is not None else []
    if not found:
        return None
    trail.record(
        "message.file_opened",
        subject=f"message:{answer.message_id}",
        detail={"file": str(number)},
    )
    return found[0]


def read(said: Sequence[Said], *, now: datetime) -> None:
    """Note that somebody has opened these."""
    shown = [one.answer.id for one in said if one.answer is not None]
    Answer.objects.filter(id__in=shown, read_at=None).update(read_at=now)


def may_be_a_no(answer: Answer) -> bool:
    """Say whether the consent room still waits for somebody to read these words.

    Until then everything that a no could stop waits, an answer of ours too.
    """
    return answer.reply_id is not None and replies.waiting().filter(id=answer.reply_id).exists()


def assign(answer: Answer, to: str) -> None:
    """Make it this member of staff's, or nobody's."""
    Answer.objects.filter(id=answer.id).update(assigned_to=to)
    trail.record(
        "message.answer_assigned",
        subject=f"message:{answer.message_id}",
        detail={"answer": str(answer.id), "count": int(bool(to))},
    )


def done(answer: Answer, *, now: datetime) -> bool:
    """Close it; False where somebody did already."""
    by = actor.current().id
    won = Answer.objects.filter(id=answer.id, done_at=None).update(done_at=now, done_by=by)
    if won:
        trail.record(
            "message.answer_done",
            subject=f"message:{answer.message_id}",
            detail={"answer": str(answer.id)},
        )
    return bool(won)


def reopen(answer: Answer) -> bool:
    """Take it back among what waits."""
    rows = Answer.objects.filter(id=answer.id).exclude(done_at=None)
    won = rows.update(done_at=None, done_by="")
    if won:
        trail.record(
            "message.answer_reopened",
            subject=f"message:{answer.message_id}",
            detail={"answer": str(answer.id)},
        )
    return bool(won)


def forget(contact_ids: Sequence[int], _: datetime) -> None:
    """Drop the words of erased people, and have nobody wait for what is gone."""
    Answer.objects.filter(contact_id__in=contact_ids).update(words=b"")
    Letter.objects.filter(contact_id__in=contact_ids).update(words=b"")
    Pickup.objects.filter(message__contact_id__in=contact_ids).update(held=b"", held_for="")
