"""How many of a segment would get a mail in which language (AC-02)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from contacts.segments import catalogue, evaluate
from contacts.segments.models import Segment


def by_language(
    segment: Segment, own: str, others: Collection[str], *, now: datetime
) -> Counter[str]:
    """Return how many would get each language: their own where there is one, else the fallback.

    One question over the sealed columns for each other language, whatever the number of people.
    """
    found: Counter[str] = Counter()
    for language in others:
        found[language] = _count(segment, _speaking(language, others), now=now)
    found[own] = _count(segment, None, now=now) - sum(found.values())
    return found


def _count(segment: Segment, also: object, *, now: datetime) -> int:
    inside: object = {"segment": str(segment.id)}
    tree = inside if also is None else {"all": [inside, also]}
    return evaluate.members(catalogue.expanded(catalogue.read(tree)), now=now).count


def _speaking(language: str, others: Collection[str]) -> dict[str, object]:
    """Return the condition by which `versions.speaks` chooses this language."""
    tongue, _, region = language.partition("-")
    alone = sum(one.partition("-")[0] == tongue for one in others) == 1
    pattern = rf"(?i)^{tongue}(-.*)?$" if alone or not region else rf"(?i)^{language}$"
    return {"field": "language", "op": "matches", "value": pattern}
