"""Which papers may go, since when, and the act by which they go (PR-16).

A paper is kept six years from its creation or from the last day on which it was in effect, the
later (164.508(b)(6), 164.530(j)(2)). Nothing goes by itself: an officer, or whoever runs the
installation, purges what is offered, and the counts stand in the trail. The rule is worked out in
the database (`consent_papers`, `consent_purge`), which refuses every other way to remove a paper.
The ledger's entries, the words of forms, opt-outs and suppressions stay: none says who somebody is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import actions, trail

YEARS = 6
PAGE = 50
KINDS: Mapping[str, str] = {
    "authorization": "Signed authorizations, with signature, copies, defects and withdrawal",
    "part2": "Consents under 42 CFR Part 2",
    "restriction": "Restrictions that were agreed",
    "notice_receipt": "Acknowledgements of the privacy notice",
    "notice": "Versions of the privacy notice",
}
actions.register("consent.purged", ("kind", "count"))

_UNTIL = "(greatest(created_on, ended_on) + interval '6 years')::date"
_COUNTS = f"""
select kind, count(*), count(*) filter (where ended_on is null),
       count(*) filter (where ended_on is not null and {_UNTIL} < %(on)s),
       min({_UNTIL}) filter (where ended_on is not null and {_UNTIL} >= %(on)s)
from consent_papers() group by kind
"""
_OFFERED = f"""
select p.kind, p.id, p.contact_id, c.public_id, c.erased_at is not null, p.created_on, p.ended_on,
       {_UNTIL}
from consent_papers() p left join contacts_contact c on c.id = p.contact_id
where p.ended_on is not null and {_UNTIL} < %(on)s
  and (%(kind)s = '' or p.kind = %(kind)s) and p.id > %(after)s
order by p.id limit %(size)s
"""
FIRST = UUID(int=0)


class CountChanged(ValueError):
    """What may go is not what was shown any more: look again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The papers of one kind."""

    kind: str
    papers: int
    in_effect: int
    """Still in effect: their six years have not begun."""
    offered: int
    next_on: date | None
    """The first day on which one more may go."""

    @property
    def within(self) -> int:
        return self.papers - self.in_effect - self.offered

    @property
    def label(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Offered:
    """A paper that may go."""

    kind: str
    id: UUID
    contact_id: int | None
    person: UUID | None
    erased: bool
    created_on: date
    ended_on: date
    kept_until: date

    @property
    def label(self) -> str:
        return KINDS[self.kind]


def standing(*, on: date) -> list[Kept]:
    """Return what is kept and what may go on a day, by kind; the day may lie ahead."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, {"on": on})
        found = {row[0]: row for row in cursor.fetchall()}
    kept = []
    for kind in KINDS:
        _, papers, in_effect, offered, last = found.get(kind, (kind, 0, 0, 0, None))
        kept.append(Kept(kind, papers, in_effect, offered, last and last + timedelta(days=1)))
    return kept


def offered(*, on: date, kind: str = "", after: UUID = FIRST, size: int = PAGE) -> list[Offered]:
    """Return a page of what may go on a day, by their ids."""
    asked: dict[str, Any] = {"on": on, "kind": kind, "after": after, "size": size}
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, asked)
        return [Offered(*row) for row in cursor.fetchall()]


@transaction.atomic
def purge(*, expected: int | None = None) -> dict[str, int]:
    """Remove what may go today and return how many went, by kind.

    Raises `CountChanged`, and removes nothing, where `expected` is not the number that would go.
    """
    with connection.cursor() as cursor:
        cursor.execute("select kind, gone from consent_purge()")
        gone = {kind: int(count) for kind, count in cursor.fetchall()}
    if expected is not None and sum(gone.values()) != expected:
        raise CountChanged(CountChanged.__doc__)
    for kind, count in gone.items():
        trail.record("consent.purged", detail={"kind": kind, "count": count})
    return gone
