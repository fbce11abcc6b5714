"""Plans for list fields: which entries match, how many a contact has, which is newest. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from contacts.fields import FIELDS, FieldType
from contacts.segments.arrays import Ints, Mask, Spans
from contacts.segments.building import codings_in
from contacts.segments.nodes import Count, Latest, Where, Window
from contacts.segments.planning import (
    Block,
    Plan,
    Run,
    Words,
    contains,
    floats,
    in_floats,
    window_numbers,
)
from contacts.segments.semantics import RETRACTED, fold


def _entries(key: str, where: Where, plan: Plan) -> Run:
    """A test of each entry of a list field."""
    tests: list[tuple[str, Callable[[Any], Mask]]] = [(f"{key}.code", Words(_code_test(where)))]
    for part, wanted in (("status", where.statuses), ("kind", where.kinds)):
        if wanted:
            tests.append((f"{key}.{part}", Words(frozenset(wanted).__contains__)))
    if where.unit:
        tests.append((f"{key}.unit", Words(where.unit.__eq__)))
    if where.texts:
        folded = tuple(fold(text) for text in where.texts)
        tests.append((f"{key}.text", Words(lambda word: contains(fold(word), folded))))
    if where.window != Window():
        low, high = window_numbers(where.window, plan, dated=FIELDS[key].type is FieldType.CODES)
        tests.append((f"{key}.at", lambda column: column.between(low, high)))

    def run(block: Block) -> Mask:
        found = tests[0][1](block.column(tests[0][0]))
        for name, test in tests[1:]:
            found = found & test(block.column(name))
        return found

    return run


def _code_test(where: Where) -> Callable[[str], bool]:
    codes, system = frozenset(where.codes), where.system
    retracted_too = not RETRACTED.isdisjoint(where.statuses)

    def test(word: str) -> bool:
        retracted, pairs = codings_in(word)
        if retracted and not retracted_too:
            return False
        if not (codes or system):
            return True
        return any(
            (not codes or code in codes) and (not system or of == system) for of, code in pairs
        )

    return test


def count(clause: Count, plan: Plan) -> Run:
    entries = _entries(clause.field, clause.where, plan)
    low, high = clause.low, clause.high

    def run(block: Block) -> Mask:
        spans: Spans = block.column(clause.field)
        owners = spans.owners(np.flatnonzero(entries(block)))
        if (low, high) == (1, None):
            found = np.zeros(block.size, np.bool_)
            found[owners] = True
            return found
        counts = np.bincount(owners, minlength=block.size)
        return (counts >= low) if high is None else (counts >= low) & (counts <= high)

    return run


def latest(clause: Latest, plan: Plan) -> Run:
    entries = _entries(clause.field, clause.where, plan)
    answers = frozenset(fold(answer) for answer in clause.answers)
    words = Words(lambda word: fold(word) in answers)
    low, high = floats(clause)

    def run(block: Block) -> Mask:
        matching = np.flatnonzero(entries(block))
        owners, newest = _newest(block, clause.field, matching)
        if clause.answers:
            holds = words(block.column(f"{clause.field}.answer"))[newest]
        else:
            holds = in_floats(block.column(f"{clause.field}.value").values[newest], low, high)
        found = np.zeros(block.size, np.bool_)
        found[owners[holds]] = True
        return found

    return run


def _newest(block: Block, key: str, entries: Ints) -> tuple[Ints, Ints]:
    """The newest of these entries for each contact that has one; undated is oldest, later wins."""
    owners = block.column(key).owners(entries)
    at = block.column(f"{key}.at").stored[entries]
    order = np.lexsort((entries, at, owners))
    last = np.ones(len(order), np.bool_)
    last[:-1] = owners[order][1:] != owners[order][:-1]
    return owners[order][last], entries[order][last]
