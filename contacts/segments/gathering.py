"""Contacts that changed, gathered into side blocks so that a question opens no record of theirs.

Folding ten thousand changes into a million people rewrites every block there is, so it is seldom
done; opening ten thousand records takes longer than all the columns together. In between, changed
contacts are gathered: a side block has the same columns over just these contacts, and each change
names the side block that has it. A side block answers for a contact as long as the contact's
newest change names it. It takes nothing away and nothing rests on it: without it, records answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from accounts import tenancy
from contacts import registry
from contacts.models import Dirty, ordinal_of
from contacts.segments import building, columns, opening
from contacts.segments.arrays import Column
from contacts.segments.building import PLACES, PRESENT
from contacts.segments.models import SegmentColumn
from crypto.rows import Bigints, binary_cursor

GATHER_AT: Final = 500
"""Changes from which gathering them costs less than the questions that would open their records."""
AT_A_TIME: Final = 2_048
"""Changes in a side block: the values of so many people are in memory at once."""
_VERSIONS: Final = 2**31 - 1


def gather(*, at_least: int = GATHER_AT) -> int:
    """Gather changes that are in no side block; return how many there were.

    Safe beside writers, evaluations and compactors: changes are read before records, so a side
    block never tells less than the changes that name it, and a change that comes in meanwhile
    names none.
    """
    gathered = 0
    while Dirty.objects.filter(gathered=None).count() >= max(at_least, 1):
        gathered += _gather()
    return gathered


def _gather() -> int:
    with columns.alone():
        seen = _scattered()
        if seen:
            number = _next_number()
            _write(number, sorted({contact_id for _, contact_id in seen}), version=seen[-1][0])
            _name([seq for seq, _ in seen], number)
    return len(seen)


def _scattered() -> list[tuple[int, int]]:
    """The oldest changes that are in no side block."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT seq, contact_id FROM contacts_dirty"
            " WHERE organisation_id = %b AND gathered IS NULL ORDER BY seq LIMIT %b",
            [tenancy.current(), AT_A_TIME],
        )
        return cursor.fetchall()


def _next_number() -> int:
    """Above every number that a change names, whether its side block is there or not."""
    lowest = SegmentColumn.objects.filter(field=PRESENT, block__lt=0).order_by("block")
    named = Dirty.objects.exclude(gathered=None).order_by("-gathered")
    found = (
        -(lowest.values_list("block", flat=True).first() or 0),
        named.values_list("gathered", flat=True).first() or 0,
    )
    return max(found) + 1


def _write(number: int, ids: Sequence[int], *, version: int) -> None:
    """The version is the newest change's number: a number that is used again has another."""
    fields = registry.current()
    names = building.all_columns(fields)
    values = opening.values_of(tenancy.current(), ids, columns.fields_of(names))
    built: dict[str, Column] = building.build(
        [values.get(contact_id, {}) for contact_id in ids], names, fields=fields
    )
    built[PLACES] = building.places([ordinal_of(contact_id) for contact_id in ids])
    built[PRESENT] = building.present([contact_id in values for contact_id in ids])
    columns.seal_columns(None, -number, built, above=version % _VERSIONS)


def _name(changes: Sequence[int], number: int) -> None:
    with binary_cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_dirty SET gathered = %b WHERE seq = ANY(%b)",
            [number, Bigints(changes)],
        )
