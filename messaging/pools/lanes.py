"""The pools and which purpose goes by which. Pure.

They are apart so that trouble with one kind of mail (a marketing address that a provider blocks)
leaves the others going; the order is the order in which they are served. Text messages have pools
of their own: they have numbers instead of addresses, and carriers that no mail goes by.
"""

from __future__ import annotations

TRANSACTIONAL, CARE, MARKETING = "transactional", "care", "marketing"
TEXTS, MARKETING_TEXTS = "texts", "marketing_texts"
POOLS = (TRANSACTIONAL, CARE, TEXTS, MARKETING, MARKETING_TEXTS)
OF_TEXTS = frozenset({TEXTS, MARKETING_TEXTS})
LABELS = {
    TRANSACTIONAL: "Transactional",
    CARE: "Care",
    TEXTS: "Text messages",
    MARKETING: "Marketing",
    MARKETING_TEXTS: "Marketing texts",
}
EMAIL, SMS = "email", "sms"
PURPOSES: dict[str, tuple[str, ...]] = {
    TRANSACTIONAL: ("payment", "operations", "service_notice"),
    CARE: ("treatment", "care_coordination", "appointment", "refill"),
    MARKETING: ("marketing", "remunerated_marketing", "fundraising", "research"),
}
"""Which purposes go by which pool of mail."""
_POOL_OF = {purpose: pool for pool, purposes in PURPOSES.items() for purpose in purposes}


def pool_of(purpose: str, channel: str = EMAIL) -> str:
    """Return the pool of a purpose; one that nobody knows goes by the strictest."""
    pool = _POOL_OF.get(purpose, MARKETING)
    if channel != SMS:
        return pool
    return MARKETING_TEXTS if pool == MARKETING else TEXTS


def purposes_of(pool: str) -> tuple[str, ...]:
    """Return the purposes that a pool carries."""
    if pool == TEXTS:
        return PURPOSES[TRANSACTIONAL] + PURPOSES[CARE]
    return PURPOSES[MARKETING if pool == MARKETING_TEXTS else pool]
