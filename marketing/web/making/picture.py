"""The flow of a person's data through a mail as lines from fields to parts. Pure geometry.

Drawn by the server as SVG; the page has the same as a table, for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from messaging.making.flow import ENVELOPE, INSIDE, PLACES, Use

WIDTH, LEFT, RIGHT, TOP = 760, 270, 520, 34
ROW, GAP, HEAD = 20, 14, 26
PLACE = 40


@dataclass(frozen=True, slots=True)
class Source:
    """Fields of one class, or something on the way that says something of whoever comes by."""

    title: str
    data_class: str
    fields: tuple[tuple[str, str], ...]
    """Key and label."""


@dataclass(frozen=True, slots=True)
class Box:
    title: str
    kind: str
    x: int
    y: int
    width: int
    height: int
    lines: tuple[tuple[int, str], ...]
    """Where each line of text stands, and what it says."""


@dataclass(frozen=True, slots=True)
class Line:
    path: str
    kind: str
    data_class: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(sources: Sequence[Source], uses: Iterable[Use], path: Sequence[Source] = ()) -> Picture:
    """Return the picture: fields and causes on the left, parts of the mail on the right."""
    places = {place: TOP + at * PLACE for at, place in enumerate(PLACES)}
    right = [
        Box(title, "inside" if place in INSIDE else "outside", RIGHT, places[place],
            WIDTH - RIGHT - 4, PLACE - 12, ())
        for place, title in PLACES.items()
    ]  # fmt: skip
    left: list[Box] = []
    at: dict[str, int] = {}
    y = TOP
    for source in [*sources, *path]:
        box, heights = _box(source, y)
        at |= heights
        left.append(box)
        y += box.height + GAP
    labels = {key: label for source in sources for key, label in source.fields}
    kinds = {key: source.data_class for source in sources for key, _ in source.fields}
    lines = [
        _line(at[use.field], places[use.place] + 14, kinds[use.field], _kind(use),
              f"{labels[use.field]} → {PLACES[use.place]}")
        for use in uses
        if use.field in at
    ]  # fmt: skip
    lines += [
        _line(at[key], places[ENVELOPE] + 14, source.data_class, "path",
              f"{label}, {source.title} → who gets it")
        for source in path
        for key, label in source.fields
    ]  # fmt: skip
    lines.sort(key=lambda line: line.kind == "forbidden")  # drawn last, so on top
    return Picture(WIDTH, max(y, TOP + len(PLACES) * PLACE), (*left, *right), tuple(lines))


def _box(source: Source, y: int) -> tuple[Box, dict[str, int]]:
    at = {source.title: y + HEAD // 2}
    lines = []
    for number, (key, label) in enumerate(source.fields):
        at[key] = y + HEAD + number * ROW + 6
        lines.append((at[key] + 4, label))
    height = HEAD + len(source.fields) * ROW + (4 if source.fields else 0)
    return Box(source.title, f"class-{source.data_class}", 4, y, LEFT - 4, height, tuple(lines)), at


def _kind(use: Use) -> str:
    return use.how if use.allowed else "forbidden"


def _line(y1: int, y2: int, data_class: str, kind: str, title: str) -> Line:
    middle = (LEFT + RIGHT) // 2
    path = f"M{LEFT},{y1} C{middle},{y1} {middle},{y2} {RIGHT},{y2}"
    return Line(path, kind, f"class-{data_class}", title)
