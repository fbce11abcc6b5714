"""One person, several contacts: whose rows a contact stands for after merges.

Merging MOVES what segments, lists and workflows read (events, list rows, record numbers) to the
contact that stays, so those need no change. What is never rewritten, the consent ledger first,
stays with the contact that it was written for and is read over `ids_of`; so do sent messages, the
trail and the history of values. See docs/decisions/merge-moves-and-remembers.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from accounts import tenancy
from crypto.rows import binary_cursor

# The partial index holds merged contacts alone; where nobody was merged both statements end there.
_TOGETHER = """
SELECT merged_into, id FROM contacts_contact
WHERE organisation_id = %b AND merged_into IS NOT NULL AND merged_into IN (
    SELECT unnest(%b::int8[]) UNION ALL
    SELECT merged_into FROM contacts_contact
    WHERE organisation_id = %b AND merged_into IS NOT NULL AND id = ANY(%b::int8[])
)
"""
_STANDS = """
SELECT id, merged_into FROM contacts_contact
WHERE organisation_id = %b AND merged_into IS NOT NULL AND id = ANY(%b::int8[])
"""


_HOLD = """
SELECT id FROM contacts_contact
WHERE organisation_id = %b AND id = ANY(%b::int8[])
  AND (erased_at IS NULL OR merged_into IS NOT NULL) ORDER BY id FOR KEY SHARE
"""


class Gone(LookupError):
    """There is no such person any more."""


def hold(contact_ids: Collection[int]) -> None:
    """Let nobody erase these people before the transaction ends; raise Gone where one is erased.

    Whoever keeps something of a person beside the record calls it first: an erasing transaction
    drops what it finds, and what another writes meanwhile would outlive the person.
    """
    wanted = set(contact_ids)
    with binary_cursor() as cursor:
        cursor.execute(_HOLD, [tenancy.current(), list(wanted)])
        if {row[0] for row in cursor.fetchall()} != wanted:
            raise Gone(Gone.__doc__)


def ids_of(contact_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return, for each, every contact id that is this person: who stands for it first, then those
    merged into that one. A contact that was never merged is itself alone.
    """
    ids, here = list(contact_ids), tenancy.current()
    if not ids:
        return {}
    with binary_cursor() as cursor:
        cursor.execute(_TOGETHER, [here, ids, here, ids])
        absorbed: dict[int, list[int]] = defaultdict(list)
        for survivor, one in cursor.fetchall():
            absorbed[survivor].append(one)
    stands = {one: survivor for survivor, group in absorbed.items() for one in group}
    return {
        one: (survivor, *sorted(absorbed.get(survivor, ())))
        for one in ids
        for survivor in (stands.get(one, one),)
    }


def standing_for(contact_ids: Collection[int]) -> dict[int, int]:
    """Return who stands for each: itself, or the contact that it was merged into."""
    ids = list(contact_ids)
    if not ids:
        return {}
    with binary_cursor() as cursor:
        cursor.execute(_STANDS, [tenancy.current(), ids])
        stands: dict[int, int] = dict(cursor.fetchall())
    return {one: stands.get(one, one) for one in ids}
