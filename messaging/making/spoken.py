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


def missing(
    segment: Segment, tongues: Collection[str], there: Collection[str], *, now: datetime
) -> Counter[str]:
    """Return how many prefer one of these tongues (`fr`) that no language which is there speaks,
    and so get the fallback; tongues that nobody prefers are left out."""
    spoken = {one.partition("-")[0] for one in there}
    lacking = (one for one in tongues if one not in spoken)
    return +Counter({one: _count(segment, _of(one), now=now) for one in lacking})


def _of(tongue: str) -> dict[str, object]:
    return {"field": "language", "op": "matches", "value": rf"(?i)^{tongue}(-.*)?$"}


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
