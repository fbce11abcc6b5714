"""What stands for many people at once, read with four statements however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from consent.addresses import EMAIL, SMS
from consent.policy import AuthorizationFacts, OptOutFacts

PEOPLE = """
select c.id, c.email_index, c.phone_index, c.deceased
from contacts_contact c where c.id = any(%s) and c.erased_at is null
"""
SIGNED = """
select a.contact_id, a.id, a.purposes, a.classes, a.signed_at, a.expires_on, a.zone,
       (select min(e.occurred_at) from contacts_event e
        where a.expires_event <> '' and e.contact_id = a.contact_id
          and e.kind = a.expires_event and e.occurred_at >= a.signed_at),
       a.revoked_at, a.states_remuneration
from consent_authorization a where a.contact_id = any(%s)
"""
REFUSED = """
select contact_id, address_hash, channel, purpose, topic from consent_optout
where lifted_at is null and contact_id = any(%(people)s)
union
select contact_id, address_hash, channel, purpose, topic from consent_optout
where lifted_at is null and address_hash = any(%(hashes)s)
"""
SUPPRESSED = """
select channel, address_hash from consent_suppression
where released_at is null and address_hash = any(%s)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as consent sees it."""

    deceased: bool
    addresses: Mapping[str, bytes]


@dataclass(slots=True)
class Standing:
    """What stands for a set of people: who they are, what they signed, what they refused."""

    people: dict[int, Person] = field(default_factory=dict)
    signed: dict[int, list[AuthorizationFacts]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[int | bytes, list[OptOutFacts]] = field(default_factory=lambda: defaultdict(list))
    suppressed: set[tuple[str, bytes | None]] = field(default_factory=set)

    def refusals(self, contact_id: int, address: bytes | None) -> tuple[OptOutFacts, ...]:
        """Return what the person refused, and what anybody at the address refused."""
        theirs = self.refused.get(contact_id, [])
        return (*theirs, *(self.refused.get(address, []) if address else []))


def read(contact_ids: Collection[int], *, now: datetime) -> Standing:
    """Read all that consent needs to know of these people, as of this statement's snapshot."""
    standing = Standing()
    ids = list(contact_ids)
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, [ids])
        for contact_id, email, phone, deceased in cursor.fetchall():
            reached = {EMAIL: email, SMS: phone}
            held = {channel: bytes(one) for channel, one in reached.items() if one is not None}
            standing.people[contact_id] = Person(deceased=deceased, addresses=held)
        hashes = list(
            {one for person in standing.people.values() for one in person.addresses.values()}
        )
        cursor.execute(SIGNED, [ids])
        for contact_id, *row in cursor.fetchall():
            standing.signed[contact_id].append(_facts(tuple(row), now=now))
        cursor.execute(REFUSED, {"people": ids, "hashes": hashes})
        for contact_id, address, channel, purpose, topic in cursor.fetchall():
            no = OptOutFacts(channel, purpose, topic)
            if contact_id is not None:
                standing.refused[contact_id].append(no)
            if address is not None:
                standing.refused[bytes(address)].append(no)
        cursor.execute(SUPPRESSED, [hashes])
        standing.suppressed = {(channel, bytes(one)) for channel, one in cursor.fetchall()}
    return standing


def _facts(row: tuple[Any, ...], *, now: datetime) -> AuthorizationFacts:
    id_, purposes, classes, signed_at, expires_on, zone, ended_at, revoked_at, stated = row
    return AuthorizationFacts(
        id=id_,
        purposes=frozenset(purposes),
        classes=frozenset(classes),
        signed_at=signed_at,
        expires_on=expires_on,
        zone=zone,
        ended_at=ended_at,
        # What is on record counts, whatever the caller's clock says of the moment.
        revoked_at=None if revoked_at is None else min(revoked_at, now),
        states_remuneration=stated,
    )
