"""What leans on a field or a code group: shown before it is changed, and a reason to refuse.

Segments are asked here; higher floors register their own lookups in `AppConfig.ready`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contacts.segments.catalogue import titled
from contacts.segments.models import Segment


@dataclass(frozen=True, slots=True)
class Dependant:
    """Something that would break. `title` is fit for every role."""

    kind: str
    id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """How a floor finds its own dependants of a field's key, or of a code group's id."""

    of_field: Callable[[str], list[Dependant]]
    of_code_group: Callable[[UUID], list[Dependant]]


_lookups: dict[str, Lookup] = {}


def register(name: str, lookup: Lookup) -> None:
    """Add a floor's lookup; `name` is the floor's, so that registering twice asks once."""
    _lookups[name] = lookup


def of_field(key: str) -> list[Dependant]:
    """Return what asks about, reads or writes the field."""
    found = _segments("field", key)
    return found + [one for lookup in _lookups.values() for one in lookup.of_field(key)]


def of_code_group(group_id: UUID) -> list[Dependant]:
    """Return what asks about the codes of the group."""
    found = _segments("group", str(group_id))
    return found + [one for lookup in _lookups.values() for one in lookup.of_code_group(group_id)]


def names(tree: Any, name: str, value: str) -> bool:
    """Say whether a tree names this value under this name, alone, in a list or as a key, however
    deep and however broken: a definition that no longer parses still leans on what it names.
    """
    return any(
        value in found if isinstance(found, list | Mapping) else found == value
        for found in _under(tree, name)
    )


def _under(tree: Any, name: str) -> Iterator[Any]:
    if isinstance(tree, Mapping):
        if name in tree:
            yield tree[name]
        for inner in tree.values():
            yield from _under(inner, name)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _under(inner, name)


def _segments(name: str, value: str) -> list[Dependant]:
    """Return the live segments that name it; a label hides the title (PR-30)."""
    return [
        Dependant("segment", row.id, titled(row, clinical=False))
        for row in Segment.objects.filter(archived_at=None).order_by("created_at")
        if names(row.definition, name, value)
    ]
