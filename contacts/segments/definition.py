"""A segment's definition: JSON in, typed clauses out, every problem named by its place. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from contacts.fields import FIELDS, Field
from contacts.segments import field_clauses, language, reading
from contacts.segments.nodes import (
    All,
    Any_,
    Clause,
    Definition,
    Happened,
    InSegment,
    Not,
    OnList,
    Registered,
)
from contacts.segments.reading import DefinitionInvalid, Problem, Reader
from contacts.segments.references import data_classes, expand, fields_read, labels
from contacts.segments.words import in_words

__all__ = [
    "Definition",
    "DefinitionInvalid",
    "Problem",
    "data_classes",
    "expand",
    "fields_read",
    "in_words",
    "labels",
    "parse",
]

MAX_DEPTH: Final = 12
MAX_CLAUSES: Final = 200
_KIND = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


def parse(tree: object, *, fields: Mapping[str, Field] = FIELDS) -> Definition:
    """Return the definition, or raise DefinitionInvalid with all problems found."""
    parser = _Parser(fields)
    root = parser.clause(tree, "$", depth=0)
    if root is None or parser.problems:
        raise DefinitionInvalid(parser.problems)
    return Definition(root, tree)


class _Parser:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.problems: list[Problem] = []
        self.clauses = 0

    def clause(self, tree: object, path: str, *, depth: int) -> Clause | None:
        self.clauses += 1
        if depth > MAX_DEPTH or self.clauses > MAX_CLAUSES:
            self._wrong(path, f"is too large: {MAX_CLAUSES} clauses, {MAX_DEPTH} levels")
            return None
        if not isinstance(tree, Mapping):
            self._wrong(path, "must be an object")
            return None
        known = language.keys()
        kinds = [key for key in tree if key in known]
        if len(kinds) != 1:
            self._wrong(path, f"must have exactly one of: {', '.join(sorted(known))}")
            return None
        return self._read(kinds[0], Reader(tree, path, self.problems, {kinds[0]}), depth)

    def _read(self, kind: str, at: Reader, depth: int) -> Clause | None:
        if kind in ("all", "any"):
            found = self._group(kind, at, depth)
        elif kind == "not":
            inner = self.clause(at.tree["not"], f"{at.path}.not", depth=depth + 1)
            found = inner and Not(inner, path=at.path)
        elif kind in ("field", "event", "list", "segment"):
            found = self._leaf(kind, at)
        else:
            found = self._registered(kind, at)
        at.close()
        return found

    def _leaf(self, kind: str, at: Reader) -> Clause | None:
        if kind == "field":
            return self._field(at)
        if kind == "event":
            return self._event(at)
        return self._list(at) if kind == "list" else self._segment(at)

    def _group(self, kind: str, at: Reader, depth: int) -> Clause | None:
        trees = at.tree[kind]
        if not isinstance(trees, list) or not trees:
            self._wrong(f"{at.path}.{kind}", "is an empty group: add a condition or remove it")
            return None
        parts = [
            self.clause(tree, f"{at.path}.{kind}[{place}]", depth=depth + 1)
            for place, tree in enumerate(trees)
        ]
        whole = tuple(part for part in parts if part is not None)
        group = All if kind == "all" else Any_
        return group(whole, path=at.path) if len(whole) == len(parts) else None

    def _field(self, at: Reader) -> Clause | None:
        key = at.tree["field"]
        field = self.fields.get(key) if isinstance(key, str) else None
        if field is None or not field.segmentable:
            at.known |= at.tree.keys()
            self._wrong(f"{at.path}.field", "is not a field that segments can ask")
            return None
        operators = field_clauses.OPERATORS[field.type]
        name = at.take("op", reading.text, f"one of {', '.join(operators)}")
        read = operators.get(name) if name else None
        if name and read is None:
            self._wrong(
                f"{at.path}.op",
                f"cannot be asked of {field.label}; use one of {', '.join(operators)}",
            )
        if read is None:
            at.known |= at.tree.keys()
            return None
        return read(at, field)

    def _event(self, at: Reader) -> Clause | None:
        kind = at.tree["event"]
        if not isinstance(kind, str) or not _KIND.fullmatch(kind) or len(kind) > 60:
            self._wrong(f"{at.path}.event", "must be an event name such as message.clicked")
            kind = ""
        low, high = self._times(at)
        machine = at.maybe("machine", reading.boolean, "true or false")
        return Happened(
            kind,
            low,
            high,
            field_clauses.window(at, dated=False),
            campaign=at.maybe("campaign", reading.uuid, "the id of a campaign"),
            link=at.maybe("link", reading.text, "the label of a link") or "",
            machine=bool(machine),
            path=at.path,
        )

    def _times(self, at: Reader) -> tuple[int, int | None]:
        times = at.tree.get("times", {"at_least": 1}) if at.has("times") else {"at_least": 1}
        expected = "an object with one of at_least, at_most, exactly and a whole number"
        if not isinstance(times, Mapping) or len(times) != 1:
            at.wrong("times", f"must be {expected}")
            return 1, None
        inner = Reader(times, f"{at.path}.times", self.problems)
        least = inner.maybe("at_least", reading.whole, "a whole number")
        most = inner.maybe("at_most", reading.whole, "a whole number")
        exactly = inner.maybe("exactly", reading.whole, "a whole number")
        inner.close()
        if exactly is not None:
            return exactly, exactly
        return (0, most) if most is not None else (least or 0, None)

    def _list(self, at: Reader) -> Clause | None:
        found = at.take("list", reading.uuid, "the id of a list")
        return None if found is None else OnList(found, path=at.path)

    def _segment(self, at: Reader) -> Clause | None:
        found = at.take("segment", reading.uuid, "the id of a segment")
        return None if found is None else InSegment(found, path=at.path)

    def _registered(self, kind: str, at: Reader) -> Clause | None:
        leaf = language.leaf(kind)
        assert leaf is not None
        try:
            return Registered(kind, leaf.parse(at.tree[kind], f"{at.path}.{kind}"), path=at.path)
        except DefinitionInvalid as invalid:
            self.problems.extend(invalid.problems)
            return None

    def _wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))
