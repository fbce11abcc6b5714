"""What a definition reads: fields, data classes, labels, lists, campaigns, other segments. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from contacts import codes
from contacts.fields import DataClass, Field, Sensitivity
from contacts.segments import kinds
from contacts.segments.flips import moves_with_time
from contacts.segments.kinds import ABOUT_SEGMENTS
from contacts.segments.nodes import (
    All,
    Any_,
    Been,
    Clause,
    Count,
    Definition,
    Happened,
    Household,
    InSegment,
    Latest,
    Not,
    OneHappened,
    OnList,
    Registered,
    Several,
    Totalled,
    asked_of_events,
    properties_asked,
    walk,
)
from contacts.segments.reading import DefinitionInvalid, Problem

Lookup = Callable[[UUID], Definition | None]
Coding = tuple[str, str]
CodesOf = Callable[[UUID], frozenset[Coding] | None]
MAX_REFERENCES: Final = 20
"""How deep segments may refer to segments."""
MAX_EXPANDED: Final = 2_000
"""Clauses in all, once every segment referred to is put in its place."""
CLINICAL_KINDS: Final = (
    "appointment.", "condition.", "encounter.", "result.", "segment.", "treatment.",
)  # fmt: skip
"""Events whose kind says something of a person's care, or who is in a segment that may."""
OUR_KINDS: Final = ("message.",)
"""Events that are written here alone: what their properties say is known."""
WRITTEN: Final = frozenset({"message.replied"})
"""Of those, what holds a person's own words: they may say anything."""


def expand(
    definition: Definition,
    lookup: Lookup,
    *,
    itself: UUID | None = None,
    codes_of: CodesOf = lambda group: None,
) -> Definition:
    """Put the definition of each referred segment in its place, and the codes of each group.

    `lookup` returns None for a segment that is not there or is itself invalid, `codes_of` for a
    group that is not there. `itself` is the segment being defined: a reference that leads back to
    it is refused.
    """
    problems: list[Problem] = []
    trail = () if itself is None else (itself,)
    root = _expand(definition.root, _Room(lookup, codes_of), trail, problems)
    if problems:
        raise DefinitionInvalid(problems)
    return replace(definition, root=root)


@dataclass(slots=True)
class _Room:
    """Where definitions are found, and how many clauses there is still room for.

    Twenty segments that each name the one below two hundred times would fill any memory.
    """

    lookup: Lookup
    codes_of: CodesOf
    left: int = MAX_EXPANDED


def _expand(
    clause: Clause, room: _Room, trail: tuple[UUID, ...], problems: list[Problem]
) -> Clause:
    room.left -= 1
    if room.left < 0:
        if room.left == -1:
            problems.append(
                Problem(clause.path, f"comes to more than {MAX_EXPANDED} clauses in all")
            )
        return clause
    if isinstance(clause, All | Any_ | Several):
        return replace(clause, parts=tuple(_expand(p, room, trail, problems) for p in clause.parts))
    if isinstance(clause, Not | Household):
        return replace(clause, part=_expand(clause.part, room, trail, problems))
    if isinstance(clause, InSegment):
        return _refer(clause, room, trail, problems)
    if isinstance(clause, Count | Latest) and clause.where.groups:
        return _with_codes(clause, room, problems)
    if any(kinds.reaches(such.kind, (ABOUT_SEGMENTS,)) for such in asked_of_events(clause)):
        return _told_of(clause, room, trail, problems)
    return clause


def _told_of(
    clause: Clause, room: _Room, trail: tuple[UUID, ...], problems: list[Problem]
) -> Clause:
    """Coming into a segment betrays what being in it does, and must not lead back here either."""
    named = asked_of_events(clause)[0].campaign
    if named is None:
        said = "is about a segment: name it, by its id under campaign"
        problems.append(Problem(clause.path, said))
        return clause
    found = _refer(InSegment(named, path=clause.path), room, trail, problems)
    means = found.means if isinstance(found, InSegment) else None
    if isinstance(clause, Happened):
        return replace(clause, told_of=means)
    if isinstance(clause, OneHappened):
        return replace(
            clause, of=replace(clause.of, told_of=means), such=replace(clause.such, told_of=means)
        )
    if isinstance(clause, Been):
        return replace(clause, entered=replace(clause.entered, told_of=means))
    assert isinstance(clause, Totalled)
    return replace(clause, such=replace(clause.such, told_of=means))


