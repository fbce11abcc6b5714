"""From the ids that the API shows to the ones that rows carry, a thousand at a time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contacts import matching
from marketing.api.problems import Fault, invalid, not_found

NOBODY = "There is no such contact in your organisation."


def one(public_id: UUID) -> int:
    """Return the contact's id; raise a 404."""
    found = matching.ids_by_public_id([public_id])
    if public_id not in found:
        raise not_found("contact")
    return found[public_id]


def named(public_id: UUID, *, pointer: str) -> int:
    """Return the id of a contact that a body names; raise a 422 that says where."""
    return every([public_id], pointer=pointer, single=True)[0]


def every(public_ids: Sequence[UUID], *, pointer: str, single: bool = False) -> list[int]:
    """Return the ids in order; raise a 422 that points at each that is nobody's."""
    found = matching.ids_by_public_id(public_ids)
    missing = [
        Fault(pointer if single else f"{pointer}/{index}", NOBODY)
        for index, public_id in enumerate(public_ids)
        if public_id not in found
    ]
    if missing:
        raise invalid(missing)
    return [found[public_id] for public_id in public_ids]
