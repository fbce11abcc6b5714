"""What may be asked of a person's events and of their properties. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from contacts.fields import DataClass, Field, FieldType
from contacts.segments import entry_clauses, field_clauses, kinds, reading
from contacts.segments.nodes import (
    All,
    Any_,
    Clause,
    Happened,
    Not,
    OneHappened,
    Property,
    Total,
    Totalled,
)
from contacts.segments.reading import Problem, Reader

TOTALS: Final[tuple[Total, ...]] = ("sum", "avg", "min", "max", "count_distinct")
MAX_NAME: Final = 100
_MOMENTS: Final = frozenset(
    {
        "before", "on_or_before", "after", "on_or_after",
        "within_last", "within_next", "older_than", "during",
    }
)  # fmt: skip
_LISTS: Final = frozenset(entry_clauses.WORDS)


def read(at: Reader) -> Clause | None:
    """Read `{"event": kind, ...}`: how often, what a property comes to, or the first or last."""
    such = _such(at)
    if at.has("aggregate"):
        return _totalled(at, such)
    if at.has("which"):
        return _one(at, such)
    low, high = _times(at)
    return replace(such, low=low, high=high)


def _such(at: Reader) -> Happened:
    kind = at.tree["event"]
    if wrong := kinds.problem_with(kind):
        at.wrong("event", wrong)
        kind = ""
    return Happened(
        kind,
        window=_window(at),
        campaign=at.maybe("campaign", reading.uuid, "the id of a campaign"),
        link=at.maybe("link", reading.text, "the label of a link") or "",
        machine=bool(at.maybe("machine", reading.boolean, "true or false")),
        where=_where(at, "where"),
        path=at.path,
    )


def _window(at: Reader) -> Any:
    """The window's keys stand in the clause itself, or together under `window`."""
    if not at.has("window"):
        return entry_clauses.window(at, dated=False)
    if not isinstance(at.tree["window"], Mapping):
        at.wrong("window", 'must be an object such as {"within_days": 30}')
        return entry_clauses.window(at, dated=False)
    inner = Reader(at.tree["window"], f"{at.path}.window", at.problems)
    found = entry_clauses.window(inner, dated=False)
    inner.close()
    return found


def _times(at: Reader) -> tuple[int, int | None]:
    times = at.tree["times"] if at.has("times") else {"at_least": 1}
    if not isinstance(times, Mapping) or len(times) != 1:
        at.wrong("times", "must be an object with one of at_least, at_most, exactly")
        return 1, None
    inner = Reader(times, f"{at.path}.times", at.problems)
    found = limits(inner)
    inner.close()
    return found


def limits(at: Reader) -> tuple[int, int | None]:
    """Read one of `at_least`, `at_most` and `exactly`."""
    least = at.maybe("at_least", reading.whole, "a whole number")
    most = at.maybe("at_most", reading.whole, "a whole number")
    exactly = at.maybe("exactly", reading.whole, "a whole number")
    if exactly is not None:
        return exactly, exactly
    return (0, most) if most is not None else (least or 0, None)


def _one(at: Reader, such: Happened) -> Clause | None:
    which = at.tree["which"]
    if which not in ("first", "last"):
        at.wrong("which", "must be first or last")
        return None
    of = replace(such, window=Happened("").window, where=_where(at, "of"))
    return OneHappened("first" if which == "first" else "last", of, such, path=at.path)


def _totalled(at: Reader, such: Happened) -> Clause | None:
    inner = at.take("aggregate", _mapping, 'an object such as {"property": "amount", "fn": "sum"}')
    if inner is None:
        return None
    asked = Reader(inner, f"{at.path}.aggregate", at.problems)
    name = asked.take("property", _name, "the name of a property")
    place = asked.take("fn", TOTALS.index, f"one of {', '.join(TOTALS)}")
    asked.close()
    # What it comes to is compared as a number field is, by the same words.
    field = Field(key=name or "-", label="", type=FieldType.NUMBER, data_class=_NO_CLASS)
    compares = {op: field_clauses.OPERATORS[FieldType.NUMBER][op] for op in _COMPARES}
    op = at.take("op", reading.text, f"one of {', '.join(_COMPARES)}")
    if op is not None and op not in compares:
        at.wrong("op", f"must be one of {', '.join(_COMPARES)}")
    bounds: Any = compares[op](at, field) if op in compares else None
    at.has("value")
    if name is None or place is None or bounds is None:
        return None
    sides = (bounds.low, bounds.high, bounds.low_open, bounds.high_open)
    return Totalled(such, name, TOTALS[place], *sides, path=at.path)


