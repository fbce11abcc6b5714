"""Replies by e-mail or text message: a clear no counts at once, anything unclear is read first.

Until somebody has read an unclear reply, everything that a no could stop waits (`in_review`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audit import actions, actor, trail
from consent import addresses, ledger, precedence
from consent.choices.stop_words import Verdict, classify, classify_text
from consent.ledger import ConsentInvalid
from consent.models import OptOut, Reply
from contacts import matching, persons

CONFIRM_WITHIN = timedelta(minutes=5)
CONFIRMATION = {
    "en": "{name}: you will get no more of these messages from us. Nothing else is needed.",
    "es": "{name}: no recibirá más mensajes como este. No hace falta nada más.",
}
"""One answer, without a link and without anything to sell (64.1200(a)(12))."""
HELP = {
    "en": "{name}: questions about these messages? See {origin}. Reply STOP to end them.",
    "es": "{name}: ¿dudas sobre estos mensajes? Vea {origin}. Responda ALTO para no recibirlos.",
}
STARTED = {
    "en": "{name}: you will get our text messages again. Reply STOP to end them.",
    "es": "{name}: volverá a recibir nuestros mensajes. Responda ALTO para no recibirlos.",
}
_KIND = {addresses.EMAIL: "email", addresses.SMS: "phone"}
LONGEST = 20_000

actions.register("reply.received", ("channel", "verdict", "confirmed"))
actions.register("reply.read", ("count",))
actions.register("reply.decided", ("decision",))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a reply. `confirm` says whether one confirmation is due now."""

    verdict: Verdict
    confirm: bool = False
    reply_id: UUID | None = None


@transaction.atomic
def take(
    text: str,
    *,
    address: str,
    channel: str,
    purpose: str = "",
    topic: str = "",
    received_at: datetime,
    now: datetime,
) -> Taken:
    """Act on a reply. Purpose and topic are those of the message that it answers, if known.

    A keyword ends what it answered, or the whole channel where that is not known; from the day
    that the organisation set, it ends everything of the channel (TC-03, `consent.sending`).
    """
    found = addresses.hash_of(address, channel=channel)
    who = person_at(address, channel)
    verdict = classify_text(text) if channel == addresses.SMS else classify(text)
    confirm, row = False, None
    if verdict == "stop":
        confirm = _stop(who, address, channel, purpose, topic, now=now)
        confirm = confirm and now - received_at <= CONFIRM_WITHIN
    elif verdict == "start":
        ledger.start_again(who, address=address, channel=channel, received_by="keyword", now=now)
    elif verdict == "review":
        precedence.hold_for_withdrawal()
        row = Reply.objects.create(
            contact_id=who,
            address_hash=found,
            channel=channel,
            said={"text": text[:LONGEST], "address": address},
            received_at=received_at,
        )
    trail.record(
        "reply.received",
        subject=f"contact:{who}" if who else f"reply:{row.id}" if row else "",
        detail={"channel": channel, "verdict": verdict, "confirmed": confirm},
    )
    return Taken(verdict, confirm, row.id if row else None)


@transaction.atomic
def decide(reply_id: UUID, decision: str, *, now: datetime) -> bool:
    """Decide what a reply meant; say whether it still waited. Its words are dropped then."""
    if decision not in Reply.Decision.values:
        raise ConsentInvalid(f"decision: use {', '.join(Reply.Decision.values)}")
    row = Reply.objects.select_for_update().filter(id=reply_id, decided_at=None).first()
    if row is None:
        return False
    if decision != Reply.Decision.NOTHING:
        _refuse(row, whole=decision == Reply.Decision.EVERYTHING, now=now)
    row.decided_at, row.decision, row.decided_by = now, decision, actor.current().id
    row.said = None
    row.save(update_fields=["decided_at", "decision", "decided_by", "said"])
    trail.record("reply.decided", subject=f"reply:{row.id}", detail={"decision": decision})
    return True


def waiting() -> QuerySet[Reply]:
    return Reply.objects.filter(decided_at=None).order_by("received_at")


def forget(contact_ids: Sequence[int], _: datetime) -> None:
    """Drop the words of erased people; what waits goes on holding, by the address's hash."""
    for row in Reply.objects.filter(contact_id__in=contact_ids, decided_at=None):
        row.said = None
        row.save(update_fields=["said"])


def _refuse(row: Reply, *, whole: bool, now: datetime) -> None:
    channel = "" if whole and row.contact_id else row.channel
    if row.contact_id:
        ledger.opt_out(row.contact_id, channel=channel, received_by="reply", now=now)
    if row.said:
        ledger.opt_out(
            address=row.said["address"], channel=row.channel, received_by="reply", now=now
        )


def _stop(
    who: int | None, address: str, channel: str, purpose: str, topic: str, *, now: datetime
) -> bool:
    """Record the no for the address and, where one person has it, for the person; say if new."""
    scope = {"channel": channel, "purpose": purpose, "topic": topic}
    found = addresses.hash_of(address, channel=channel)
    known = OptOut.objects.filter(address_hash=found, keyword=True, lifted_at=None, **scope)
    fresh = not known.exists()
    for contact_id in {who, None}:
        ledger.opt_out(
            contact_id,
            address=address,
            channel=channel,
            purpose=purpose,
            topic=topic,
            keyword=True,
            received_by="keyword",
            now=now,
        )
    return fresh


def person_at(address: str, channel: str) -> int | None:
    """Return the one person who has the address; None where it is nobody's or several people's."""
    found = matching.find(_KIND[channel], address)  # type: ignore[arg-type]
    people = set(persons.standing_for([one.id for one in found]).values())
    return people.pop() if len(people) == 1 else None
