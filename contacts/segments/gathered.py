"""Clauses about events and lists for a handful of contacts: all their rows read once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np

from accounts import tenancy
from contacts.segments import happenings, housed, kinds
from contacts.segments.arrays import Ints, Mask
from contacts.segments.bounds import window_bounds
from contacts.segments.moments import microseconds_from
from contacts.segments.nodes import Clause, Happened, OnList
from crypto.rows import binary_cursor


def masks_of(
    clauses: Collection[Clause], ids: Sequence[int], *, now: datetime, ask: housed.Ask
) -> dict[Clause, Mask]:
    """Return for each clause a mask over these contacts, in their order.

    All events and lists that are asked for are read with one statement each, however many clauses
    ask; what needs more than the clear part of an event is asked by a statement of its own.
    """
    happened = [one for one in clauses if isinstance(one, Happened) and _is_plain(one)]
    listed = [one for one in clauses if isinstance(one, OnList)]
    masks: dict[Clause, Mask] = {}
    if happened:
        masks |= _counted(happened, ids, now)
    if listed:
        masks |= _listed(listed, ids)
    for clause in clauses:
        if clause not in masks:
            found = happenings.find(clause, now=now, among=ids, ask=ask)
            mask: Mask = np.isin(np.array(ids, np.int64), found.ids)
            masks[clause] = ~mask if found.others else mask
    return masks


_PLAIN = frozenset(
    {"path", "kind", "low", "high", "window", "campaign", "link", "machine", "told_of"}
)


def _is_plain(clause: Happened) -> bool:
    """Whether the clear part of an event answers: no condition on its properties."""
    return all(
        one.name in _PLAIN or getattr(clause, one.name) == one.default for one in fields(clause)
    )


def _counted(clauses: Sequence[Happened], ids: Sequence[int], now: datetime) -> dict[Clause, Mask]:
    """Count each clause's events for each contact, from one reading of all their events."""
    place = {one: number for number, one in enumerate(ids)}
    names = {one.kind for one in clauses}
    test, values = kinds.test(names)
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, kind, campaign, link, machine, occurred_at FROM contacts_event"
            f" WHERE organisation_id = %s AND contact_id = ANY(%s::int8[]) AND {test}".encode(),
            [tenancy.current(), list(ids), *values],
        )
        rows = cursor.fetchall()
    by_kind: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        by_kind[row[1]].append(row)
    arrays = {name: _Events.of(_meant(name, by_kind), place) for name in names}
    return {one: arrays[one.kind].mask(one, len(ids), now) for one in clauses}


def _meant(name: str, by_kind: Mapping[str, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    if not kinds.is_beginning(name):
        return by_kind.get(name, [])
    return [row for kind, rows in by_kind.items() if kinds.means(name, kind) for row in rows]


@dataclass(frozen=True, slots=True)
class _Events:
    """The events that one name means, as arrays."""

    places: Ints
    at: Ints
    machine: Mask
    campaigns: Any
    links: Any

    @classmethod
    def of(cls, rows: Sequence[tuple[Any, ...]], place: Mapping[int, int]) -> _Events:
        return cls(
            np.array([place[row[0]] for row in rows], np.int64),
            np.array([microseconds_from(row[5]) for row in rows], np.int64),
            np.array([row[4] for row in rows], np.bool_),
            np.array([row[2] and row[2].hex for row in rows], object),
            np.array([row[3] for row in rows], object),
        )

    def mask(self, clause: Happened, size: int, now: datetime) -> Mask:
        fits = np.ones(len(self.at), np.bool_) if clause.machine else ~self.machine
        if clause.campaign is not None:
            fits &= self.campaigns == clause.campaign.hex
        if clause.link:
            fits &= self.links == clause.link
        first, after = window_bounds(clause.window, now)
        if first is not None:
            fits &= self.at >= microseconds_from(first)
        if after is not None:
            fits &= self.at < microseconds_from(after)
        counts = np.bincount(self.places[fits], minlength=size)
        found: Mask = counts >= clause.low
        return found if clause.high is None else found & (counts <= clause.high)


def _listed(clauses: Sequence[OnList], ids: Sequence[int]) -> dict[Clause, Mask]:
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT list_id, contact_id FROM contacts_listmember WHERE organisation_id = %b"
            " AND contact_id = ANY(%b::int8[]) AND list_id = ANY(%b::uuid[])",
            [tenancy.current(), list(ids), [one.list_id for one in clauses]],
        )
        members: dict[Any, list[int]] = defaultdict(list)
        for list_id, contact_id in cursor.fetchall():
            members[list_id].append(contact_id)
    people = np.array(ids, np.int64)
    return {one: np.isin(people, np.array(members[one.list_id], np.int64)) for one in clauses}
