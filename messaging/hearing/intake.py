"""Take in a mail that came back: find what it answers, and do what follows from it.

A hard bounce gives up the address, not the person. A soft one is counted: the address is given up
after so many messages over so many days. A complaint is a no to what was complained about and to
marketing; care goes on. An automatic answer changes nothing. A person's answer goes to those who
read replies. A receiver's report on a domain of ours is kept as one
(`messaging.domain_reports`). Whatever cannot be matched is kept for review without a word of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from msgspec.structs import replace

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from consent import ledger, precedence, suppression
from contacts import events, persons
from contacts.points import keeping
from crypto import blind_index
from messaging import bounces, domain_reports, evidence, feedback, happened, reconcile
from messaging.answers import taking
from messaging.answers.sealing import Erased
from messaging.bounces import Heard, Kind, Verdict
from messaging.bounces.verdict import FULL
from messaging.domain_reports import keeping as reports
from messaging.domain_reports import unpacking
from messaging.hearing import providers, return_path, signed
from messaging.models import Answer, Message, Returned
from messaging.protection.keys import keeping as keeping_keys
from messaging.protection.keys.reading import KeyRefused
from messaging.undelivered import cases

HEARING = Actor("system", "hearing")
SOFT_MOST = 5
SOFT_OVER = timedelta(days=7)
SOFT_WITHIN = timedelta(days=30)
"""An address is given up after five messages that it had no room for, over a week or longer."""
OBJECTIONS = frozenset({"abuse", "opt-out", "opt-out-list", "other"})
"""Feedback types that are a person's no; the others report on mail (`auth-failure`, RFC 9991), or
take a complaint back: neither counts among complaints."""
REPORT = "domain_report"
"""What a report on a domain of ours is called, among the kinds of what came back."""
_KINDS = {
    Kind.BOUNCE: Returned.Kind.BOUNCE,
    Kind.COMPLAINT: Returned.Kind.COMPLAINT,
    Kind.AUTO_REPLY: Returned.Kind.AUTO_REPLY,
    Kind.OTHER: Returned.Kind.REPLY,
}


def _kind(heard: Heard) -> Returned.Kind:
    if heard.kind is Kind.COMPLAINT and heard.feedback_type not in OBJECTIONS:
        return Returned.Kind.FEEDBACK
    return _KINDS[heard.kind]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one mail: `matched` to a message of ours, `repeated` if known already."""

    kind: str
    matched: bool
    repeated: bool = False


def take(raw: bytes, *, source: str, now: datetime) -> Taken:
    """Take in a mail for the current organisation."""
    if (report := unpacking.of_mail(raw)) is not None:
        return _reported(report, source=source, now=now)
    heard = bounces.read(raw)
    found = taken(heard, mark=hashlib.sha256(raw).hexdigest(), source=source, now=now)
    if heard.kind is Kind.OTHER and found.matched and not found.repeated:
        with acting_as(HEARING):
            _keep_key(raw, heard, now=now)
    return found


def _keep_key(raw: bytes, heard: Heard, *, now: datetime) -> None:
    """Keep the key of whoever signed the reply, where it is new and nothing better stands."""
    message = message_of(heard)
    if message is None:
        return
    try:
        address = evidence.merged(message).recipient
        key = signed.key_of(raw, sender=address)
        if key is None:
            return
        person = persons.standing_for([message.contact_id])[message.contact_id]
        if not keeping_keys.stands(person, key, now=now):
            keeping_keys.add(person, key, source="mail", now=now)
    except (evidence.Gone, KeyRefused):
        return  # not usable, or a better one stands: mail goes on as before


def _reported(packed: bytes, *, source: str, now: datetime) -> Taken:
    with acting_as(HEARING):
        try:
            new = reports.take(packed, source=source, now=now)
        except domain_reports.ReportRefused:
            reports.refused(source=source)
            return Taken(REPORT, matched=False)
    return Taken(REPORT, matched=True, repeated=not new)


def taken(heard: Heard, *, mark: str, source: str, now: datetime) -> Taken:
    """Take in what was read already; the same `mark` counts once."""
    with acting_as(HEARING), transaction.atomic():
        precedence.hold_for_withdrawal()  # before rows of messages are locked
        message = message_of(heard)
        rows = _kept(mark, heard, message, source=source, now=now)
        if not rows:
            return Taken(_kind(heard), message is not None, repeated=True)
        if message is not None:
            settle(message, now=now)
            _act(heard, message, now=now)
        trail.record_many(_entry(row) for row in rows)
    return Taken(_kind(heard), message is not None)


def belongs_here(raw: bytes) -> bool:
    """Say whether the current organisation sent what this mail answers, or reports on."""
    if (report := unpacking.of_mail(raw)) is not None:
        return reports.concerns_us(report)
    return message_of(bounces.read(raw)) is not None


def message_of(heard: Heard) -> Message | None:
    """Return our message that came back, by its number in the envelope, its Message-ID, or the
    return path that it came to.

    All hold the message's public id, 122 random bits that only who had the mail can know: a
    forged bounce would have to be the recipient's own.
    """
    named = [
        heard.envelope_id,
        *(one.strip("<>").partition("@")[0] for one in heard.message_ids),
        *(found.hex for one in heard.returned_to if (found := return_path.read(one))),
    ]
    ids = [found for one in named if (found := _public_id(one.partition(".")[0]))]
    known = Message.objects.filter(public_id__in=ids).select_related("version")
    by_id = {one.public_id: one for one in known}
    return next((by_id[one] for one in ids if one in by_id), None)


