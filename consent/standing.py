"""What stands for many people at once, read with a handful of statements however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from consent.addresses import EMAIL, SMS
from consent.choices import often
from consent.policy import (
    AuthorizationFacts,
    ConfidentialFacts,
    OptOutFacts,
    Part2Facts,
    RestrictionFacts,
)
from consent.rulebook import Cap
from contacts import persons

PEOPLE = """
select c.id, c.email_index, c.phone_index, c.deceased
from contacts_contact c where c.id = any(%s) and c.erased_at is null
"""
SIGNED = """
select a.contact_id, a.id, a.purposes, a.classes, a.signed_at, a.expires_on, a.zone,
       (select min(e.occurred_at) from contacts_event e
        where a.expires_event <> '' and e.contact_id = any(array[a.contact_id,
              (select c.merged_into from contacts_contact c where c.id = a.contact_id)])
          and e.kind = a.expires_event and e.occurred_at >= a.signed_at),
       a.revoked_at, a.states_remuneration, a.channels
from consent_authorization a where a.contact_id = any(%s)
"""
REFUSED = """
select contact_id, address_hash, channel, purpose, topic, keyword, false from consent_optout
where lifted_at is null and (until is null or until > %(now)s) and contact_id = any(%(people)s)
union
select contact_id, address_hash, channel, purpose, topic, keyword, false from consent_optout
where lifted_at is null and (until is null or until > %(now)s) and address_hash = any(%(hashes)s)
union
select contact_id, address_hash, channel, purpose, topic, false, false from consent_suppression
where released_at is null and (purpose <> '' or topic <> '')
  and (effective_from is null or effective_from <= %(now)s)
  and (effective_until is null or effective_until > %(now)s)
  and (address_hash = any(%(hashes)s) or (address_hash is null and contact_id = any(%(people)s)))
union
select contact_id, address_hash, channel, '', '', false, true from consent_reply
where decided_at is null and (contact_id = any(%(people)s) or address_hash = any(%(hashes)s))
"""
SUPPRESSED = """
select channel, coalesce(address_hash, int8send(contact_id)), reason, received_at
from consent_suppression
where released_at is null and purpose = '' and topic = ''
  and (effective_from is null or effective_from <= %(now)s)
  and (effective_until is null or effective_until > %(now)s)
  and (address_hash = any(%(hashes)s) or (address_hash is null and contact_id = any(%(people)s)))
"""
WISHED = """
select contact_id, 'restriction', purposes, classes, channels, null::text, received_at, null::date,
       '', null::timestamptz
