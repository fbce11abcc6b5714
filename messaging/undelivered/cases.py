"""Open a case, send again once somebody verified the address, or close it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import actions, trail
from audit.actor import current
from crypto.ids import uuid7
from crypto.rows import insert_rows_returning
from messaging import attachments, outbox, protect
from messaging.attachments import Given
from messaging.models import Attachment, Message, Undelivered
from messaging.outbox import Enqueued, Order

RESENDS = UUID("018f0000-0000-7000-8000-00007e5e4d00")
"""The `source` of everything that is sent again by hand."""

actions.register("message.undelivered", ("cause",))
actions.register("message.address_verified", ("channel",))
actions.register("message.resent", ("channel", "as"))
actions.register("message.undelivered_closed", ("outcome",))


class NotOpen(LookupError):
    """There is no open case: nothing was undelivered, or somebody has settled it."""


class NotVerified(ValueError):
    """Nobody said by which other channel the address was verified."""


def concerns(classes: Iterable[str]) -> bool:
    """Say whether a message says more of a person than who and where she is."""
    return protect.demand(list(classes)) > protect.Demand.RELAY


def open_many(failed: Iterable[tuple[int, str]], *, now: datetime) -> int:
    """Open a case for each message and cause; one that has a case keeps it."""
    organisation_id = tenancy.current()
    made = insert_rows_returning(
        "messaging_undelivered",
        ("id", "organisation_id", "message_id", "cause", "opened_at", "verified_by", "channel",
         "outcome"),
        ("uuid", "int4", "int8", "text", "timestamptz", "text", "text", "text"),
        ((uuid7(), organisation_id, one, cause[:40], now, "", "", "") for one, cause in failed),
        after="ON CONFLICT (message_id) DO NOTHING RETURNING message_id, cause",
    )  # fmt: skip
    trail.record_many(
        trail.Entry(
            "message.undelivered",
            subject=f"message:{number}",
            detail={"cause": cause.replace(" ", ".")},
        )
        for number, cause in made
    )
    return len(made)


@transaction.atomic
def resend(case_id: UUID, *, channel: str, now: datetime) -> Enqueued:
    """Send it again to the address that stands now, which the acting person has verified.

    The gate is asked as for any message. Raises `NotOpen` and `NotVerified`.
    """
    if channel not in Undelivered.Channel.values:
        raise NotVerified
    case = _open(case_id)
    row = Message.objects.get(pk=case.message_id)
    subject = f"message:{row.pk}"
    trail.record("message.address_verified", subject=subject, detail={"channel": channel})
    (made,) = outbox.enqueue([_again(row, now=now)], now=now)
    if made.state == "queued":
        _with_its_files(row, made.message_id, now=now)
    case.verified_by, case.channel = current().id, channel
    case.resent_as, case.outcome, case.closed_at = (
        made.message_id,
        Undelivered.Outcome.RESENT,
        now,
    )
    case.save()
    trail.record(
        "message.resent", subject=subject, detail={"channel": channel, "as": made.message_id}
    )
    return made


def _with_its_files(row: Message, message_id: int, *, now: datetime) -> None:
    """Let the files of the first message go with the second."""
    files = attachments.opened(Attachment.objects.filter(message_id=row.pk, answer_id=None))
    if files:
        given = [Given(one.name, one.content) for one in files]
        attachments.attach(message_id, given, now=now)


def _again(row: Message, *, now: datetime) -> Order:
    return Order(
        contact_id=row.contact_id,
        template_version=row.version_id,
        purpose=row.purpose,
        source=RESENDS,
        step=str(row.public_id),
        visit=1,
        occurrence="",
        due_at=now,
        path_classes=frozenset(row.classes),
    )


@transaction.atomic
def close(case_id: UUID, *, outcome: str, now: datetime) -> None:
    """Settle it without sending again."""
    if outcome not in (Undelivered.Outcome.OTHER_MEANS, Undelivered.Outcome.NOT_NEEDED):
        raise ValueError(outcome)
    case = _open(case_id)
    case.outcome, case.closed_at = outcome, now
    case.save()
    trail.record(
        "message.undelivered_closed",
        subject=f"message:{case.message_id}",
        detail={"outcome": outcome},
    )


def _open(case_id: UUID) -> Undelivered:
    case = Undelivered.objects.select_for_update().filter(pk=case_id, closed_at=None).first()
    if case is None:
        raise NotOpen
    return case
