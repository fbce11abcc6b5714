"""Take in what a person writes back, by whichever way: kept, told to workflows, read for a no.

The words go to the consent room's reader as replies by e-mail do: a clear no counts at once, an
unclear one holds what it could stop until somebody has read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from msgspec.structs import replace

from accounts import tenancy, throttle
from audit import trail
from audit.actor import Actor
from consent import precedence
from consent.choices import replies
from contacts import events
from messaging import attachments, evidence, feedback, happened
from messaging.answers import sealing
from messaging.attachments import FileRefused, Given
from messaging.models import Answer, Message

LONGEST: Final = 10_000
"""Characters of a reply on the portal."""
MOST_FILES: Final = 5
EACH: Final = throttle.Rate("portal.replies", burst=10, every=timedelta(hours=2))
KIND: Final = "message.replied"
IN_EVENT: Final = 8_000
"""Bytes of a reply that its event carries, below `events.MAX_PROPERTIES`."""


class AnswerRefused(ValueError):
    """A reply cannot be taken; `why` is `empty`, `long`, `files_wrong` or `many`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def from_portal(message: Message, words: str, files: Sequence[Given], *, now: datetime) -> Answer:
    """Take a reply from the portal with its files; raises `AnswerRefused`."""
    words = words.replace("\0", "").strip()
    if not words and not files:
        raise AnswerRefused("empty")
    if len(words) > LONGEST:
        raise AnswerRefused("long")
    try:
        attachments.check(files)
    except FileRefused:
        raise AnswerRefused("files_wrong") from None
    if len(files) > MOST_FILES:
        raise AnswerRefused("files_wrong")
    if not throttle.spend(EACH, f"{tenancy.current()}:{message.pk}", now=now):
        raise AnswerRefused("many")
    with transaction.atomic():
        precedence.hold_for_withdrawal()  # before rows of messages are locked
        answer = kept(message, words, way=Answer.Way.PORTAL, now=now)
        if files:
            attachments.attach(message.pk, files, now=now, answer_id=answer.id)
        told(message, words, answer=answer, now=now)
    return answer


def kept(message: Message, words: str, *, way: str, now: datetime) -> Answer:
    """Keep the words for those who read the inbox; raises `sealing.Erased`."""
    answer = Answer(
        message_id=message.pk, contact_id=message.contact_id, way=way, words=b"", sent_at=now
    )
    answer.words = sealing.sealed(answer, words)
    answer.save(force_insert=True)
    trail.record(
        "message.answered",
        subject=f"message:{message.pk}",
        detail={"channel": way},
        actor=Actor("patient", str(message.contact_id)),
    )
    return answer


def _short(words: str) -> str:
    """Return as much as an event carries; the answer itself keeps all."""
    return words.encode()[:IN_EVENT].decode(errors="ignore")


def told(message: Message, words: str, *, answer: Answer | None, now: datetime) -> None:
    """Append the event that workflows wait for, and have the words read for a no.

    Without an `answer` the person was erased, and nothing of the words is kept but a no.
    """
    source = Answer.Way(answer.way if answer is not None else Answer.Way.MAIL).value
    event = happened.event_of(message, KIND, now=now)
    if event is not None:
        said = replace(event, key=None, source=source, properties={"said": _short(words)})
        events.append([said], now=now)
    try:
        address = evidence.merged(message).recipient
    except evidence.Gone:
        return
    taken = replies.take(
        words,
        address=address,
        channel="email",
        purpose=feedback.scope(message),
        topic=message.topic,
        received_at=now,
        now=now,
    )
    if answer is not None and taken.reply_id is not None:
        Answer.objects.filter(id=answer.id).update(reply_id=taken.reply_id)