from consent_restriction
where contact_id = any(%(people)s) and (ended_at is null or ended_how = 'notice')
union all
select contact_id, 'confidential', null, null, null, category, received_at, null, channel, null
from consent_confidentialrequest where contact_id = any(%(people)s) and ended_at is null
union all
select contact_id, 'plain', null, null, null, channel, received_at, null, '', null
from consent_plainpreference where contact_id = any(%(people)s) and ended_at is null
union all
select contact_id, 'part2', purposes, null, null, null, signed_at, expires_on, zone, ended_at
from consent_part2consent where contact_id = any(%(people)s)
union all
select contact_id, 'often', null, null, null, value, received_at, null, '', null
from consent_choice where contact_id = any(%(people)s) and kind = 'frequency' and ended_at is null
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as consent sees it."""

    deceased: bool
    addresses: Mapping[str, bytes]


@dataclass(slots=True)
class Wishes:
    """What a person asked for besides yes and no."""

    restrictions: tuple[RestrictionFacts, ...] = ()
    confidential: tuple[ConfidentialFacts, ...] = ()
    part2: tuple[Part2Facts, ...] = ()
    plain: frozenset[str] = frozenset()
    caps: tuple[Cap, ...] = ()
    """How often at most the person wants to be written to."""


NO_WISHES = Wishes()
_NOTHING: tuple[Any, ...] = ()
Blocked = Mapping[str, datetime]


@dataclass(slots=True)
class Standing:
    """What stands for a set of people: who they are, what they signed, refused and asked for.

    A person may be several contacts after a merge. What is asked of any of them is answered from
    the rows of all of them; the most restrictive counts.
    """

    people: dict[int, Person] = field(default_factory=dict)
    signed: dict[int, list[AuthorizationFacts]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[int | bytes, list[OptOutFacts]] = field(default_factory=lambda: defaultdict(list))
    blocked: dict[tuple[str, bytes], Blocked] = field(default_factory=dict)
    """By channel and address: why it is on the suppression list, and since when."""
    in_review: set[int | bytes] = field(default_factory=set)
    """People and addresses whose reply waits for somebody to read it."""
    wishes: dict[int, Wishes] = field(default_factory=dict)
    families: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Of the contacts that are several: all that are this person."""

    def refusals(self, contact_id: int, address: bytes | None) -> tuple[OptOutFacts, ...]:
        """Return what the person refused, and what anybody at the address refused."""
        if not self.refused:
            return ()
        theirs = [self.refused.get(one, _NOTHING) for one in self._all(contact_id)]
        if address is not None:
            theirs.append(self.refused.get(address, _NOTHING))
        return tuple(chain.from_iterable(theirs))

    def authorizations(self, contact_id: int) -> tuple[AuthorizationFacts, ...]:
        """Return what the person signed; a withdrawal counts for what the others held by then."""
        family = self.families.get(contact_id)
        if family is None:
            return tuple(self.signed.get(contact_id, ()))
        return _withdrawn_together([one for each in family for one in self.signed.get(each, ())])

    def wished(self, contact_id: int) -> Wishes:
        family = self.families.get(contact_id)
        if family is None:
            return self.wishes.get(contact_id, NO_WISHES)
        every = [self.wishes.get(one, NO_WISHES) for one in family]
        return Wishes(
            restrictions=tuple(chain.from_iterable(one.restrictions for one in every)),
            confidential=tuple(chain.from_iterable(one.confidential for one in every)),
            part2=tuple(chain.from_iterable(one.part2 for one in every)),
            plain=self.wishes.get(contact_id, NO_WISHES).plain,
            caps=tuple(chain.from_iterable(one.caps for one in every)),
        )

    def block(self, contact_id: int, channel: str, address: bytes | None) -> Blocked:
        """Return why the address, or the person whatever the address, is suppressed."""
        if not self.blocked:
            return {}
        who = [_as_bytes(one) for one in self._all(contact_id)] + ([address] if address else [])
        found = (self.blocked.get((by, one), {}) for one in who for by in ("", channel))
        return {reason: at for each in found for reason, at in each.items()}

    def held(self, contact_id: int, address: bytes | None) -> bool:
        """Say whether a reply of this person, or from this address, waits to be read."""
        if not self.in_review:
            return False
        return address in self.in_review or not self.in_review.isdisjoint(self._all(contact_id))

    def _all(self, contact_id: int) -> tuple[int, ...]:
        return self.families.get(contact_id) or (contact_id,)


def read(contact_ids: Collection[int], *, now: datetime) -> Standing:
    """Read all that consent needs to know of these people, as of this statement's snapshot."""
    ids = list(contact_ids)
    together = persons.ids_of(ids)
    standing = Standing(families={one: all_ for one, all_ in together.items() if len(all_) > 1})
    rows_of = ids
    if standing.families:
        rows_of = sorted({*ids, *chain.from_iterable(standing.families.values())})
    with connection.cursor() as cursor:
        hashes = _read_people(cursor, standing, ids)
        cursor.execute(SIGNED, [rows_of])
        for contact_id, *row in cursor.fetchall():
            standing.signed[contact_id].append(_facts(tuple(row), now=now))
        _read_noes(cursor, standing, rows_of, hashes, now=now)
        cursor.execute(WISHED, {"people": rows_of})
        standing.wishes = _wishes(cursor.fetchall(), now=now)
    return standing


def _read_people(cursor: CursorWrapper, standing: Standing, ids: list[int]) -> list[bytes]:
    """Read who they are; return the hashes of all their addresses."""
    cursor.execute(PEOPLE, [ids])
    for contact_id, email, phone, deceased in cursor.fetchall():
        reached = {EMAIL: email, SMS: phone}
        held = {channel: bytes(one) for channel, one in reached.items() if one is not None}
        standing.people[contact_id] = Person(deceased=deceased, addresses=held)
    return list({one for person in standing.people.values() for one in person.addresses.values()})


