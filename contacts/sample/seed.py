"""Put the sample clinic's patients into the database."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from django.db import transaction

from contacts.importing.store import store
from contacts.models import Contact
from contacts.sample.patients import people

SEED = 20261122
BATCH = 2_000


def patients(count: int, *, now: datetime, seed: int = SEED) -> int:
    """Store so many invented patients where there is nobody yet; return how many were stored."""
    if Contact.objects.exists():
        return 0
    coming, stored = people(seed, count, now=now), 0
    with transaction.atomic():
        while batch := list(islice(coming, BATCH)):
            stored += store(batch, now=now).created
    return stored
