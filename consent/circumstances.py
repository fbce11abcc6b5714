"""What the rules of States, minors and quiet hours need to know of people: age and State.

Both stand in sealed records, which are opened for machines and only for those of whom the answer
may depend on it; nobody sees the values, and nothing is kept of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts import tenancy
from consent.states import code_of
from contacts.segments import opening

BATCH = 8_192
FIELDS = frozenset({"birth_date", "state", "country"})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of one person; empty where the record does not say."""

    birth_date: date | None = None
    state: str = ""


UNKNOWN = Circumstances()


def of(contact_ids: Collection[int]) -> dict[int, Circumstances]:
    """Return the circumstances of each contact that is there."""
    ids = sorted(set(contact_ids))
    found: dict[int, Circumstances] = {}
    for at in range(0, len(ids), BATCH):
        opened = opening.values_of(tenancy.current(), ids[at : at + BATCH], FIELDS)
        found |= {one: _read(values) for one, values in opened.items()}
    return found


def _read(values: dict[str, Any]) -> Circumstances:
    born = values.get("birth_date")
    state = code_of(values.get("state", ""), country=values.get("country", ""))
    return Circumstances(date.fromisoformat(born) if born else None, state)
