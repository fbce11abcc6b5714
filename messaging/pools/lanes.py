"""The three pools and which purpose goes by which. Pure.

They are apart so that trouble with one kind of mail (a marketing address that a provider blocks)
leaves the others going; the order is the order in which they are served.
"""

from __future__ import annotations

TRANSACTIONAL, CARE, MARKETING = "transactional", "care", "marketing"
POOLS = (TRANSACTIONAL, CARE, MARKETING)
LABELS = {TRANSACTIONAL: "Transactional", CARE: "Care", MARKETING: "Marketing"}
PURPOSES: dict[str, tuple[str, ...]] = {
    TRANSACTIONAL: ("payment", "operations", "service_notice"),
    CARE: ("treatment", "care_coordination", "appointment", "refill"),
    MARKETING: ("marketing", "remunerated_marketing", "fundraising", "research"),
}
_POOL_OF = {purpose: pool for pool, purposes in PURPOSES.items() for purpose in purposes}


def pool_of(purpose: str) -> str:
    """Return the pool of a purpose; one that nobody knows goes by the strictest."""
    return _POOL_OF.get(purpose, MARKETING)
