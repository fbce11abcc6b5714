"""How often people were written to, and who may count it now: frequency caps without a race.

A worker that is about to fill a place under a cap first holds the person's row; whoever it cannot
hold belongs to another worker at this moment and is left for the next round. So two workers never
both count the same last free place. Where no cap stands, nothing is held and nothing is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import chain

from accounts import tenancy
from consent.choices import often
from consent.gate import Use
from consent.rules import shelf
from consent.sending import terms
from contacts import persons
from crypto.rows import binary_cursor

_HOLD = """
SELECT id FROM contacts_contact
WHERE id = ANY(%b::int8[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_USED = """
SELECT contact_id, purpose, channel, coalesce(sent_at, handed_over_at, %b)
FROM messaging_message
WHERE contact_id = ANY(%b::int8[]) AND organisation_id = %b
  AND state IN ('claimed', 'handing_over', 'sent', 'unknown')
  AND (sent_at IS NULL OR sent_at > %b)
"""


def longest(*, now: datetime, texts: bool = False) -> timedelta | None:
    """Return how far back the caps look; None where no cap stands.

    `texts`: the law's own caps, which are all of text messages, count too (64.1200(a)(9)(iv)).
    """
    caps = [*terms.read(now=now).caps, *often.chosen()]
    if texts:
        caps += shelf.at(now).caps
    return timedelta(days=max(one.days for one in caps)) if caps else None


def held(contact_ids: Collection[int]) -> set[int]:
    """Hold these people until the transaction ends; return those whom nobody else holds."""
    with binary_cursor() as cursor:
        cursor.execute(_HOLD, [sorted(set(contact_ids))])
        return {row[0] for row in cursor.fetchall()}


def used(
    contact_ids: Collection[int], *, since: datetime, now: datetime
) -> dict[int, tuple[Use, ...]]:
    """Return what each person got since then or is about to get, over everything that sends."""
    families = persons.ids_of(set(contact_ids))
    everyone = sorted(set(chain.from_iterable(families.values())))
    got: dict[int, list[Use]] = defaultdict(list)
    with binary_cursor() as cursor:
        cursor.execute(_USED, [now, everyone, tenancy.current(), since])
        for contact_id, purpose, channel, at in cursor.fetchall():
            got[contact_id].append(Use(purpose, channel, at))
    return {
        one: tuple(use for each in family for use in got.get(each, ()))
        for one, family in families.items()
    }
