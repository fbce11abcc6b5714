"""Questions that higher floors add to the language. Pure.

A floor registers in `AppConfig.ready`; the JSON key becomes a leaf: `{"consent": {...}}`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from contacts.segments.nodes import Question

RESERVED = frozenset(
    {
        "all", "any", "not", "exactly", "at_least", "at_most",
        "field", "event", "list", "segment", "household", "everyone", "share",
    }
)  # fmt: skip


class Leaf(Protocol):
    """How one kind of question is read."""

    @property
    def key(self) -> str:
        """The JSON key, such as `consent`."""

    @property
    def label(self) -> str:
        """What the builder calls it."""

    def parse(self, value: Any, path: str) -> Question:
        """Return the question, or raise DefinitionInvalid with problems at `path`."""


_leaves: dict[str, Leaf] = {}


def register(leaf: Leaf) -> None:
    """Add a leaf. The same key twice is a mistake, unless it is the same leaf."""
    if leaf.key in RESERVED or _leaves.get(leaf.key, leaf) is not leaf:
        raise ValueError(f"the segment language already has a leaf {leaf.key!r}")
    _leaves[leaf.key] = leaf


Namer = Callable[[Collection[UUID]], Mapping[UUID, str]]
_namers: list[Namer] = []


def register_names(namer: Namer) -> None:
    """Say what the campaigns that events are asked of are called; ids of others have no name."""
    if namer not in _namers:
        _namers.append(namer)


def names_of(campaigns: Collection[UUID]) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for namer in _namers if campaigns else ():
        found.update(namer(campaigns))
    return found


def leaf(key: str) -> Leaf | None:
    return _leaves.get(key)


def leaves() -> Iterable[Leaf]:
    return _leaves.values()


def keys() -> frozenset[str]:
    return RESERVED | _leaves.keys()
