"""A text message that somebody sent us: STOP, HELP and START at once, all else for a person.

What it answers is the last text that this number got from the same pool, since carriers thread by
number and nothing else: its purpose and topic say how far a STOP reaches (TC-02, TC-03).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from msgspec.structs import replace

from accounts import tenancy
from audit import actions, trail
from audit.actor import Actor, acting_as
from consent import precedence
from consent.addresses import SMS
from consent.choices import replies
from contacts import events, persons
from contacts.canonical import phone_form
from crypto import blind_index
from messaging import evidence, feedback, happened, sender
from messaging.answers import taking
from messaging.answers.sealing import Erased
from messaging.hearing import intake
from messaging.models import Answer, IncomingText, Message

TEXTS: Final = Actor("system", "texts")
ANSWERS_WITHIN: Final = timedelta(days=30)
"""A text that comes in later answers nothing in particular."""
HELP_AGAIN: Final = timedelta(hours=1)
"""HELP is answered once in so long, or two programs would write to each other for ever."""
LONGEST: Final = 1_600

actions.register("text.received", ("pool", "verdict", "answer"))


@transaction.atomic
def take(
    words: str, *, number: str, pool: str, mark: str, received_at: datetime, now: datetime
) -> bool:
    """Take in a text for the current organisation; say whether it is new. `mark` is the gateway's
    own number for it: the same counts once."""
    with acting_as(TEXTS):
        precedence.hold_for_withdrawal()
        (digest,) = blind_index.tokens(tenancy.current(), "incoming_text", [f"{pool} {mark}"])
        if IncomingText.objects.filter(digest=digest).exists():
            return False
        number, words = phone_form(number), words[:LONGEST]
        who = replies.person_at(number, SMS)
        message = _answered(who, pool, now=now)
        taken = replies.take(
            words,
            address=number,
            channel=SMS,
            purpose=feedback.scope(message) if message else "",
            topic=message.topic if message else "",
            received_at=received_at,
            now=now,
        )
        row = IncomingText(
            digest=digest,
            pool=pool,
            contact_id=who,
            message_id=message.pk if message else None,
            verdict=taken.verdict,
            received_at=received_at,
        )
        _answer(row, taken, number, language=_language(message), now=now)
        row.save(force_insert=True)
        _tell(message, words, taken.verdict, now=now)
        trail.record(
            "text.received",
            subject=f"contact:{who}" if who else f"text:{row.pk}",
            detail={"pool": pool, "verdict": taken.verdict}
            | ({"answer": row.answer} if row.answer else {}),
        )
    return True


def mark_of(*parts: str) -> str:
    """Return a mark for what comes without a number of its own."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _answered(who: int | None, pool: str, *, now: datetime) -> Message | None:
    """Return the text that this one most likely answers."""
    if who is None:
        return None
    return (
        Message.objects.filter(
            contact_id__in=persons.ids_of([who])[who],
            channel=SMS,
            pool=pool,
            state__in=["sent", "unknown", "handing_over"],
            handed_over_at__gte=now - ANSWERS_WITHIN,
        )
        .select_related("version")
        .order_by("-handed_over_at", "-id")
        .first()
    )


def _answer(
    row: IncomingText, taken: replies.Taken, number: str, *, language: str, now: datetime
) -> None:
    """Put the one answer on the row, which the loop sends within five minutes."""
    kinds = {
        "help": (IncomingText.Answer.HELP, replies.HELP),
        "start": (IncomingText.Answer.STARTED, replies.STARTED),
    }
    if taken.verdict == "stop" and taken.confirm:
        answer, words = IncomingText.Answer.STOPPED, replies.CONFIRMATION
    elif taken.verdict in kinds and not _just_answered(row, now=now):
        answer, words = kinds[taken.verdict]
    else:
        return
    ours = sender.current()
    said = words.get(language, words["en"]).format(name=ours.name, origin=ours.origin)
    row.answer, row.answer_state = answer, IncomingText.State.DUE
    row.answer_to = {"to": number, "text": said}


def _just_answered(row: IncomingText, *, now: datetime) -> bool:
    if row.contact_id is None or row.verdict != "help":
        return False
    recent = IncomingText.objects.filter(
        contact_id=row.contact_id, received_at__gte=now - HELP_AGAIN
    )
    return recent.filter(answer=IncomingText.Answer.HELP).exists()


def _language(message: Message | None) -> str:
    """Return the language that the text was written in, which the answer is written in too."""
    if message is None:
        return "en"
    try:
        locale = evidence.merged(message).locale
    except evidence.Gone:
        return "en"
    return locale.language.partition("-")[0] if locale else "en"


def _tell(message: Message | None, words: str, verdict: str, *, now: datetime) -> None:
    """Let the person's journey know; the words are sealed with the person's key."""
    if message is None:
        return
    intake.settle(message, now=now)
    kind = "message.unsubscribed" if verdict == "stop" else "message.replied"
    event = happened.event_of(message, kind, now=now)
    if event is None:
        return
    said = {"said": words} if kind == "message.replied" else None
    events.append([replace(event, key=None, properties=said)], now=now)
    if verdict in ("review", "nothing"):  # a keyword is done with; words are for the inbox
        with suppress(Erased):
            taking.kept(message, words, way=Answer.Way.TEXT, now=now)
