"""What a workflow is about besides the person: an appointment, an order, a stay. Pure."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

PERSONAL = ("message.", "consent.", "contact.", "segment.", "list.")
"""Events of these families are about the person, never about one object."""


def occurrence(workflow_id: UUID, key: str) -> str:
    """Return what tells this object's enrolment from the others: the key itself may name a visit,
    and is not kept in the clear."""
    return blake2b(key.encode(), digest_size=16, key=workflow_id.bytes).hexdigest()


def is_about_one(event: str) -> bool:
    return not event.startswith(PERSONAL)
