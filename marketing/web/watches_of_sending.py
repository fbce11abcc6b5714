"""What Home says of messages: which did not go, and what holds sending back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from accounts.roles import Permission
from marketing.web.addresses import address
from marketing.web.attention import MOST, Matter, told, watches
from messaging.models import Message, Stop, Undelivered

OVERDUE_AFTER = timedelta(minutes=15)
RECENT = timedelta(days=7)


@watches(Permission.DELIVERY_VIEW)
def stopped_pools(now: datetime) -> Matter | None:
    """What stopped by itself, or after a restore; what a person paused, that person knows."""
    stops = list(Stop.objects.filter(ended_at=None).exclude(cause=Stop.Cause.STAFF))
    holding = [one for one in stops if not one.warning]
    if not stops:
        return None
    if any(one.cause == Stop.Cause.RESTORED for one in holding):
        said = "Nothing is sent: the database is older than what was sent. Compare, then go on."
    elif holding:
        said = "Too many refusals or complaints. The other pools go on."
    else:
        said = "Complaints passed 0.1 %. At 0.3 % marketing stops by itself."
    return Matter(
        len(stops),
        "sending pool needs a look" if len(stops) == 1 else "sending pools need a look",
        said,
        reverse("delivery-out"),
        "See what holds sending back",
        "bad" if holding else "warn",
    )


@watches(Permission.MESSAGES_VIEW)
def failed_messages(now: datetime) -> Matter | None:
    since = now - RECENT
    failed = Message.objects.filter(state=Message.State.FAILED, created_at__gte=since)
    return told(
        failed[:MOST].count(),
        ("message failed this week", "messages failed this week"),
        "The mail server refused for good, or nothing could be rendered.",
        _of_state("failed"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def undelivered_messages(now: datetime) -> Matter | None:
    """What said something of a person and did not arrive: a person decides (EM-29)."""
    return told(
        Undelivered.objects.filter(closed_at=None)[:MOST].count(),
        ("person was not reached", "people were not reached"),
        "Verify the address by another channel; nothing follows to a new one by itself.",
        reverse("undelivered"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def unclear_messages(now: datetime) -> Matter | None:
    unclear = Message.objects.filter(state=Message.State.UNKNOWN)
    return told(
        unclear[:MOST].count(),
        ("message has an unclear fate", "messages have an unclear fate"),
        "They were being handed over when something broke, and are never sent again blindly.",
        _of_state("unknown"),
        "bad",
    )


@watches(Permission.MESSAGES_VIEW)
def overdue_messages(now: datetime) -> Matter | None:
    overdue = Message.objects.filter(
        state__in=[Message.State.QUEUED, Message.State.DEFERRED], due_at__lt=now - OVERDUE_AFTER
    )
    return told(
        overdue[:MOST].count(),
        ("message is overdue", "messages are overdue"),
        "They should have left over a quarter of an hour ago: are the worker and mail server up?",
        _of_state("queued"),
        "warn",
    )


def _of_state(state: str) -> str:
    page = address("messages")
    return f"{page}?state={state}" if page else ""
