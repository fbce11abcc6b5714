"""Clauses that are answered by rows in the clear: events, list members, registered questions.

Each gives the ids for whom it holds, or for whom it does not, by one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from accounts import tenancy
from contacts.models import Ordinal, first_id
from contacts.segments import housed, kinds, lots, opened_events
from contacts.segments.arrays import Ints, Mask
from contacts.segments.bounds import window_bounds
from contacts.segments.nodes import (
    Been,
    Clause,
    Happened,
    Household,
    OnList,
    Registered,
    Share,
    asked_of_events,
)
from contacts.segments.opened_events import Found
from crypto.rows import bigints_in, binary_cursor


def find(
    clause: Clause,
    *,
    now: datetime,
    ask: housed.Ask,
    among: Sequence[int] | None = None,
    only: Mask | None = None,
) -> Found:
    """Return for whom the clause holds, of `among` only when that is given.

    `ask` evaluates what is asked of those whom somebody lives with. `only` is a mask over all
    ordinals: nobody asks what is answered for others, and what they did need not be opened.
    """
    if isinstance(clause, Been):
        return Found(_been(clause, now, among))
    if asked_of_events(clause):
        return _of_events(clause, now, among, only)
    if isinstance(clause, Household):
        return housed.find(clause, now=now, among=among, ask=ask)
    if isinstance(clause, Share):
        return Found(_drawn(clause, among))
    if isinstance(clause, OnList):
        return Found(_ids("contacts_listmember", ["list_id = %s"], [clause.list_id], among))
    assert isinstance(clause, Registered)
    answered = clause.question.contact_ids(now=now, among=among)
    if isinstance(answered, np.ndarray):
        return Found(answered.astype(np.int64))
    return Found(np.fromiter(answered, np.int64))


def _been(clause: Been, now: datetime, among: Sequence[int] | None) -> Ints:
    """Whose newest coming or going is a coming in, within the window."""
    both = [such.kind for such in asked_of_events(clause)]
    newest = "organisation_id = %s AND kind = ANY(%s) AND campaign = %s"
    given: list[Any] = [tenancy.current(), both, clause.entered.campaign]
    if among is not None:
        newest, given = f"{newest} AND contact_id = ANY(%s)", [*given, list(among)]
    table = (
        "(SELECT DISTINCT ON (contact_id) organisation_id, contact_id, kind, occurred_at"
        f" FROM contacts_event WHERE {newest} ORDER BY contact_id, occurred_at DESC, id DESC) AS n"
    )
    tests = ["kind = %s"]
    values: list[Any] = [clause.entered.kind]
    first, after = window_bounds(clause.entered.window, now)
    if first is not None:
        tests, values = [*tests, "occurred_at >= %s"], [*values, first]
    if after is not None:
        tests, values = [*tests, "occurred_at < %s"], [*values, after]
    return _ids(table, tests, values, None, before=given)


def _drawn(clause: Share, among: Sequence[int] | None) -> Ints:
    first = first_id(tenancy.current())
    if among is None:
        given = Ordinal.objects.filter(organisation_id=tenancy.current()).values_list("next")
        ordinals = np.arange(given[0][0] if given else 0, dtype=np.int64)
    else:
        ordinals = np.array(among, np.int64) - first
    drawn = lots.of_each(ordinals, clause.name)
    return ordinals[(drawn >= clause.low) & (drawn < clause.high)] + first


def _of_events(
    clause: Clause, now: datetime, among: Sequence[int] | None, only: Mask | None
) -> Found:
    """By counting rows, where rows alone decide; else by opening what they carry."""
    if isinstance(clause, Happened) and clause.where is None:
        return _happened(clause, now, among)
    return opened_events.find(clause, now=now, among=among, only=only)


def _happened(clause: Happened, now: datetime, among: Sequence[int] | None) -> Found:
    if clause.low == 0:
        # At most n is everyone but those with more: people without any event count too.
        if clause.high is None:
            return Found(np.empty(0, np.int64), others=True)
        return Found(_event_ids(clause, now, among, clause.high + 1, None), others=True)
    return Found(_event_ids(clause, now, among, clause.low, clause.high))


def _event_ids(
    clause: Happened, now: datetime, among: Sequence[int] | None, low: int, high: int | None
) -> Ints:
    named, names = kinds.test([clause.kind])
    asked: list[tuple[str, Any]] = []
    if clause.campaign is not None:
        asked.append(("campaign = %s", clause.campaign))
    if clause.link:
        asked.append(("link = %s", clause.link))
    first, after = window_bounds(clause.window, now)
    if first is not None:
        asked.append(("occurred_at >= %s", first))
    if after is not None:
        asked.append(("occurred_at < %s", after))
    tests = [named, *(test for test, _ in asked), *([] if clause.machine else ["NOT machine"])]
    having = "count(*) >= %s" if high is None else "count(*) BETWEEN %s AND %s"
    counts = [low] if high is None else [low, high]
    tail = f" GROUP BY contact_id HAVING {having}"
    values = [*names, *(value for _, value in asked)]
    return _ids("contacts_event", tests, values, among, tail, counts)


def _ids(
    table: str,
    tests: Sequence[str],
    values: Sequence[Any],
    among: Sequence[int] | None,
    tail: str = "",
    tail_values: Sequence[Any] = (),
    *,
    before: Sequence[Any] = (),
) -> Ints:
    """`before` are the values that the table, where it is a query itself, is given."""
    where, given = ["organisation_id = %s", *tests], [*before, tenancy.current(), *values]
    if among is not None:
        where.append("contact_id = ANY(%s)")
        given.append(list(among))
    statement = f"SELECT contact_id FROM {table} WHERE {' AND '.join(where)}{tail}"
    with binary_cursor() as cursor:
        # One array: rows would cost ten times as much to take in as to find.
        whole = f"SELECT array_send(array_agg(contact_id)) FROM ({statement}) AS found"
        cursor.execute(whole.encode(), [*given, *tail_values])
        ((found,),) = cursor.fetchall()
    return bigints_in(found)
