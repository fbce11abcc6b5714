"""Put the sample clinic's patients into the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from django.db import transaction

from contacts.importing.store import store
from contacts.models import Contact
from contacts.records import Change
from contacts.sample import around
from contacts.sample.patients import people

SEED = 20261122
BATCH = 2_000
FAMILIES = 3


def patients(count: int, *, now: datetime, seed: int = SEED) -> int:
    """Store so many invented patients where there is nobody yet; return how many were stored.

    What the product knows beside a record comes with them: a field of the clinic's own, families,
    somebody who is known twice, a code group in use, a file that waits to be imported.
    """
    if Contact.objects.exists():
        return 0
    stored, families = 0, _Families()
    with transaction.atomic():
        site = around.add_site_field(now=now)
        coming = families.seen(_with_site(people(seed, count, now=now), site))
        while batch := list(islice(coming, BATCH)):
            stored += store(batch, now=now).created
        around.live_together(families.found, now=now)
        around.know_twice(families.twice, now=now)
        around.ask_by_group(now=now)
        around.bring_file(now=now)
    return stored


def _with_site(coming: Iterable[Change], field_key: str) -> Iterator[Change]:
    for number, change in enumerate(coming):
        site = around.SITES[number % len(around.SITES)]
        yield replace(change, values={**change.values, field_key: site})


@dataclass(slots=True)
class _Families:
    """Notes, as patients pass, some children and whom they live with, and one grown-up."""

    found: list[tuple[Change, Change]] = field(default_factory=list)
    twice: Change | None = None
    _parent: Change | None = None

    def seen(self, coming: Iterable[Change]) -> Iterator[Change]:
        for change in coming:
            self._note(change)
            yield change

    def _note(self, change: Change) -> None:
        if "marital_status" in change.values:  # grown up
            self.twice = self.twice or change
            self._parent = change
        elif len(self.found) < FAMILIES and self._parent is not None:
            home = self._parent.values["address_line"]
            if change.values["address_line"] == home:
                self.found.append((change, self._parent))
