"""Which codes an organisation's own records carry, with their names: for finding one by its name.

What it gives is clinical: ask only for roles that may see that. It is read from the newest records
and kept for a minute, as whoever types asks at every key.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from accounts import tenancy
from contacts.facts import codings
from contacts.models import Contact
from contacts.segments import opening
from contacts.segments.semantics import RETRACTED, fold

NEWEST: Final = 8_192
KEPT: Final = 60.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One code, its name, and how many entries of the newest records carry it."""

    system: str
    code: str
    text: str
    entries: int


_kept: dict[tuple[int, str], tuple[float, list[Coded]]] = {}


def coded(field: str) -> list[Coded]:
    """Return the codes of a list field of the acting organisation, the most frequent first."""
    key = (tenancy.current(), field)
    at, found = _kept.get(key, (0.0, []))
    if time.monotonic() - at > KEPT or not found:
        found = _counted(field)
        _kept[key] = (time.monotonic(), found)
    return found


def forget() -> None:
    """Drop what is kept."""
    _kept.clear()


def like(found: Iterable[Coded], text: str, *, limit: int = 20) -> list[Coded]:
    """Return the codes that begin with the text, or whose name has all its words."""
    start, words = fold(text), fold(text).split()
    hits = (
        one
        for one in found
        if fold(one.code).startswith(start) or all(word in fold(one.text) for word in words)
    )
    return [one for one, _ in zip(hits, range(limit), strict=False)]


def _counted(field: str) -> list[Coded]:
    ids = Contact.objects.filter(erased_at=None).order_by("-id").values_list("id", flat=True)
    values = opening.values_of(tenancy.current(), list(ids[:NEWEST]), [field])
    seen: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], str] = {}
    for held in values.values():
        for item in _items(held.get(field)):
            for pair in codings(item):
                seen[pair] += 1
                names.setdefault(pair, item.get("display") or "")
    return [Coded(*pair, names[pair], count) for pair, count in seen.most_common()]


def _items(value: Any) -> Sequence[Any]:
    entries = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
    return [one for one in entries if one.get("status") not in RETRACTED]