def _segments_told_of(definition: Definition) -> Iterator[Definition]:
    """What the segments ask whose coming and going the definition asks about."""
    for clause in walk(definition.root):
        for such in asked_of_events(clause)[:1]:
            if such.told_of is not None:
                yield replace(definition, root=such.told_of)


def _with_codes(clause: Count | Latest, room: _Room, problems: list[Problem]) -> Clause:
    found = [room.codes_of(group) for group in clause.where.groups]
    if None in found:
        problems.append(Problem(clause.path, "refers to a code group that is gone"))
        return clause
    meant = frozenset[Coding]().union(*(codings for codings in found if codings))
    return replace(clause, where=replace(clause.where, meant=meant))


def _refer(
    clause: InSegment, room: _Room, trail: tuple[UUID, ...], problems: list[Problem]
) -> Clause:
    if clause.segment_id in trail:
        problems.append(Problem(clause.path, "leads back to itself: a circle of segments"))
        return clause
    if len(trail) > MAX_REFERENCES:
        problems.append(Problem(clause.path, f"refers more than {MAX_REFERENCES} segments deep"))
        return clause
    found = room.lookup(clause.segment_id)
    if found is None:
        problems.append(Problem(clause.path, "refers to a segment that is gone or invalid"))
        return clause
    inside: list[Problem] = []
    means = _expand(found.root, room, (*trail, clause.segment_id), inside)
    problems.extend(Problem(clause.path, problem.message) for problem in inside)
    return replace(clause, means=means)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What an answer rests on: when one of these changes for a person, the answer may.

    `fields` are what the definition names and what those are derived from. `households`: a change
    of one member may change the answer for the others of the household. `clocks`: so may time
    alone; `flips.next_flip` says when. A higher floor's question names what it rests on in
    `depends`; one that names nothing rests on every event and on the clock.
    """

    fields: frozenset[str] = frozenset()
    event_kinds: frozenset[str] = frozenset()
    lists: frozenset[UUID] = frozenset()
    segments: frozenset[UUID] = frozenset()
    code_groups: frozenset[UUID] = frozenset()
    consent: bool = False
    journeys: frozenset[UUID] = frozenset()
    households: bool = False
    clocks: bool = False

    def __or__(self, other: Dependencies) -> Dependencies:
        both = {
            each.name: getattr(self, each.name) | getattr(other, each.name)
            for each in dataclasses.fields(self)
        }
        return Dependencies(**both)


EVERY_EVENT: Final = "*"
"""Stands in `event_kinds` where events of any kind may change the answer; others there are names,
or beginnings of names (`kinds.means`)."""


def dependencies(definition: Definition) -> Dependencies:
    """What the definition rests on, other segments' definitions included."""
    found = Dependencies(clocks=any(moves_with_time(c) for c in walk(definition.root)))
    for clause in walk(definition.root):
        found |= _rests_on(clause, definition.fields)
    return found


def _rests_on(clause: Clause, fields: Mapping[str, Field]) -> Dependencies:
    if isinstance(clause, OnList):
        return Dependencies(lists=frozenset({clause.list_id}))
    if isinstance(clause, InSegment):
        return Dependencies(segments=frozenset({clause.segment_id}))
    if isinstance(clause, Registered):
        unknown = Dependencies(event_kinds=frozenset({EVERY_EVENT}), clocks=True)
        depends: Dependencies = getattr(clause.question, "depends", unknown)
        return depends
    key = getattr(clause, "field", "")
    origin = fields[key].derived_from if key in fields else ""
    return Dependencies(
        fields=frozenset(one for one in (key, origin) if one),
        event_kinds=frozenset(such.kind for such in asked_of_events(clause)),
        code_groups=frozenset(_groups(clause)),
        households=isinstance(clause, Household),
    )


def _groups(clause: Clause) -> tuple[UUID, ...]:
    return clause.where.groups if isinstance(clause, Count | Latest) else ()


def fields_read(definition: Definition) -> frozenset[str]:
    """The fields whose values decide, other segments' included."""
    read = (getattr(clause, "field", "") for clause in walk(definition.root))
    return frozenset(key for key in read if key)


