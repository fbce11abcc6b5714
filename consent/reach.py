"""Which address each message would go to, as a hash: what stands against that one counts.

Most people have the record's own address and nothing else, and are done with one statement. For
the others the choice is that of `contacts.points`, by the category that the message belongs to: a
label or class of what it says, its purpose or its topic, where the person reserved an address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from consent.question import ConfidentialFacts
from contacts.points import choosing, sealing
from contacts.points.models import ContactPoint
from contacts.points.rules import ALL

Asked = tuple[int, str, frozenset[str]]
"""A contact, a channel, and every category that the message belongs to."""


@dataclass(slots=True)
class Reach:
    """The chosen address of each message to people with more than the record's own."""

    several: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Who has addresses of their own rows, and the categories reserved among them."""
    chosen: Mapping[tuple[int, str, str], bytes] = field(default_factory=dict)

    def address(self, asked: Asked, own: bytes | None) -> bytes | None:
        contact_id, channel, _ = asked
        if contact_id not in self.several:
            return own
        return self.chosen.get((contact_id, channel, category_of(asked, self.several)))

    def confidential(
        self, asked: Asked, wished: Sequence[ConfidentialFacts]
    ) -> tuple[ConfidentialFacts, ...]:
        """Return what was asked for, with whether an address reserved for it can be used."""
        reserved = self.several.get(asked[0])
        if not reserved:
            return tuple(wished)
        category = category_of(asked, self.several)
        if not category:
            return tuple(wished)
        usable = (asked[0], asked[1], category) in self.chosen
        here = ConfidentialFacts("" if category == ALL else category, "", usable)
        told = (
            ConfidentialFacts(one.category, one.channel, usable and _serves(category, one))
            for one in wished
        )
        return (here, *told)

    def further(self) -> set[bytes]:
        return set(self.chosen.values())


def _serves(category: str, wish: ConfidentialFacts) -> bool:
    return category in (ALL, wish.category) or not wish.category


def category_of(asked: Asked, several: Mapping[int, frozenset[str]]) -> str:
    """Return the reserved category that the message belongs to; what names it outweighs all."""
    contact_id, _, categories = asked
    reserved = several.get(contact_id, frozenset())
    named = reserved & categories
    if named:
        return min(named)
    return ALL if ALL in reserved else ""


def read(
    asked: Iterable[Asked],
    own: Mapping[str, Mapping[int, bytes | None]],
    families: Mapping[int, tuple[int, ...]],
    *,
    now: datetime,
) -> Reach:
    """Choose for everyone at once. `own` has, by channel, the hash of the record's own address."""
    messages = list(asked)
    several = _several({one[0] for one in messages}, families)
    if not several:
        return Reach()
    groups: dict[tuple[str, str], set[int]] = defaultdict(set)
    for one in messages:
        if one[0] in several:
            groups[one[1], category_of(one, several)].add(one[0])
    chosen: dict[tuple[int, str, str], bytes] = {}
    for (channel, category), people in groups.items():
        known = {one: own.get(channel, {}).get(one) for one in people}
        found = choosing.indexes_for(known, channel=channel, now=now, category=category)
        chosen |= {(one, channel, category): index for one, index in found.items()}
    return Reach(several, chosen)


def _several(
    people: set[int], families: Mapping[int, tuple[int, ...]]
) -> dict[int, frozenset[str]]:
    """Return who has rows of addresses, and which categories are reserved among them."""
    stands = {id_: one for one, family in families.items() for id_ in family}
    everyone = [*people, *chain.from_iterable(families.values())]
    rows = list(ContactPoint.objects.filter(contact_id__in=everyone))
    opened = sealing.open_many([one for one in rows if one.confidential])
    found: dict[int, frozenset[str]] = {}
    for row in rows:
        person = stands.get(row.contact_id, row.contact_id)
        reserved = opened[row.pk].categories if row.pk in opened else frozenset()
        for one in {person, row.contact_id} & people:
            found[one] = found.get(one, frozenset()) | reserved
    return found
