"""What comes back from a mail: opened, followed, unsubscribed. Events for workflows, at once.

Everything here begins with a token from a mail, which names the organisation and the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from accounts import tenancy
from audit import trail
from audit.actor import Actor, acting_as
from consent import ledger, precedence
from consent.models import OptOut
from contacts import events, persons
from contacts.models import Contact, Event
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import links, tracking
from messaging.hearing import visits
from messaging.hearing.visits import Came
from messaging.machines import Verdict
from messaging.models import Link, Message

FEEDBACK = Actor("system", "feedback")


@contextmanager
def message_of(token: str, *, purpose: str, now: datetime) -> Iterator[Message]:
    """Act for the token's organisation with its message; raises `TokenRefused` for all else."""
    read = tokens.read(token, purpose=purpose, now=now)
    with tenancy.acting_for(read.organisation_id), acting_as(FEEDBACK):
        message = Message.objects.filter(id=read.payload["m"]).select_related("version").first()
        if message is None:
            raise TokenRefused
        yield message


def opened(token: str, *, visit: Came, now: datetime) -> Verdict:
    """Record that a message's picture was loaded."""
    with message_of(token, purpose=links.ENGAGEMENT, now=now) as message:
        return visits.note(message, "message.opened", visit, now=now)


def clicked(token: str, number: int, *, visit: Came, now: datetime) -> str:
    """Record that a link was followed; return where it goes: what this version's author wrote."""
    with message_of(token, purpose=links.ENGAGEMENT, now=now) as message:
        link = Link.objects.filter(version_id=message.version_id, number=number).first()
        if link is None:
            raise TokenRefused
        visits.note(message, "message.clicked", visit, number=number, now=now)
        return link.destination


def _record(message: Message, kind: str, *, now: datetime) -> None:
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
    )
    events.append([event], now=now)


def unsubscribe(token: str, *, one_click: bool, now: datetime) -> None:
    """Stop mails of this kind to this person, at once and for good (RFC 8058, CS-01).

    A mail program may post again what the page did already: the trail has both, the person's
    timeline one.
    """
    with message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message, transaction.atomic():
        told = _told_already(message)
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
        if not told:
            _record(message, "message.unsubscribed", now=now)


def _told_already(message: Message) -> bool:
    """Say whether this no stands, and this very message brought it; nobody says it meanwhile."""
    precedence.hold_for_withdrawal()
    stands = OptOut.objects.filter(
        contact_id=message.contact_id,
        channel="email",
        purpose=scope(message),
        topic=message.topic,
        lifted_at=None,
        until=None,
    )
    told = Event.objects.filter(
        contact_id__in=persons.ids_of([message.contact_id])[message.contact_id],
        kind="message.unsubscribed",
        message_id=message.pk,
    )
    return stands.exists() and told.exists()


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
