"""How the last day went, in a few figures that link to their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import User
from accounts.roles import Permission
from contacts.models import Contact, Event
from marketing.web.addresses import address
from messaging.models import Message

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    label: str
    value: int
    address: str = ""
    kind: str = ""
    note: str = ""


def figures(user: User, *, now: datetime) -> list[Figure]:
    """Return the figures that the role may see; machines' opens and clicks do not count."""
    found: list[Figure] = []
    if user.may(Permission.MESSAGES_VIEW):
        found += _messages(now - A_DAY)
    if user.may(Permission.CONTACTS_VIEW):
        arrived = Contact.objects.filter(created_at__gte=now - A_DAY, erased_at=None).count()
        found.append(Figure("New people", arrived, address("contacts")))
    return found


def _messages(since: datetime) -> list[Figure]:
    page = address("messages")
    sent, refused, failed = (
        f"{page}?state={state}" if page else "" for state in ("sent", "refused", "failed")
    )
    states = Message.objects.filter(created_at__gte=since).aggregate(
        refused=Count("id", filter=Q(state=Message.State.REFUSED)),
        failed=Count("id", filter=Q(state=Message.State.FAILED)),
    )
    happened = _people(since)
    return [
        Figure("Sent", happened.get("message.sent", (0, 0))[0], sent),
        Figure("Clicked", happened.get("message.clicked", (0, 0))[1], note="people"),
        Figure("Said no", happened.get("message.unsubscribed", (0, 0))[1], note="people"),
        Figure("Not permitted", states["refused"], refused, note="by consent or law"),
        Figure("Failed", states["failed"], failed, kind="bad" if states["failed"] else ""),
    ]


def _people(since: datetime) -> dict[str, tuple[int, int]]:
    """Return, for each kind, how many events and of how many people."""
    kinds = ("message.sent", "message.clicked", "message.unsubscribed")
    rows = (
        Event.objects.filter(received_at__gte=since, machine=False, kind__in=kinds)
        .values("kind")
        .annotate(events=Count("id"), people=Count("contact_id", distinct=True))
    )
    return {row["kind"]: (row["events"], row["people"]) for row in rows}
