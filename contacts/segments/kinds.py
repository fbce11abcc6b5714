"""Names of kinds of events, and the beginnings of such names. Pure.

`appointment.*` means every kind whose name begins with `appointment.`, those that come later too.
No beginning may mean the events of coming into a segment or leaving it: those name their segment,
and carry its labels (PR-30).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

MAX_KIND: Final = 60
ABOUT_SEGMENTS: Final = "segment."
"""Events of somebody's coming into a segment, or leaving it; the campaign is the segment."""
_WHOLE: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_BEGINNING: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*\.?\*")


def problem_with(name: object) -> str:
    """Say what is wrong with a name that is asked for, or nothing."""
    if not isinstance(name, str) or len(name) > MAX_KIND or not _is_name(name):
        return "must be an event name such as message.clicked, or its beginning: appointment.*"
    if is_beginning(name) and reaches(name, (ABOUT_SEGMENTS,)):
        return (
            "would mean coming into segments too: write more of the beginning, or ask"
            " segment.entered and name the segment under campaign"
        )
    return ""


def _is_name(name: str) -> bool:
    return bool(_WHOLE.fullmatch(name) or _BEGINNING.fullmatch(name))


def is_beginning(name: str) -> bool:
    return name.endswith("*")


def means(name: str, kind: str) -> bool:
    """Whether events of this kind are meant by the name."""
    return kind.startswith(name[:-1]) if is_beginning(name) else kind == name


def reaches(name: str, starts: Iterable[str]) -> bool:
    """Whether the name may mean a kind that begins with one of these, or is one of these."""
    if not is_beginning(name):
        return name.startswith(tuple(starts))
    known = name[:-1]
    return any(known.startswith(start) or start.startswith(known) for start in starts)


def stays_within(name: str, starts: tuple[str, ...]) -> bool:
    """Whether every kind that the name means begins with one of these."""
    return name.removesuffix("*").startswith(starts)


def test(names: Collection[str]) -> tuple[str, list[str | list[str]]]:
    """SQL for kinds that one of the names means, with %s for its values.

    Databases are made with the C.UTF-8 order, in which an index on kinds serves a beginning too.
    """
    whole = sorted(name for name in names if not is_beginning(name))
    begun = likes(names)
    if len(names) == 1:  # said so, an index gives the rows in their order
        return ("kind LIKE %s", [*begun]) if begun else ("kind = %s", [*whole])
    if not begun:
        return "kind = ANY(%s::text[])", [whole]
    return "(kind = ANY(%s::text[]) OR kind LIKE ANY(%s::text[]))", [whole, begun]


def likes(names: Collection[str]) -> list[str]:
    """The beginnings among the names, as LIKE takes them."""
    return sorted(name[:-1].replace("_", r"\_") + "%" for name in names if is_beginning(name))
