"""Evaluate contacts from their records, opening no class that can no longer change the answer.

Of ten thousand changed contacts most are out after a clause or two. The first stage opens all the
classes without lists that are asked for, while the server is still fetching; each further stage
opens one class with lists, which are dear, for those still undecided. After each stage its leaves
are answered and the tree is asked, in three values (yes, no, not known yet), who is decided. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import numpy as np

from contacts.segments import vectors
from contacts.segments.arrays import Ints, Mask
from contacts.segments.nodes import All, Any_, Clause, Definition, InSegment, Not, Several
from contacts.segments.planning import Block

Open = Callable[[Ints, frozenset[str]], Block]
"""Build the columns of these names for the contacts at these places."""


Stage = Sequence[Clause]
"""Leaves that are answered together."""


class _Told(NamedTuple):
    """For whom it holds, and for whom it does not; of the others it is not known yet."""

    yes: Mask
    no: Mask


def holding(
    definition: Definition,
    size: int,
    *,
    now: datetime,
    outside: Mapping[Clause, Mask],
    stages: Sequence[Stage],
    opened: Open,
) -> Mask:
    """Return for which of `size` contacts the definition holds.

    `outside` has a mask over the same contacts for each clause that is answered by rows.
    """
    found = np.zeros(size, np.bool_)
    places = np.arange(size)
    known: dict[Clause, Mask] = dict(outside)
    for stage in [(), *stages]:
        if stage and len(places):
            known |= _answered(definition, stage, places, now, opened)
        told = _told(definition.root, known, len(places))
        found[places[told.yes]] = True
        undecided = ~(told.yes | told.no)
        places = places[undecided]
        known = {clause: mask[undecided] for clause, mask in known.items()}
    return found


def _answered(
    definition: Definition, stage: Sequence[Clause], places: Ints, now: datetime, opened: Open
) -> dict[Clause, Mask]:
    alone = [replace(definition, root=leaf) for leaf in stage]
    block = opened(places, frozenset().union(*(vectors.columns_read(one) for one in alone)))
    return {one.root: vectors.plan(one, now=now, outside={})(block) for one in alone}


def stages(
    definition: Definition,
    outside: Mapping[Clause, Mask],
    class_of: Callable[[str], tuple[str, bool]],
) -> list[Stage] | None:
    """The leaves that are answered together: those of cheap classes, then class by class.

    `class_of` names a field's class and says whether its values are dear to open. None where the
    tree has clauses that are not known here: such a definition is evaluated whole.
    """
    cheap: list[Clause] = []
    dear: dict[str, list[Clause]] = {}
    for clause in dict.fromkeys(_parts(definition.root)):
        if clause in outside or _inside(clause):
            continue
        key = getattr(clause, "field", "")
        if not key:
            return None
        kind, is_dear = class_of(key)
        (dear.setdefault(kind, []) if is_dear else cheap).append(clause)
    return [cheap, *dear.values()] if cheap else list(dear.values())


def _parts(clause: Clause) -> Iterator[Clause]:
    yield clause
    for part in _inside(clause):
        yield from _parts(part)


def _inside(clause: Clause) -> Sequence[Clause]:
    if isinstance(clause, All | Any_ | Several):
        return clause.parts
    if isinstance(clause, Not):
        return (clause.part,)
    if isinstance(clause, InSegment) and clause.means is not None:
        return (clause.means,)
    return ()


def _told(clause: Clause, known: Mapping[Clause, Mask], size: int) -> _Told:
    if clause in known:
        return _Told(known[clause], ~known[clause])
    if isinstance(clause, Not):
        inner = _told(clause.part, known, size)
        return _Told(inner.no, inner.yes)
    if isinstance(clause, InSegment) and clause.means is not None:
        return _told(clause.means, known, size)
    if isinstance(clause, Several):
        return _told_of_several(clause, [_told(part, known, size) for part in clause.parts])
    if isinstance(clause, All | Any_):
        parts = [_told(part, known, size) for part in clause.parts]
        every, some = np.logical_and.reduce, np.logical_or.reduce
        if isinstance(clause, All):
            return _Told(every([p.yes for p in parts]), some([p.no for p in parts]))
        return _Told(some([p.yes for p in parts]), every([p.no for p in parts]))
    nobody = np.zeros(size, np.bool_)
    return _Told(nobody, nobody)


def _told_of_several(clause: Several, parts: Sequence[_Told]) -> _Told:
    """By how many hold for certain, and how many may."""
    least = np.sum([part.yes for part in parts], axis=0)
    most = len(parts) - np.sum([part.no for part in parts], axis=0)
    high = len(parts) if clause.high is None else clause.high
    return _Told((least >= clause.low) & (most <= high), (most < clause.low) | (least > high))
