"""Segments as workflows ask them: who is in one now, and what being in it betrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from contacts.segments import catalogue, evaluate
from contacts.segments.definition import Definition, data_classes


def resolved(tree: Mapping[str, Any]) -> Definition:
    """Return the conditions with every segment they name put in; DefinitionInvalid if broken."""
    return catalogue.expanded(catalogue.read(tree))


def among(tree: Mapping[str, Any], contact_ids: Collection[int], *, now: datetime) -> set[int]:
    return evaluate.among(catalogue.read(tree), contact_ids, now=now)


def members(segment_id: UUID, *, now: datetime) -> list[int]:
    """Return who is in the segment now."""
    found = evaluate.members(resolved(of(segment_id)), now=now)
    return [int(one) for one in found.contact_ids()]


def betrays(tree: Mapping[str, Any]) -> frozenset[str]:
    """Return the classes of information that a yes to the conditions gives away."""
    return frozenset(one.value for one in data_classes(resolved(tree)))


def of(segment_id: UUID) -> dict[str, Any]:
    return {"segment": str(segment_id)}
