"""What of a preview may be told to a reader: each clause and step exactly where the reader's data
classes decide it, and blurred elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from contacts.segments import counts, told
from contacts.segments.counting import Preview, standing
from contacts.segments.counts import Shown
from contacts.segments.explain import classes_of
from contacts.segments.nodes import All, Clause, Definition
from contacts.segments.told import Question, Reader


@dataclass(frozen=True, slots=True)
class Told:
    """A preview as the reader sees it. `clauses` and `funnel` are by the clause's place."""

    total: Shown
    population: int
    clauses: list[tuple[str, Shown]]
    funnel: list[tuple[str, Shown]]


@dataclass(frozen=True, slots=True)
class _Cell:
    place: str
    clause: Clause
    count: int


def tell(
    definition: Definition, seen: Preview, reader: Reader, *, granted: Collection[str]
) -> Told:
    """Return what is told; raise Rationed where too much of it was never asked before.

    The definition is expanded, as it was counted.
    """
    whole = _Cell("", definition.root, seen.total)
    clauses, steps = list(_clauses(definition, seen)), list(_steps(definition, seen))
    answers = _answers([whole, *clauses, *steps], definition, reader, granted)
    said = [answers[told.of_clause(cell.clause)] for cell in steps]
    funnel = counts.descending(said, start=seen.population)
    return Told(
        total=funnel[-1] if funnel else answers[told.of_clause(definition.root)],
        population=seen.population,
        clauses=[(cell.place, answers[told.of_clause(cell.clause)]) for cell in clauses],
        funnel=[(cell.place, shown) for cell, shown in zip(steps, funnel, strict=True)],
    )


def lost(before: Shown | None, left: Shown, *, population: int) -> str:
    """How many a step of the funnel leaves out, worked out from what is told beside it."""
    above = population if before is None else (before.number or 0)
    gone = max(above - (left.number or 0), 0)
    if left.exact and (before is None or before.exact):
        return f"{gone:,}"
    if gone < counts.SMALLEST + counts.MARGIN:
        return "few"
    return f"about {(gone + counts.STEP // 2) // counts.STEP * counts.STEP:,}"


def _clauses(definition: Definition, seen: Preview) -> Iterator[_Cell]:
    own = standing(definition.root)
    for path, count in seen.clause_counts.items():
        yield _Cell(path, own[path], count)


def _steps(definition: Definition, seen: Preview) -> Iterator[_Cell]:
    root = definition.root
    for place, (path, count) in enumerate(seen.funnel):
        if not isinstance(root, All) or place == len(root.parts) - 1:
            yield _Cell(path, root, count)
        elif place == 0:
            yield _Cell(path, root.parts[0], count)
        else:
            yield _Cell(path, replace(root, parts=root.parts[: place + 1]), count)


def _answers(
    cells: list[_Cell], definition: Definition, reader: Reader, granted: Collection[str]
) -> dict[Question, Shown]:
    open_ = replace(reader, exact=True)
    asked: dict[bool, dict[Question, int]] = {True: {}, False: {}}
    for cell in cells:
        within = reader.exact or classes_of(cell.clause, definition) <= frozenset(granted)
        asked[within][told.of_clause(cell.clause)] = cell.count
    return open_.many(asked[True]) | reader.many(asked[False], strict=True)
