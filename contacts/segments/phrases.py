"""Values, bounds, spans and windows in words: what the sentences of `words` are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Final

from contacts.segments.moments import PERIODS, Relative, Span
from contacts.segments.nodes import Between, Latest, Totalled, Where, Window


def joined(parts: Sequence[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])}{',' if len(parts) > 2 else ''} {word} {parts[-1]}"


def _period(name: str) -> str:
    which, _, stretch = name.partition("_")
    said = {
        "this": f"in this {stretch}",
        "last": f"in the {stretch} before this one",
        "next": f"in the {stretch} after this one",
    }
    return said.get(which, name)


PERIODS_IN_WORDS: Final[Mapping[Any, str]] = {ends: _period(name) for name, ends in PERIODS.items()}
"""Each named stretch of the calendar, by its ends."""


def number_in_words(number: float) -> str:
    """All of its digits, 15 at most: 1500000, not 1.5e+06."""
    return f"{number:.15g}"


def value_in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_in_words(value)
    if isinstance(value, Relative):
        return _relative(value)
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    return value.isoformat() if isinstance(value, date) else f"“{value}”"


def span_in_words(span: Span | Relative) -> str:
    count = abs(span.count)
    return f"{count} {span.unit[:-1] if count == 1 else span.unit}"


def _relative(point: Relative) -> str:
    if point.count == 0:
        return "now" if point.unit == "hours" else "today"
    return f"{span_in_words(point)} {'ago' if point.count < 0 else 'ahead'}"


def bounds_in_words(clause: Between | Latest | Totalled | Where, *, dated: bool) -> str:
    if clause.low is not None and clause.low == clause.high:
        return value_in_words(clause.low)
    if clause.low is not None and clause.high is not None:
        return f"from {value_in_words(clause.low)} to {value_in_words(clause.high)}"
    more = ("after", "on or after") if dated else ("more than", "at least")
    less = ("before", "on or before") if dated else ("less than", "at most")
    if clause.low is not None:
        return f"{more[0] if clause.low_open else more[1]} {value_in_words(clause.low)}"
    return f"{less[0] if clause.high_open else less[1]} {value_in_words(clause.high)}"


def times_in_words(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    if low == high:
        return f"exactly {low}"
    return f"{low} to {high}" if low else f"at most {high}"


def window_in_words(window: Window) -> list[str]:
    said = []
    if (window.since, window.before) in PERIODS_IN_WORDS:
        said.append(PERIODS_IN_WORDS[window.since, window.before])
    else:
        ends = (("since", window.since), ("before", window.before))
        said += [f"{word} {value_in_words(point)}" for word, point in ends if point is not None]
    if window.last:
        said.append(f"in the last {span_in_words(window.last)}")
    if window.next:
        said.append(f"in the next {span_in_words(window.next)}")
    return said
