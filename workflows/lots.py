"""Random splits: the lot that a person draws. Pure."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID


def drawn(workflow_id: UUID, node: str, contact_id: int, occurrence: str) -> float:
    """Return the lot, at least 0 and less than 1.

    A keyed hash of the enrolment: the same person keeps the lot on every version and however often
    it is asked, and what was drawn at one step says nothing of another's.
    """
    digest = blake2b(
        f"{contact_id}|{occurrence}".encode(),
        digest_size=8,
        key=blake2b(workflow_id.bytes + node.encode(), digest_size=32).digest(),
    ).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)
