"""Why someone is in, or out: each clause in words, with its answer for this person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from contacts.segments import evaluate
from contacts.segments.nodes import All, Any_, Clause, Definition, Not, Several, children
from contacts.segments.words import clause_in_words, times_in_words


@dataclass(frozen=True, slots=True)
class ClauseVerdict:
    """One line of the table. `depth` is how far it is indented; a group says how it joins."""

    path: str
    words: str
    holds: bool
    depth: int
    group: bool


def explain(
    definition: Definition,
    contact_id: int,
    *,
    now: datetime,
    names: Mapping[UUID, str] | None = None,
) -> list[ClauseVerdict]:
    """Return the clause table, the whole first."""
    told = evaluate.verdicts(definition, contact_id, now=now)
    said = partial(clause_in_words, names=names, fields=definition.fields)
    return list(_lines(definition.root, told, said, 0))


def _lines(
    clause: Clause, told: Mapping[str, bool], said: Callable[[Clause], str], depth: int
) -> list[ClauseVerdict]:
    group = isinstance(clause, All | Any_ | Not | Several)
    line = ClauseVerdict(clause.path, _said(clause, said), told[clause.path], depth, group)
    below = children(clause) if group else ()
    return [line, *(each for part in below for each in _lines(part, told, said, depth + 1))]


def _said(clause: Clause, said: Callable[[Clause], str]) -> str:
    if isinstance(clause, All):
        return "all of these"
    if isinstance(clause, Any_):
        return "at least one of these"
    if isinstance(clause, Several):
        return f"{times_in_words(clause.low, clause.high)} of these"
    return "not this" if isinstance(clause, Not) else said(clause)