def _public_id(value: str) -> UUID | None:
    try:
        return UUID(hex=value) if len(value) == 32 else None
    except ValueError:
        return None


def _kept(
    mark: str, heard: Heard, message: Message | None, *, source: str, now: datetime
) -> list[Returned]:
    """Write what is new of it; nothing if the whole mail is known."""
    verdicts = heard.verdicts or (None,)
    rows = [_row(heard, verdict, message, source=source, now=now) for verdict in verdicts]
    marks = [f"{mark} {place}" for place in range(len(rows))]
    for row, digest in zip(
        rows, blind_index.tokens(tenancy.current(), "returned", marks), strict=True
    ):
        row.digest = digest
    known = {
        bytes(one)
        for one in Returned.objects.filter(digest__in=[row.digest for row in rows]).values_list(
            "digest", flat=True
        )
    }
    return Returned.objects.bulk_create([row for row in rows if bytes(row.digest) not in known])


def _row(
    heard: Heard, verdict: Verdict | None, message: Message | None, *, source: str, now: datetime
) -> Returned:
    row = Returned(
        kind=_kind(heard),
        source=source,
        received_at=now,
        reviewed_at=now if message else None,
    )
    if message is not None:
        row.message_id, row.contact_id = message.pk, message.contact_id
    if verdict is not None:
        row.meaning, row.dead = verdict.kind.value, verdict.dead
        row.status, row.reply = verdict.status, verdict.reply
        row.provider = providers.of(verdict.recipient)
        row.evidence = [one[:40] for one in verdict.evidence]
    return row


def settle(message: Message, *, now: datetime) -> None:
    """Whatever came back was handed over: an unclear message is settled by that."""
    if message.state == Message.State.UNKNOWN:
        reconcile.reconcile({message.message_id_header}, complete_until=None, now=now)


def _act(heard: Heard, message: Message, *, now: datetime) -> None:
    match heard.kind:
        case Kind.BOUNCE:
            _bounced(heard.verdicts, message, now=now)
        case Kind.COMPLAINT if heard.feedback_type in OBJECTIONS:
            _complained(message, now=now)
        case Kind.OTHER:
            _replied(heard, message, now=now)


def _bounced(verdicts: Collection[Verdict], message: Message, *, now: datetime) -> None:
    failed = [one for one in verdicts if one.action not in _NOT_FAILED and not _arrived(one)]
    if not failed:
        return
    _event(message, "message.bounced", now=now)
    if cases.concerns(message.classes):
        cases.open_many([(message.pk, failed[0].status or failed[0].kind.value)], now=now)
    full = any(one.kind in FULL for one in failed)
    if any(one.dead for one in failed) or (full and _often(message.contact_id, now=now)):
        _give_up(message, now=now)


_NOT_FAILED = frozenset({"delayed", "delivered", "relayed", "expanded"})


def _arrived(verdict: Verdict) -> bool:
    return verdict.kind is bounces.Class.DELIVERED


def _often(contact_id: int, *, now: datetime) -> bool:
    """Say whether the address had no room for too many messages over too long a time."""
    rows = Returned.objects.filter(
        contact_id=contact_id,
        kind=Returned.Kind.BOUNCE,
        meaning__in=[one.value for one in FULL],
        received_at__gte=now - SOFT_WITHIN,
    )
    times = dict(rows.order_by("-received_at").values_list("message_id", "received_at"))
    return len(times) >= SOFT_MOST and max(times.values()) - min(times.values()) >= SOFT_OVER


def _give_up(message: Message, *, now: datetime) -> None:
    """Suppress the address that the message went to, whatever the person's address is today."""
    contact_id = message.contact_id
    try:
        address = evidence.merged(message).recipient
    except evidence.Gone:
        suppression.suppress_contact(
            contact_id, reason="hard_bounce", received_by="bounce", now=now
        )
        return
    keeping.bounced(contact_id, "email", address, now=now)
    suppression.suppress(
        address, reason="hard_bounce", received_by="bounce", now=now, contact_id=contact_id
    )


def _complained(message: Message, *, now: datetime) -> None:
    """Record a no by the message's own number: providers leave the address out (EM-12)."""
    for purpose in {"marketing", feedback.scope(message)}:
        ledger.opt_out(
            message.contact_id,
            channel="email",
            purpose=purpose,
            received_by="complaint",
            now=now,
        )
    _event(message, "message.complained", now=now)


def _replied(heard: Heard, message: Message, *, now: datetime) -> None:
    answer = None
    with suppress(Erased):
        answer = taking.kept(message, heard.words, way=Answer.Way.MAIL, now=now)
    taking.told(message, heard.words, answer=answer, now=now)


def _event(message: Message, kind: str, *, now: datetime) -> None:
    event = happened.event_of(message, kind, now=now)
    if event is not None:
        events.append([replace(event, key=None)], now=now)


def _entry(row: Returned) -> trail.Entry:
    subject = f"message:{row.message_id}" if row.message_id else f"returned:{row.pk}"
    facts = {"kind": row.kind, "source": row.source}
    return trail.Entry(
        "message.returned",
        subject=subject,
        detail=facts | ({"class": row.meaning} if row.meaning else {}),
    )
