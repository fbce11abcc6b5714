"""Two people's records as one. Pure.

Value by value, what a source knew later stays; of two from the same moment, that of the contact
that stays. Lists keep the items of both. Death recorded in either counts: the more careful word.
"""

from __future__ import annotations

from collections.abc import Mapping

from contacts import merging
from contacts.fields import DataClass
from contacts.packing import Record

Records = Mapping[DataClass, Record]


def joined(mine: Records, theirs: Records) -> dict[DataClass, Record]:
    """Return the records of the one person that both are."""
    return {
        kind: _joined(mine[kind], theirs[kind])
        if kind in mine and kind in theirs
        else (mine.get(kind) or theirs[kind])
        for kind in (*mine, *(kind for kind in theirs if kind not in mine))
    }


def _joined(mine: Record, theirs: Record) -> Record:
    values, stamps = dict(mine.values), dict(mine.as_of)
    for key in theirs.as_of:
        newer = theirs.as_of[key] > stamps.get(key, -1)
        stamps[key] = max(stamps.get(key, -1), theirs.as_of[key])
        if merging.is_list(key):
            both = merging.together(key, values.get(key, []), theirs.values.get(key, []))
            if both:
                values[key] = both
        elif newer:
            values.pop(key, None)
            if key in theirs.values:
                values[key] = theirs.values[key]
    if True in (mine.values.get("deceased"), theirs.values.get("deceased")):
        values["deceased"] = True
    return Record(values, stamps)