def read_addresses(standing: Standing, hashes: Collection[bytes], *, now: datetime) -> None:
    """Read what stands against further addresses of these people."""
    known = {one for person in standing.people.values() for one in person.addresses.values()}
    further = [one for one in hashes if one not in known]
    if further:
        with connection.cursor() as cursor:
            _read_noes(cursor, standing, [], further, now=now)


def _read_noes(
    cursor: CursorWrapper,
    standing: Standing,
    people: list[int],
    hashes: list[bytes],
    *,
    now: datetime,
) -> None:
    asked: dict[str, Any] = {"people": people, "hashes": hashes, "now": now}
    cursor.execute(REFUSED, asked)
    _take_refusals(standing, cursor.fetchall())
    cursor.execute(SUPPRESSED, asked)
    for channel, address, reason, at in cursor.fetchall():
        known = standing.blocked.get((channel, bytes(address)), {})
        standing.blocked[channel, bytes(address)] = {**known, reason: at}


def _take_refusals(standing: Standing, rows: Iterable[tuple[Any, ...]]) -> None:
    for contact_id, address, *scope, waiting in rows:
        if waiting:
            standing.in_review |= {contact_id, bytes(address) if address else None} - {None}
            continue
        no = OptOutFacts(*scope)
        if contact_id is not None:
            standing.refused[contact_id].append(no)
        if address is not None:
            standing.refused[bytes(address)].append(no)


def _as_bytes(contact_id: int) -> bytes:
    """Return what stands for a person among addresses, as the database writes it."""
    return contact_id.to_bytes(8, "big")


def _facts(row: tuple[Any, ...], *, now: datetime) -> AuthorizationFacts:
    id_, purposes, classes, signed_at, expires_on, zone, ended_at, revoked_at, stated, channels = (
        row
    )
    return AuthorizationFacts(
        id=id_,
        purposes=_set(tuple(purposes)),
        classes=_set(tuple(classes)),
        signed_at=signed_at,
        expires_on=expires_on,
        zone=zone,
        ended_at=ended_at,
        revoked_at=_at_once(revoked_at, now=now),
        states_remuneration=stated,
        channels=_set(tuple(channels)),
    )


@lru_cache(maxsize=1024)
def _set(codes: tuple[str, ...]) -> frozenset[str]:
    """Return one set for all who signed for the same."""
    return frozenset(codes)


def _at_once(ended_at: datetime | None, *, now: datetime) -> datetime | None:
    """What is on record counts, whatever the caller's clock says of the moment."""
    return None if ended_at is None else min(ended_at, now)


def _wishes(rows: Iterable[tuple[Any, ...]], *, now: datetime) -> dict[int, Wishes]:
    found: dict[int, Wishes] = {}
    for contact_id, kind, purposes, classes, channels, said, at, last, more, ended in rows:
        wishes = found.setdefault(contact_id, Wishes())
        if kind == "restriction":
            sets = (frozenset(purposes), frozenset(classes), frozenset(channels))
            wishes.restrictions += (RestrictionFacts(*sets),)
        elif kind == "confidential":
            wishes.confidential += (ConfidentialFacts(said, more),)
        elif kind == "plain":
            wishes.plain |= {said}
        elif kind == "often":
            wishes.caps += (often.cap(said),)
        else:
            until = _at_once(ended, now=now)
            wishes.part2 += (Part2Facts(at, frozenset(purposes), last, more, until),)
    return found


def _withdrawn_together(signed: list[AuthorizationFacts]) -> tuple[AuthorizationFacts, ...]:
    """End with each withdrawal whatever the same person had signed before it for that purpose."""
    ends = [(one.revoked_at, one.purposes) for one in signed if one.revoked_at is not None]
    return tuple(
        replace(
            one,
            revoked_at=min(
                (at for at, purposes in ends if at >= one.signed_at and purposes & one.purposes),
                default=one.revoked_at,
            ),
        )
        for one in signed
    )