def data_classes(
    definition: Definition, *, fields: Mapping[str, Field] | None = None
) -> frozenset[DataClass]:
    """The classes of information that membership betrays."""
    fields = fields or definition.fields
    keys = fields_read(definition)
    found = {fields[key].data_class for key in keys}
    for clause in walk(definition.root):
        found |= _betrays(clause)
    for told in _segments_told_of(definition):
        found |= data_classes(told, fields=fields)
    # A last visit is worked out from visits: it betrays what they betray. A value with a label says
    # of care whatever its class.
    if any(fields[key].derived_from or fields[key].sensitivity for key in keys):
        found.add(DataClass.CLINICAL)
    return frozenset(found)


def _betrays(clause: Clause) -> set[DataClass]:
    """What a clause says of a person beside the values of fields.

    An event's properties are whatever its sender put in: they count as clinical, except those of
    our own messages. Who lives with whom is demographic.
    """
    if isinstance(clause, Registered):
        return {DataClass(name) for name in clause.question.data_classes}
    if isinstance(clause, OnList):
        return {DataClass.ENGAGEMENT}
    if isinstance(clause, Household):
        return {DataClass.DEMOGRAPHIC}
    found: set[DataClass] = set()
    for such in asked_of_events(clause):
        found.add(DataClass.ENGAGEMENT)
        opened = such.where is not None or isinstance(clause, Totalled)
        ours = kinds.stays_within(such.kind, OUR_KINDS) and not any(
            kinds.means(such.kind, kind) for kind in WRITTEN
        )
        # A segment that was looked up says itself what being in it betrays.
        of_care = kinds.reaches(such.kind, CLINICAL_KINDS) and such.told_of is None
        if of_care or (opened and not ours):
            found.add(DataClass.CLINICAL)
    return found


def labels(definition: Definition, *, fields: Mapping[str, Field] | None = None) -> Sensitivity:
    """The sensitivity labels that follow the data into the segment."""
    fields = fields or definition.fields
    found = Sensitivity.NONE
    for clause in walk(definition.root):
        key = getattr(clause, "field", "")
        if key:
            found |= fields[key].sensitivity
        if isinstance(clause, Registered):
            found |= getattr(clause.question, "labels", Sensitivity.NONE)
        found |= codes.labels_of(_codings_named(clause))
    for told in _segments_told_of(definition):
        found |= labels(told, fields=fields)
    return found


def _codings_named(clause: Clause) -> Iterator[Coding]:
    """The codings that a clause asks for. A code without its system may be of any of them, and so
    may a word that a property of an event is compared with."""
    if isinstance(clause, Count | Latest):
        systems = (clause.where.system,) if clause.where.system else codes.KNOWN_SYSTEMS
        yield from ((system, code) for system in systems for code in clause.where.codes)
        yield from clause.where.meant or ()
    for asked in properties_asked(clause):
        for test in walk(asked.test):
            words = (word for word in getattr(test, "values", ()) if isinstance(word, str))
            yield from ((system, word) for word in words for system in codes.KNOWN_SYSTEMS)


def label_names(found: Sensitivity) -> list[str]:
    return [label.name.lower() for label in Sensitivity if label in found and label.name]


def segments_named(definition: Definition) -> frozenset[UUID]:
    clauses = list(walk(definition.root))
    told_of = {
        such.campaign
        for clause in clauses
        for such in asked_of_events(clause)
        if kinds.reaches(such.kind, (ABOUT_SEGMENTS,)) and such.campaign is not None
    }
    return frozenset(told_of | {c.segment_id for c in clauses if isinstance(c, InSegment)})


def campaigns_named(definition: Definition) -> frozenset[UUID]:
    """What events are asked of, segments apart: messages, for one."""
    asked = (such for clause in walk(definition.root) for such in asked_of_events(clause))
    found = {such.campaign for such in asked if such.campaign is not None}
    return frozenset(found - segments_named(definition))


def code_groups_named(definition: Definition) -> frozenset[UUID]:
    return frozenset(group for clause in walk(definition.root) for group in _groups(clause))


def lists_named(definition: Definition) -> frozenset[UUID]:
    return frozenset(c.list_id for c in walk(definition.root) if isinstance(c, OnList))
