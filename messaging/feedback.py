"""What comes back from a mail: opened, followed, unsubscribed. Events for workflows, at once.

Everything here begins with a token from a mail, which names the organisation and the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from consent import ledger
from contacts import events, persons
from contacts.models import Contact
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import links, machines, tracking
from messaging.machines import BURST, Verdict
from messaging.models import Link, Message

FEEDBACK = Actor("system", "feedback")


@dataclass(frozen=True, slots=True)
class Visit:
    """How a request came: what the verdict on person or program is made from."""

    user_agent: str
    method: str = "GET"
    purpose: str = ""


@contextmanager
def message_of(token: str, *, purpose: str, now: datetime) -> Iterator[Message]:
    """Act for the token's organisation with its message; raises `TokenRefused` for all else."""
    read = tokens.read(token, purpose=purpose, now=now)
    with tenancy.acting_for(read.organisation_id), acting_as(FEEDBACK):
        message = Message.objects.filter(id=read.payload["m"]).select_related("version").first()
        if message is None:
            raise TokenRefused
        yield message


def opened(token: str, *, visit: Visit, now: datetime) -> Verdict:
    """Record that a message's picture was loaded."""
    with message_of(token, purpose=links.ENGAGEMENT, now=now) as message:
        verdict = _judge(message, visit, now=now)
        _record(message, "message.opened", verdict, now=now)
        return verdict


def clicked(token: str, number: int, *, visit: Visit, now: datetime) -> str:
    """Record that a link was followed; return where it goes: what this version's author wrote."""
    with message_of(token, purpose=links.ENGAGEMENT, now=now) as message:
        link = Link.objects.filter(version_id=message.version_id, number=number).first()
        if link is None:
            raise TokenRefused
        with transaction.atomic():
            before = _just_before(message, now=now)
            verdict = _judge(message, visit, now=now, just_before=before)
            if "burst" in verdict.reasons:
                _retract(message, now=now)
            _record(message, "message.clicked", verdict, now=now, label=link.label)
        return link.destination


def _judge(message: Message, visit: Visit, *, now: datetime, just_before: int = 0) -> Verdict:
    return machines.judge(
        method=visit.method,
        user_agent=visit.user_agent,
        at=now,
        sent_at=message.handed_over_at,
        just_before=just_before,
        purpose=visit.purpose,
    )


def _record(
    message: Message, kind: str, verdict: Verdict, *, now: datetime, label: str = ""
) -> None:
    """Append the event; an erased contact's mail still opens, and nothing is kept of it."""
    person = persons.standing_for([message.contact_id])[message.contact_id]
    if not Contact.objects.filter(id=person, erased_at=None).exists():
        return
    event = events.NewEvent(
        contact_id=person,
        through=message.contact_id if message.contact_id != person else None,
        kind=kind,
        occurred_at=now,
        source="mail",
        campaign=message.version.template_id,
        message_id=message.pk,
        link=label,
        machine=verdict.machine,
    )
    events.append([event], now=now)


_CLICKS = """
FROM contacts_event WHERE contact_id = %s AND message_id = %s AND kind = 'message.clicked'
AND occurred_at > %s AND received_at > %s
"""


def _just_before(message: Message, *, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_CLICKS}", _since(message, now=now))
        return int(cursor.fetchone()[0])


def _retract(message: Message, *, now: datetime) -> None:
    """The first links of a burst looked human; the third shows that none of them was."""
    where = _CLICKS.replace("FROM contacts_event", "")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE contacts_event SET machine = true {where} AND NOT machine",
            _since(message, now=now),
        )


def _since(message: Message, *, now: datetime) -> list[int | datetime]:
    return [message.contact_id, message.pk, now - BURST, now - BURST]


def unsubscribe(token: str, *, one_click: bool, now: datetime) -> None:
    """Stop mails of this kind to this person, at once and for good (RFC 8058, CS-01)."""
    with message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message, transaction.atomic():
        with acting_as(Actor("patient", str(message.contact_id))):
            ledger.opt_out(
                message.contact_id,
                channel="email",
                purpose=scope(message),
                topic=message.topic,
                received_by="one_click" if one_click else "link",
                now=now,
            )
            trail.record(
                "message.unsubscribed",
                subject=f"message:{message.pk}",
                detail={"channel": "email", "scope": scope(message), "one_click": one_click},
            )
        _record(message, "message.unsubscribed", Verdict(machine=False), now=now)


def decline_tracking(token: str, *, now: datetime) -> None:
    """Stop measuring this person's opens and clicks (TR-04)."""
    with (
        message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message,
        acting_as(Actor("patient", str(message.contact_id))),
    ):
        tracking.decline(message.contact_id, now=now)


def scope(message: Message) -> str:
    """Return the purpose that a no to this message is a no to: paid marketing is marketing."""
    paid = message.purpose == "remunerated_marketing"
    return "marketing" if paid else message.purpose
