"""How the last day went, in a few figures that link to their rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from accounts.models import User
from accounts.roles import Permission
from contacts.fields import DataClass
from contacts.models import Contact, Event
from contacts.segments.told import Question, Reader, reader
from marketing.web.addresses import address
from messaging.models import Message

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Figure:
    label: str
    value: int | str
    address: str = ""
    kind: str = ""
    note: str = ""


def figures(user: User, *, now: datetime) -> list[Figure]:
    """Return the figures that the role may see; machines' opens and clicks do not count."""
    found: list[Figure] = []
    if user.may(Permission.MESSAGES_VIEW):
        found += _messages(now - A_DAY, _reader(user, now))
    if user.may(Permission.CONTACTS_VIEW):
        arrived = Contact.objects.filter(created_at__gte=now - A_DAY, erased_at=None).count()
        found.append(Figure("New people", arrived, address("contacts")))
    return found


def _reader(user: User, now: datetime) -> Reader:
    """Who gets which message says what people have; how many do, too, on a quiet day."""
    says = (DataClass.CLINICAL.value, DataClass.COVERAGE.value)
    return reader(says, user.data_classes, asker=user.pk, now=now)


def _messages(since: datetime, told_to: Reader) -> list[Figure]:
    page = address("messages")
    sent, refused, failed = (
        f"{page}?state={state}" if page else "" for state in ("sent", "refused", "failed")
    )
    states = Message.objects.filter(created_at__gte=since).aggregate(
        refused=Count("id", filter=Q(state=Message.State.REFUSED)),
        failed=Count("id", filter=Q(state=Message.State.FAILED)),
    )
    happened = _people(since)
    counted = {
        "Sent": happened.get("message.sent", (0, 0))[0],
        "Clicked": happened.get("message.clicked", (0, 0))[1],
        "Said no": happened.get("message.unsubscribed", (0, 0))[1],
        "Not permitted": states["refused"],
        "Failed": states["failed"],
    }
    cells: dict[Question, int] = {("last day", what): n for what, n in counted.items()}
    answers = told_to.many(cells, free=True)
    told = {what: str(answers["last day", what]) for what in counted}
    return [
        Figure("Sent", told["Sent"], sent),
        Figure("Clicked", told["Clicked"], note="people"),
        Figure("Said no", told["Said no"], note="people"),
        Figure("Not permitted", told["Not permitted"], refused, note="by consent or law"),
        Figure("Failed", told["Failed"], failed, kind="bad" if states["failed"] else ""),
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
