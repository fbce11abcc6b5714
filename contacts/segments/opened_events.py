"""Questions about events that need more than counting: properties, totals, the first and the last.

Rows in the clear narrow the events down to those of the kind, campaign, link and time asked for.
What is left streams by, a contact at a time; properties are opened a few thousand at once, with
the contacts' keys from one query, and the reference semantics decides. Memory holds one batch and
one contact's events. Nobody sees what is opened: it is machine reading, as for columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from psycopg import ServerCursor
from psycopg.pq import Format

from accounts import tenancy
from contacts.events import open_properties
from contacts.models import first_id
from contacts.segments import kinds, narrowing, semantics
from contacts.segments.arrays import Ints, Mask
from contacts.segments.bounds import window_bounds
from contacts.segments.facts import NOTHING, Facts, Happening
from contacts.segments.nodes import (
    Clause,
    Happened,
    OneHappened,
    Totalled,
    asked_of_events,
)
from crypto import data_keys

BATCH: Final = 2_000
"""Rows whose properties are opened at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """The ids for whom the clause holds; with `others`, everyone but them."""

    ids: Ints
    others: bool = False


def find(
    clause: Clause, *, now: datetime, among: Sequence[int] | None, only: Mask | None = None
) -> Found:
    """Return for whom the clause holds; who has no such event answers as nobody in particular.

    Of those outside `only`, a mask over all ordinals, nothing is opened and nothing is said.
    """
    others = semantics.holds(clause, NOTHING, now)
    if only is not None and among is None and np.count_nonzero(only) <= BATCH:
        among = (np.flatnonzero(only) + first_id(tenancy.current())).tolist()
    with transaction.atomic():
        rows = _rows(clause, now, among, only)
        ids = [
            contact_id
            for contact_id, events in groupby(rows, itemgetter(0))
            if _holds(clause, events, now) != others
        ]
    return Found(np.array(ids, np.int64), others)


def _holds(clause: Clause, events: Iterator[tuple[int, Happening]], now: datetime) -> bool:
    return semantics.holds(clause, Facts(events=tuple(event for _, event in events)), now)


def _rows(
    clause: Clause, now: datetime, among: Sequence[int] | None, only: Mask | None
) -> Iterator[tuple[int, Happening]]:
    """Every event that the clause may mean, in the order of contacts, times and writing."""
    opened = narrowing.opens(clause)
    such = asked_of_events(clause)[0]
    statement, values = _statement(clause, now, among)
    with (
        connection.wrap_database_errors,
        ServerCursor(connection.connection, "opened_events") as cursor,
    ):
        cursor.format = Format.BINARY
        cursor.execute(statement, values)
        for whole in _batches(cursor):
            batch = whole if only is None else _of_those(whole, only)
            keys = _keys(batch) if opened else {}
            for contact_id, at, sealed in batch:
                key = keys.get(contact_id) if sealed else None
                held = {} if key is None else open_properties(contact_id, sealed, key=key)
                yield contact_id, _happening(such, at, held)


def _happening(such: Happened, at: datetime, held: Mapping[str, Any]) -> Happening:
    """The event as the reference sees it; the statement has chosen kind, campaign and so on."""
    return Happening(such.kind, at, such.campaign, such.link, properties=held)


def _batches(cursor: ServerCursor[Any]) -> Iterator[list[Any]]:
    while batch := cursor.fetchmany(BATCH):
        yield batch


def _of_those(batch: list[Any], only: Mask) -> list[Any]:
    ordinals = np.array([row[0] for row in batch], np.int64) - first_id(tenancy.current())
    wanted = ordinals < len(only)
    wanted[wanted] = only[ordinals[wanted]]
    return list(compress(batch, wanted.tolist()))


def _keys(batch: Sequence[tuple[int, Any, bytes | None]]) -> dict[int, bytes]:
    wanted = {contact_id for contact_id, _, sealed in batch if sealed}
    return data_keys.load(tenancy.current(), wanted) if wanted else {}


def _statement(clause: Clause, now: datetime, among: Sequence[int] | None) -> tuple[str, list[Any]]:
    such = asked_of_events(clause)[0]
    named, names = kinds.test([such.kind])
    asked = [("organisation_id = %s", tenancy.current()), *_narrowed(clause, now)]
    if among is not None:
        asked.append(("contact_id = ANY(%s)", list(among)))
    tests = [named, *(test for test, _ in asked)] + ([] if such.machine else ["NOT machine"])
    only, order = "", "contact_id, occurred_at, id"
    if isinstance(clause, OneHappened) and clause.of.where is None:
        # Which one is meant is clear without its properties: only those are opened.
        only = "DISTINCT ON (contact_id) "
        if clause.which == "last":
            order = "contact_id, occurred_at DESC, id DESC"
    return (
        f"SELECT {only}contact_id, occurred_at, properties FROM contacts_event"
        f" WHERE {' AND '.join(tests)} ORDER BY {order}",
        [*names, *(value for _, value in asked)],
    )


def _narrowed(clause: Clause, now: datetime) -> Iterator[tuple[str, Any]]:
    such = asked_of_events(clause)[0]
    if such.campaign is not None:
        yield "campaign = %s", such.campaign
    if such.link:
        yield "link = %s", such.link
    if isinstance(clause, Happened | Totalled):
        first, after = window_bounds(such.window, now)
        if first is not None:
            yield "occurred_at >= %s", first
        if after is not None:
            yield "occurred_at < %s", after
