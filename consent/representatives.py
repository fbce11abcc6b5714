"""Who reads the address that a message would go to: the person, or somebody who acts for them.

An address that is also the record's own address of the contact who may act for this person is read
by that contact. So a child's mail that goes to the mother's address is a message to the mother: her
access ends when the child comes of age, never covers the services that are the minor's own, and the
rules of her State count (164.502(g); ST-01, ST-03).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from consent import circumstances
from consent.addresses import EMAIL, SMS
from contacts.households import representing
from contacts.households.representing import Proxy

_HOLDERS = """
select r.contact_id, r.holder_id, h.email_index, h.phone_index
from contacts_representation r join contacts_contact h on h.id = r.holder_id
where r.contact_id = any(%s) and h.erased_at is null
"""


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody else reads this address. `until` is when their authority ends, or ended."""

    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Readers:
    """By contact, channel and address: who reads it in the person's place."""

    acting: Mapping[tuple[int, str, bytes], Acting] = field(default_factory=dict)
    people: frozenset[int] = frozenset()
    """Those of whom somebody else may read an address."""

    def of(self, contact_id: int, channel: str, address: bytes | None) -> Acting | None:
        if address is None or not self.acting:
            return None
        return self.acting.get((contact_id, channel, address))


NOBODY = Readers()


def read(
    contact_ids: Collection[int], families: Mapping[int, tuple[int, ...]], *, now: datetime
) -> Readers:
    """Find the representatives of these people who are contacts themselves: one statement where
    nobody has any. `families` are all contacts of those who are several."""
    people = {one: families.get(one) or (one,) for one in contact_ids}
    everyone = sorted({one for ids in people.values() for one in ids})
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [everyone])
        rows = cursor.fetchall()
    if not rows:
        return NOBODY
    stands = {each: one for one, ids in people.items() for each in ids}
    proxies = representing.proxies_of({stands[row[0]] for row in rows}, now=now)
    found = _reading(rows, stands, proxies)
    zone = Organisation.objects.get(id=tenancy.current()).zone
    acting = {key: _longest(these, zone, now=now) for key, these in found.items() if these}
    return Readers(acting, frozenset(key[0] for key in acting))


Reading = tuple[Proxy, str]
"""Who acts, and the State where that person lives."""


def _reading(
    rows: Sequence[tuple[int, int, bytes | None, bytes | None]],
    stands: Mapping[int, int],
    proxies: Mapping[int, Sequence[Proxy]],
) -> dict[tuple[int, str, bytes], list[Reading]]:
    states = circumstances.of({row[1] for row in rows})
    found: dict[tuple[int, str, bytes], list[Reading]] = defaultdict(list)
    for contact_id, holder_id, email, phone in rows:
        person = stands[contact_id]
        held = [one for one in proxies.get(person, ()) if one.row.holder_id == holder_id]
        state = states[holder_id].state if holder_id in states else ""
        for channel, index in ((EMAIL, email), (SMS, phone)):
            if index is not None:
                found[person, channel, bytes(index)] += [(one, state) for one in held]
    return found


def _longest(these: Sequence[Reading], zone: ZoneInfo, *, now: datetime) -> Acting:
    """Of several who read the address, take the one whose authority lasts longest."""
    standing = [one for one in these if one[0].holds]
    if not standing:
        return Acting(now, these[0][1])
    proxy, state = max(standing, key=lambda one: one[0].until or date.max)
    ends = datetime.combine(proxy.until, time(), tzinfo=zone) if proxy.until else None
    return Acting(ends, state)
