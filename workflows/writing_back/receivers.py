"""Who is told what workflows write back: added, changed, helped past what does not go through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from audit import actions, trail
from workflows import writing_back
from workflows.models import WriteBack
from workflows.webhooks.models import Endpoint
from workflows.writing_back import pushing, telling
from workflows.writing_back.models import WriteBackReader, WriteBackReceiver, WriteBackSetAside

SETTINGS = ("form", "source", "application", "facility", "document")

actions.register("write_back_receiver.added", ("form",))
actions.register("write_back_receiver.changed", ("changed",))
actions.register("write_back_receiver.archived", ())
actions.register("write_back_receiver.passed_over", ("position",))
actions.register("write_back_receiver.sent_again", ("count",))
actions.register("write_backs.acknowledged", ("reader", "position"))


class BeyondTheEnd(ValueError):
    """A position that was not given yet was acknowledged."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A receiver, how many wait for it, and how many it would not have."""

    receiver: WriteBackReceiver
    waiting: int
    aside: int


def missing(endpoint: Endpoint, form: str) -> list[str]:
    """Return the classes that the endpoint would have to be allowed for this form."""
    return sorted(telling.needed(form) - set(endpoint.classes))


@transaction.atomic
def add(
    endpoint: Endpoint, given: Mapping[str, Any], *, from_now: bool, now: datetime
) -> WriteBackReceiver:
    """Tell the endpoint what comes, or all there is and what comes."""
    made = WriteBackReceiver.objects.create(
        endpoint=endpoint,
        position=writing_back.last() if from_now else 0,
        due_at=now,
        created_at=now,
        **{key: given[key] for key in SETTINGS if key in given},
    )
    trail.record("write_back_receiver.added", subject=_subject(made), detail={"form": made.form})
    return made


@transaction.atomic
def change(receiver: WriteBackReceiver, given: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Set what is given, and try at once; return the names of what differs now."""
    changed = sorted(
        key for key in SETTINGS if key in given and getattr(receiver, key) != given[key]
    )
    if changed:
        _row(receiver).update(**{key: given[key] for key in changed}, due_at=now)
        trail.record(
            "write_back_receiver.changed", subject=_subject(receiver), detail={"changed": changed}
        )
    return changed


@transaction.atomic
def archive(receiver: WriteBackReceiver, *, now: datetime) -> None:
    """Tell it nothing more. The feed keeps everything for others."""
    _row(receiver).update(archived_at=now)
    trail.record("write_back_receiver.archived", subject=_subject(receiver))


@transaction.atomic
def pass_over(receiver: WriteBackReceiver, *, now: datetime) -> bool:
    """Set aside what comes next and does not go through; say whether there was anything."""
    held = WriteBackReceiver.objects.select_for_update().get(pk=receiver.pk)
    told = writing_back.read(after=held.position, limit=1) if held.attempts else []
    if not told:
        return False
    position = told[0].position
    pushing.set_aside(held, position, held.reason, now=now)
    _row(held).update(position=position, attempts=0, reason="", due_at=now, fence=held.fence + 1)
    trail.record(
        "write_back_receiver.passed_over", subject=_subject(held), detail={"position": position}
    )
    return True


@transaction.atomic
def send_again(receiver: WriteBackReceiver, *, now: datetime) -> int:
    """Try once more all that was set aside; return how many that is."""
    aside = WriteBackSetAside.objects.filter(receiver=receiver, again=False).update(again=True)
    if aside:
        _row(receiver).update(due_at=now)
        trail.record(
            "write_back_receiver.sent_again", subject=_subject(receiver), detail={"count": aside}
        )
    return aside


def standing() -> list[Standing]:
    """Return the receivers that are told, each with its counts."""
    rows = WriteBackReceiver.objects.filter(archived_at=None).select_related("endpoint")
    aside = dict(
        WriteBackSetAside.objects.values_list("receiver_id").annotate(many=Count("id")).order_by()
    )
    return [
        Standing(row, behind(row.position), aside.get(row.pk, 0))
        for row in rows.order_by("endpoint__name")
    ]


def troubled(attempts: int) -> int:
    """Return how many would not have something, or answered so many times in a row not well."""
    aside = WriteBackSetAside.objects.filter(receiver=OuterRef("pk"))
    wrong = Q(attempts__gte=attempts) | Q(Exists(aside))
    return WriteBackReceiver.objects.filter(wrong, archived_at=None).count()


def behind(position: int) -> int:
    """Return how many were told after a position."""
    return WriteBack.objects.filter(position__gt=position).count()


def of_endpoint(endpoint_id: UUID) -> bool:
    """Say whether the endpoint is told what workflows write back."""
    return WriteBackReceiver.objects.filter(endpoint_id=endpoint_id, archived_at=None).exists()


def acknowledged(name: str) -> int:
    """Return how far a reader of the feed has acknowledged it; 0 for one that never did."""
    row = WriteBackReader.objects.filter(name=name).first()
    return row.position if row else 0


@transaction.atomic
def acknowledge(name: str, position: int, *, now: datetime) -> int:
    """Keep how far a reader has come; return its place, which never goes back.

    Raises BeyondTheEnd for a position that was not given yet.
    """
    if position > writing_back.last():
        raise BeyondTheEnd(position)
    WriteBackReader.objects.get_or_create(
        name=name, defaults={"position": 0, "acknowledged_at": now}
    )
    row = WriteBackReader.objects.select_for_update().get(name=name)
    if position > row.position:
        row.position, row.acknowledged_at = position, now
        row.save()
        trail.record("write_backs.acknowledged", detail={"reader": name, "position": position})
    return row.position


def _row(receiver: WriteBackReceiver) -> Any:
    return WriteBackReceiver.objects.filter(pk=receiver.pk)


def _subject(receiver: WriteBackReceiver) -> str:
    return f"write_back_receiver:{receiver.pk}"
