"""A random sample of authorizations for an audit, which can be drawn again.

Who is drawn depends on the seed and the ids alone: the smallest hashes of both. The population is
asked as it stood at the moment of drawing, and nothing in it is ever deleted, so the same seed,
filters and moment draw the same sample years later; its checksum says so.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast, Concat

from audit import actions, trail
from consent.desk import agreements
from consent.desk.agreements import Wanted
from consent.ledger import ConsentInvalid
from consent.notices.models import AuditSample

MOST = 5_000
actions.register("consent.sampled", ("count", "population", "again", "same"))


class Shuffled(Func):
    """A place in the order of one seed."""

    template = "sha256(convert_to(%(expressions)s, 'UTF8'))"


def draw(
    wanted: Wanted, *, size: int, seed: str, drawn_by: str, now: datetime, zone: ZoneInfo
) -> tuple[AuditSample, list[UUID]]:
    """Draw a sample and record what it takes to draw it again."""
    if not 1 <= size <= MOST:
        raise ConsentInvalid(f"size: give a number from 1 to {MOST:,}")
    if not seed.strip() or len(seed) > 64:
        raise ConsentInvalid("seed: give a text of at most 64 characters")
    population = agreements.matching(wanted, now=now, zone=zone).count()
    ids = _drawn(wanted, size=size, seed=seed, now=now, zone=zone)
    with transaction.atomic():
        made = AuditSample.objects.create(
            seed=seed,
            size=size,
            population=population,
            filters=wanted.codes(),
            sha256=checksum(ids),
            drawn_by=drawn_by,
            drawn_at=now,
        )
        _tell(made, len(ids), again=False, same=True)
    return made, ids


def again(sample: AuditSample, *, zone: ZoneInfo) -> tuple[list[UUID], bool]:
    """Draw a recorded sample again; say whether it is the same."""
    wanted = agreements.wanted_of(sample.filters)
    ids = _drawn(wanted, size=sample.size, seed=sample.seed, now=sample.drawn_at, zone=zone)
    same = checksum(ids) == bytes(sample.sha256)
    _tell(sample, len(ids), again=True, same=same)
    return ids, same


def _drawn(wanted: Wanted, *, size: int, seed: str, now: datetime, zone: ZoneInfo) -> list[UUID]:
    place = Shuffled(
        Concat(Value(f"{seed}:"), Cast(F("id"), TextField()), output_field=TextField())
    )
    rows = agreements.matching(wanted, now=now, zone=zone).order_by(place)
    return list(rows.values_list("id", flat=True)[:size])


def checksum(ids: list[UUID]) -> bytes:
    return hashlib.sha256("\n".join(map(str, ids)).encode()).digest()


def _tell(sample: AuditSample, count: int, *, again: bool, same: bool) -> None:
    trail.record(
        "consent.sampled",
        subject=f"sample:{sample.id}",
        detail={"count": count, "population": sample.population, "again": again, "same": same},
    )
