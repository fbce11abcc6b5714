"""Answer for contacts from their records: those who changed, or whom no column has yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import numpy as np

from accounts import tenancy
from contacts import registry
from contacts.segments import building, opening, staged, vectors
from contacts.segments.arrays import Ints, Mask
from contacts.segments.nodes import Clause, Definition
from contacts.segments.planning import Block, BuiltBlock


def holding(
    definition: Definition, ids: Sequence[int], outside: Mapping[Clause, Mask], now: datetime
) -> tuple[Mask, Mask]:
    """For which of these contacts it holds, and which are there; few records are opened."""
    organisation_id, names = tenancy.current(), vectors.columns_read(definition)
    fields = opening.fields_with(organisation_id, {name.partition(".")[0] for name in names})
    steps = staged.stages(definition, outside, lambda key: opening.class_and_cost(key, fields))
    if steps is None:
        block, there = built(names, ids, np.arange(len(ids)))
        return vectors.plan(definition, now=now, outside=outside)(block) & there, there
    records = opening.Opening(organisation_id, ids)

    def opened(places: Ints, names: frozenset[str]) -> Block:
        values = records.columns(places, {name.partition(".")[0] for name in names}, fields)
        built = building.of_values(values, names, fields=fields)
        return BuiltBlock(len(places), slice(0, len(places)), built)

    found = staged.holding(
        definition, len(ids), now=now, outside=outside, stages=steps, opened=opened
    )
    there = records.there()
    return found & there, there


def built(names: Collection[str], ids: Sequence[int], ordinals: Ints) -> tuple[BuiltBlock, Mask]:
    """Columns made on the fly from records, and which of these contacts are there at all."""
    keys = {name.partition(".")[0] for name in names}
    values = opening.values_of(tenancy.current(), ids, keys)
    people = [values.get(contact_id, {}) for contact_id in ids]
    columns = building.build(people, names, fields=registry.current())
    there = np.array([contact_id in values for contact_id in ids], np.bool_)
    return BuiltBlock(len(ids), ordinals, columns), there
