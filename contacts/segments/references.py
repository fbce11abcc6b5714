"""What a definition reads: fields, data classes, labels, lists, campaigns, other segments. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from contacts import codes
from contacts.fields import FIELDS, DataClass, Field, Sensitivity
from contacts.segments.nodes import (
    All,
    Any_,
    Clause,
    Count,
    Definition,
    Happened,
    InSegment,
    Latest,
    Not,
    OnList,
    Registered,
    walk,
)
from contacts.segments.reading import DefinitionInvalid, Problem

Lookup = Callable[[UUID], Definition | None]
MAX_REFERENCES: Final = 20
"""How deep segments may refer to segments."""


def expand(definition: Definition, lookup: Lookup, *, itself: UUID | None = None) -> Definition:
    """Put the definition of each referred segment in its place.

    `lookup` returns None for a segment that is not there or is itself invalid. `itself` is the
    segment being defined: a reference that leads back to it is refused.
    """
    problems: list[Problem] = []
    trail = () if itself is None else (itself,)
    root = _expand(definition.root, lookup, trail, problems)
    if problems:
        raise DefinitionInvalid(problems)
    return Definition(root, definition.tree)


def _expand(
    clause: Clause, lookup: Lookup, trail: tuple[UUID, ...], problems: list[Problem]
) -> Clause:
    if isinstance(clause, All | Any_):
        return replace(
            clause, parts=tuple(_expand(p, lookup, trail, problems) for p in clause.parts)
        )
    if isinstance(clause, Not):
        return replace(clause, part=_expand(clause.part, lookup, trail, problems))
    if isinstance(clause, InSegment):
        return _refer(clause, lookup, trail, problems)
    return clause


def _refer(
    clause: InSegment, lookup: Lookup, trail: tuple[UUID, ...], problems: list[Problem]
) -> Clause:
    if clause.segment_id in trail:
        problems.append(Problem(clause.path, "leads back to itself: a circle of segments"))
        return clause
    if len(trail) > MAX_REFERENCES:
        problems.append(Problem(clause.path, f"refers more than {MAX_REFERENCES} segments deep"))
        return clause
    found = lookup(clause.segment_id)
    if found is None:
        problems.append(Problem(clause.path, "refers to a segment that is gone or invalid"))
        return clause
    inside: list[Problem] = []
    means = _expand(found.root, lookup, (*trail, clause.segment_id), inside)
    problems.extend(Problem(clause.path, problem.message) for problem in inside)
    return replace(clause, means=means)


def fields_read(definition: Definition) -> frozenset[str]:
    """The fields whose values decide, other segments' included."""
    read = (getattr(clause, "field", "") for clause in walk(definition.root))
    return frozenset(key for key in read if key)


def data_classes(
    definition: Definition, *, fields: Mapping[str, Field] = FIELDS
) -> frozenset[DataClass]:
    """The classes of information that membership betrays."""
    found = {fields[key].data_class for key in fields_read(definition)}
    for clause in walk(definition.root):
        if isinstance(clause, Registered):
            found |= {DataClass(name) for name in clause.question.data_classes}
        elif isinstance(clause, Happened | OnList):
            found.add(DataClass.ENGAGEMENT)
    # A last visit is worked out from visits: it betrays what they betray.
    if any(fields[key].derived_from for key in fields_read(definition)):
        found.add(DataClass.CLINICAL)
    return frozenset(found)


def labels(definition: Definition, *, fields: Mapping[str, Field] = FIELDS) -> Sensitivity:
    """The sensitivity labels that follow the data into the segment."""
    found = Sensitivity.NONE
    for clause in walk(definition.root):
        key = getattr(clause, "field", "")
        if key:
            found |= fields[key].sensitivity
        if isinstance(clause, Count | Latest):
            systems = (clause.where.system,) if clause.where.system else codes.KNOWN_SYSTEMS
            found |= codes.labels_of((s, code) for s in systems for code in clause.where.codes)
    return found


def label_names(found: Sensitivity) -> list[str]:
    return [label.name.lower() for label in Sensitivity if label in found and label.name]


def segments_named(definition: Definition) -> frozenset[UUID]:
    return frozenset(c.segment_id for c in walk(definition.root) if isinstance(c, InSegment))


def lists_named(definition: Definition) -> frozenset[UUID]:
    return frozenset(c.list_id for c in walk(definition.root) if isinstance(c, OnList))
