"""Segments as workflows ask them: who is in one now, and what being in it betrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from contacts.models import first_id
from contacts.segments import approvals, catalogue, evaluate, references
from contacts.segments.definition import (
    Definition,
    DefinitionInvalid,
    Problem,
    data_classes,
)
from contacts.segments.models import Segment


def resolved(tree: Mapping[str, Any]) -> Definition:
    """Return the conditions with every segment they name put in; DefinitionInvalid if broken."""
    return catalogue.expanded(catalogue.read(tree))


def approved(tree: Mapping[str, Any]) -> Definition:
    """Return the conditions; DefinitionInvalid too where a sensitive label is read and no second
    person approved that. Conditions of one's own have nobody to approve them: they must be a saved
    segment (SE-20, PR-30)."""
    definition = resolved(tree)
    if not references.labels(definition):
        return definition
    named = tree.get("segment") if len(tree) == 1 else None
    if named is None:
        raise DefinitionInvalid([Problem("$", _SAVE_IT)])
    segment = Segment.objects.filter(pk=named).first()
    why = approvals.why_not(segment) if segment is not None else "is gone"
    if why:
        raise DefinitionInvalid([Problem("$.segment", why)])
    return definition


_SAVE_IT = "reads a sensitive label: save it as a segment and have a second person approve that"


def among(tree: Mapping[str, Any], contact_ids: Collection[int], *, now: datetime) -> set[int]:
    return evaluate.among(approved(tree), contact_ids, now=now)


def members(segment_id: UUID, *, now: datetime) -> list[int]:
    """Return who is in the segment now."""
    found: list[int] = packed(segment_id, now=now).tolist()
    return found


def packed(segment_id: UUID, *, now: datetime) -> NDArray[np.int64]:
    """The same, in eight bytes a person and in order, for whoever walks through very many."""
    found = evaluate.members(approved(of(segment_id)), now=now)
    ids: NDArray[np.int64] = found.ordinals.astype(np.int64) + first_id(found.organisation_id)
    return ids


def betrays(tree: Mapping[str, Any]) -> frozenset[str]:
    """Return the classes of information that a yes to the conditions gives away."""
    return frozenset(one.value for one in data_classes(resolved(tree)))


def of(segment_id: UUID) -> dict[str, Any]:
    return {"segment": str(segment_id)}
