"""A segment's definition: JSON in, typed clauses out, every problem named by its place. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from contacts import stage_rules
from contacts.fields import FIELDS, Field
from contacts.segments import (
    entry_clauses,
    event_clauses,
    field_clauses,
    language,
    lots,
    reading,
)
from contacts.segments.nodes import (
    ENTERED,
    All,
    Any_,
    Been,
    Clause,
    Definition,
    Everyone,
    Happened,
    Household,
    InSegment,
    Not,
    OnList,
    Registered,
    Several,
    Share,
    Window,
    children,
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

_STAGE_OPS: Final = ("equals", "not_equals", "in")
MAX_DEPTH: Final = 12
MAX_CLAUSES: Final = 200
LIMITS: Final = ("exactly", "at_least", "at_most")
"""How many of the conditions under `of` hold."""


def parse(tree: object, *, fields: Mapping[str, Field] = FIELDS) -> Definition:
    """Return the definition, or raise DefinitionInvalid with all problems found."""
    parser = _Parser(fields)
    root = parser.clause(tree, "$", depth=0)
    if root is None or parser.problems:
        raise DefinitionInvalid(parser.problems)
    return Definition(root, tree, fields)


def _among(choices: tuple[str, ...], value: Any) -> str:
    if value not in choices:
        raise ValueError
    return str(value)


def _everyone(at: Reader) -> Clause | None:
    if at.tree["everyone"] is True:
        return Everyone(path=at.path)
    at.wrong("everyone", "must be true; put it under not for nobody")
    return None


def _share(at: Reader) -> Clause | None:
    given = at.tree["share"]
    if not isinstance(given, Mapping):
        at.wrong("share", 'must be an object such as {"percent": 10, "of": "spring pilot"}')
        return None
    inner = Reader(given, f"{at.path}.share", at.problems)
    name = inner.take("of", reading.text, "the name that lots are drawn by")
    wide = inner.take("percent", reading.percent, "a percentage above 0, to two decimals")
    low = inner.maybe("from", reading.percent, "a percentage above 0, to two decimals") or 0
    inner.close()
    if wide is not None and low + wide > lots.LOTS:
        inner.wrong("from", "and percent come to more than 100")
    return None if name is None or wide is None else Share(name, low, low + wide, path=at.path)


class _Parser:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.problems: list[Problem] = []
        self.clauses = 0
        self.asks_others = False
        self._leaves: Mapping[str, Callable[[Reader], Clause | None]] = {
            "field": self._field,
            "event": event_clauses.read,
            "list": self._list,
            "segment": self._segment,
            "everyone": _everyone,
            "share": _share,
        }

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
        elif kind in LIMITS:
            found = self._several(kind, at, depth)
        elif kind == "household":
            found = self._household(at, depth)
        elif kind == "not":
            inner = self.clause(at.tree["not"], f"{at.path}.not", depth=depth + 1)
            found = inner and Not(inner, path=at.path)
        elif kind in self._leaves:
            found = self._leaves[kind](at)
        else:
            found = self._registered(kind, at)
        at.close()
        return found

    def _group(self, kind: str, at: Reader, depth: int) -> Clause | None:
        trees = at.tree.get(kind)
        if not isinstance(trees, list) or not trees:
            self._wrong(f"{at.path}.{kind}", "is an empty group: add a condition or remove it")
            return None
        parts = [
            self.clause(tree, f"{at.path}.{kind}[{place}]", depth=depth + 1)
            for place, tree in enumerate(trees)
        ]
        whole = tuple(part for part in parts if part is not None)
        group = Any_ if kind == "any" else All
        return group(whole, path=at.path) if len(whole) == len(parts) else None

    def _field(self, at: Reader) -> Clause | None:
        key = at.tree["field"]
        field = self.fields.get(key) if isinstance(key, str) else None
        if field is not None and field.by_rules:
            return self._stage(at, field)
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

    def _stage(self, at: Reader, field: Field) -> Clause | None:
        """Put the rules of the stages asked for in their place."""
        asked = at.take("op", _STAGE_OPS.index, f"one of {', '.join(_STAGE_OPS)}")
        read = reading.several if asked == _STAGE_OPS.index("in") else reading.one_or_several
        expected = "one of " + ", ".join(field.choices)
        stages = at.take("value", read(partial(_among, field.choices)), expected)
        if asked is None or stages is None:
            return None
        alone = len(stages) == 1 and asked == _STAGE_OPS.index("equals")
        rules = [
            self.clause(
                stage_rules.RULES[stage], at.path if alone else f"{at.path}.{stage}", depth=0
            )
            for stage in stages
        ]
        whole = tuple(
            replace(rule, said=f"{field.label.lower()} is {stage}")
            for stage, rule in zip(stages, rules, strict=True)
            if isinstance(rule, All)
        )
        if len(whole) < len(rules):
            return None
        found = Any_(whole, path=at.path) if len(whole) > 1 else whole[0]
        return Not(found, path=at.path) if asked == _STAGE_OPS.index("not_equals") else found

    def _several(self, kind: str, at: Reader, depth: int) -> Clause | None:
        low, high = event_clauses.limits(at)
        at.has("of")
        group = self._group("of", at, depth)
        return group and Several(children(group), low, high, path=at.path)

    def _household(self, at: Reader, depth: int) -> Clause | None:
        if self.asks_others:
            self._wrong(at.path, "stands inside another household: ask of one household only")
            return None
        self.asks_others = True
        inner = self.clause(at.tree["household"], f"{at.path}.household", depth=depth + 1)
        self.asks_others = False
        return inner and Household(inner, path=at.path)

    def _list(self, at: Reader) -> Clause | None:
        found = at.take("list", reading.uuid, "the id of a list")
        return None if found is None else OnList(found, path=at.path)

    def _segment(self, at: Reader) -> Clause | None:
        found = at.take("segment", reading.uuid, "the id of a segment")
        came_in = entry_clauses.window(at, dated=False)
        if found is None:
            return None
        if came_in == Window():
            return InSegment(found, path=at.path)
        entered = Happened(ENTERED, window=came_in, campaign=found, path=at.path)
        return Been(entered, path=at.path)

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
