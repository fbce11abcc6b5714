"""Endpoints as they stand: which there are, what each may be told, and how each answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from workflows.webhooks.models import Endpoint

REST = timedelta(seconds=30)


def by_id(ids: Collection[UUID]) -> dict[UUID, Endpoint]:
    return {one.pk: one for one in Endpoint.objects.filter(pk__in=ids)}


def in_use() -> list[Endpoint]:
    return list(Endpoint.objects.filter(archived_at=None).order_by("name"))


def refusal(endpoint: Endpoint, classes: Collection[str], *, today: date) -> str:
    """Return why the endpoint may not be told these classes; empty where it may (W8, PR-32)."""
    if set(classes) - set(endpoint.classes):
        return "class_not_allowed"
    if not classes or endpoint.own:
        return ""
    begun, ends = endpoint.agreement_from, endpoint.agreement_until
    if begun is None or begun > today or (ends is not None and ends < today):
        return "no_agreement"
    return "" if endpoint.recipient and endpoint.address else "no_recipient"


def heard(endpoint: Endpoint, status: int, *, silent: bool, now: datetime) -> None:
    """Keep what it answered last; one that did not answer rests."""
    row = Endpoint.objects.filter(pk=endpoint.pk)
    if status:
        row.update(last_status=status, answered_at=now, rests_until=None)
    elif silent:
        row.update(last_status=0, rests_until=now + REST)


def titled(ids: Collection[UUID] | None = None) -> dict[UUID, str]:
    """Return what the endpoints are called."""
    asked = Q() if ids is None else Q(pk__in=ids)
    return dict(Endpoint.objects.filter(asked).values_list("pk", "name"))
