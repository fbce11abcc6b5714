"""Plans for list fields: which entries match, how many a contact has, which is newest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from contacts.fields import FieldType
from contacts.segments.arrays import Ints, Mask, Spans
from contacts.segments.building import codings_in
from contacts.segments.nodes import Count, HasWords, Latest, Size, Where, Window
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
from contacts.segments.semantics import RETRACTED, fold, is_meant, unit_form


def _entries(key: str, where: Where, plan: Plan) -> Run:
    """A test of each entry of a list field."""
    tests: list[tuple[str, Callable[[Any], Mask]]] = [(f"{key}.code", Words(_code_test(where)))]
    for part, wanted in (("status", where.statuses), ("kind", where.kinds)):
        if wanted:
            tests.append((f"{key}.{part}", Words(frozenset(wanted).__contains__)))
    if where.unit:
        unit = unit_form(where.unit)
        tests.append((f"{key}.unit", Words(lambda held: unit_form(held) == unit)))
    if where.texts:
        folded = tuple(fold(text) for text in where.texts)
        tests.append((f"{key}.text", Words(lambda word: contains(fold(word), folded))))
    tests += _numbers_tests(key, where, plan)

    def run(block: Block) -> Mask:
        found = tests[0][1](block.column(tests[0][0]))
        for name, test in tests[1:]:
            found = found & test(block.column(name))
        return found

    return run


def _numbers_tests(key: str, where: Where, plan: Plan) -> Iterator[tuple[str, Callable[..., Mask]]]:
    if where.low is not None or where.high is not None:
        over, under = floats(where)
        yield f"{key}.value", lambda column: in_floats(column.values, over, under)
    if where.window != Window():
        dated = plan.fields[key].type is FieldType.CODES
        low, high = window_numbers(where.window, plan, dated=dated)
        yield f"{key}.at", lambda column: column.between(low, high)


def _code_test(where: Where) -> Callable[[str], bool]:
    asks = bool(where.codes or where.system or where.groups)
    retracted_too = not RETRACTED.isdisjoint(where.statuses)

    def test(word: str) -> bool:
        retracted, pairs = codings_in(word)
        if retracted and not retracted_too:
            return False
        return not asks or any(is_meant(system, code, where) for system, code in pairs)

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
        return in_range(np.bincount(owners, minlength=block.size), low, high)

    return run


def in_range(counts: Ints, low: int, high: int | None) -> Mask:
    found: Mask = (counts >= low) if high is None else (counts >= low) & (counts <= high)
    return found


def size(clause: Size, plan: Plan) -> Run:
    return lambda block: in_range(block.column(clause.field).counts, clause.low, clause.high)


def has_words(clause: HasWords, plan: Plan) -> Run:
    same = str if clause.exact else fold
    wanted = sorted({same(value) for value in clause.values})
    if not clause.every:
        held = frozenset(wanted)
        return any_word(clause.field, Words(lambda word: same(word) in held))
    tests = [Words(partial(_is_word, same, one)) for one in wanted]
    runs = [any_word(clause.field, test) for test in tests]
    return lambda block: np.logical_and.reduce([run(block) for run in runs])


def _is_word(same: Callable[[str], str], wanted: str, word: str) -> bool:
    return same(word) == wanted


def any_word(key: str, words: Words) -> Run:
    """One of the words of the list passes."""

    def run(block: Block) -> Mask:
        spans: Spans = block.column(key)
        found = np.zeros(block.size, np.bool_)
        found[spans.owners(np.flatnonzero(words(block.column(f"{key}.word"))))] = True
        return found

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
