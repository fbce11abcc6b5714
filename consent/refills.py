"""How long ago a person's prescription lapsed: what a refill reminder rests on (164.501; PR-17).

HHS allows reminders about a drug that is being prescribed, its generic equivalent, or one that has
lapsed within the last 90 days (FAQ 1518). Which drug is meant is a code group: a brand and its
generics are codes of one group. The records are opened for the rule alone; nobody sees them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from accounts import tenancy
from accounts.models import Organisation
from contacts import code_groups
from contacts.segments import opening

NEVER: Final = 1_000_000
"""Days, for who never had the drug as far as the record knows."""
CURRENT: Final = frozenset({"active", "on-hold", "draft", "unknown"})
"""States in which a prescription runs (FHIR MedicationRequest.status)."""
_FIELD: Final = "medications"
BATCH: Final = 8_192


def lapsed(asked: Iterable[tuple[int, UUID]], *, now: datetime) -> dict[tuple[int, UUID], int]:
    """Return, for each contact and drug, how many days ago it lapsed: 0 where it runs."""
    by_group: dict[UUID, set[int]] = defaultdict(set)
    for contact_id, group in asked:
        by_group[group].add(contact_id)
    if not by_group:
        return {}
    today = now.astimezone(Organisation.objects.get(id=tenancy.current()).zone).date()
    found: dict[tuple[int, UUID], int] = {}
    for group, people in by_group.items():
        codes, held = _codes_of(group), _medications(people)
        for one in people:
            found[one, group] = days(held.get(one, ()), codes, today=today)
    return found


def days(
    items: Iterable[Mapping[str, Any]], codes: Collection[tuple[str, str]], *, today: date
) -> int:
    """Return how many days ago the latest of these prescriptions lapsed. Pure."""
    since = [_since(item, today) for item in items if _codes(item) & set(codes)]
    return min(since, default=NEVER)


def _codes_of(group: UUID) -> frozenset[tuple[str, str]]:
    """Return the drug's codes; none where the group is out of use, so that nobody is reminded."""
    try:
        return code_groups.codes_of(group)
    except code_groups.GroupGone:
        return frozenset()


def _since(item: Mapping[str, Any], today: date) -> int:
    ended = item.get("end")
    if ended is None and item.get("status") in CURRENT:
        return 0
    lapsed_on = ended or item.get("date")
    if lapsed_on is None:
        return NEVER
    return max(0, (today - date.fromisoformat(str(lapsed_on)[:10])).days)


def _codes(item: Mapping[str, Any]) -> set[tuple[str, str]]:
    also = {(str(one[0]), str(one[1])) for one in item.get("also") or ()}
    return {(str(item.get("system", "")), str(item.get("code", ""))), *also}


def _medications(people: Collection[int]) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    ids = sorted(people)
    for at in range(0, len(ids), BATCH):
        opened = opening.values_of(tenancy.current(), ids[at : at + BATCH], {_FIELD})
        found |= {one: list(values.get(_FIELD) or ()) for one, values in opened.items()}
    return found