_COMPARES: Final = ("gt", "gte", "lt", "lte", "between")
_NO_CLASS: Final = DataClass.ENGAGEMENT


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def _name(value: Any) -> str:
    """Dots lead into nested objects."""
    name = reading.text(value)
    if len(name) > MAX_NAME:
        raise ValueError
    return name


def _where(at: Reader, key: str) -> Clause | None:
    """A list of conditions that all hold, or one condition or group."""
    if not at.has(key):
        return None
    given, path = at.tree[key], f"{at.path}.{key}"
    if isinstance(given, list):
        return _all_of(given, path, at.problems, depth=0)
    return _condition(given, path, at.problems, depth=0)


def _all_of(trees: Any, path: str, problems: list[Problem], *, depth: int) -> Clause | None:
    parts = _parts(trees, path, problems, depth=depth)
    return All(parts, path=path) if parts else None


def _parts(trees: Any, path: str, problems: list[Problem], *, depth: int) -> tuple[Clause, ...]:
    if not isinstance(trees, list) or not trees or len(trees) > 50:
        problems.append(Problem(path, "must be a list of 1 to 50 conditions"))
        return ()
    parts = [
        _condition(tree, f"{path}[{place}]", problems, depth=depth + 1)
        for place, tree in enumerate(trees)
    ]
    whole = tuple(part for part in parts if part is not None)
    return whole if len(whole) == len(parts) else ()


def _condition(tree: Any, path: str, problems: list[Problem], *, depth: int) -> Clause | None:
    if not isinstance(tree, Mapping) or depth > 4:
        problems.append(Problem(path, "must be a condition on a property, at most 4 groups deep"))
        return None
    at = Reader(tree, path, problems)
    kind = next((key for key in ("all", "any", "not") if key in tree), "")
    if not kind:
        found = _property(at)
    elif kind == "not":
        inner = _condition(tree["not"], f"{path}.not", problems, depth=depth + 1)
        found = inner and Not(inner, path=path)
    else:
        parts = _parts(tree[kind], f"{path}.{kind}", problems, depth=depth)
        group = All if kind == "all" else Any_
        found = group(parts, path=path) if parts else None
    at.has(kind)
    at.close()
    return found


def _property(at: Reader) -> Clause | None:
    name = at.take("property", _name, "the name of a property")
    op = at.take("op", reading.text, "what to ask of the property")
    for key in ("value", "unit", "case"):
        at.has(key)
    if name is None or op is None:
        return None
    type_ = _type_asked(op, at.tree.get("value"))
    field = Field(key=name, label=name, type=type_, data_class=_NO_CLASS)
    ask = field_clauses.OPERATORS[type_].get(op)
    if ask is None:
        at.wrong("op", f"cannot be asked so; use one of {', '.join(OPERATORS)}")
        return None
    test = ask(at, field)
    return None if test is None else Property(name, type_, test, path=at.path)


def _type_asked(op: str, value: Any) -> FieldType:
    """Properties have no declared type: the question says as what they are read."""
    if op in _MOMENTS:
        return FieldType.DATETIME
    if op in _LISTS or op == "exists":
        return FieldType.CHOICES
    one = value[0] if isinstance(value, list) and value else value
    if op == "between" and isinstance(one, str | Mapping):
        return FieldType.DATETIME  # text has no order: these are days or moments
    if isinstance(one, bool):
        return FieldType.BOOLEAN
    if isinstance(one, int | float) or op in _COMPARES:
        return FieldType.NUMBER
    return FieldType.TEXT


OPERATORS: Final = tuple(
    dict.fromkeys(
        op
        for type_ in (FieldType.TEXT, FieldType.NUMBER, FieldType.DATETIME, FieldType.CHOICES)
        for op in field_clauses.OPERATORS[type_]
    )
)
"""Everything that may be asked of a property, by the type that its value in the question has."""
