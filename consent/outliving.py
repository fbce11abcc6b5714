"""What a person said no to outlives the person, also at addresses that came later (CS-02).

A no is kept for the person and for the addresses that the person had when it was said. When the
person is erased, the first of these ends; so it is written down for every further address that
nobody else has. An address that others share keeps their own word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from accounts import tenancy
from consent import ledger, precedence
from consent.addresses import EMAIL, SMS
from consent.models import Authorization, Entry, OptOut, Suppression
from contacts import persons
from crypto.rows import binary_cursor

_CHANNEL_OF: Mapping[str, str] = {"email": EMAIL, "phone": SMS}
_ALONE = b"""
WITH theirs AS (
    SELECT 'email' AS kind, email_index AS value FROM contacts_contact
    WHERE id = ANY(%b::int8[]) AND email_index IS NOT NULL
    UNION SELECT 'phone', phone_index FROM contacts_contact
    WHERE id = ANY(%b::int8[]) AND phone_index IS NOT NULL
    UNION SELECT kind, value_index FROM contacts_contactpoint
    WHERE contact_id = ANY(%b::int8[]) AND value_index IS NOT NULL
), used AS (
    SELECT 'email' AS kind, email_index AS value, id FROM contacts_contact
    WHERE organisation_id = %b AND email_index IN (SELECT value FROM theirs)
    UNION ALL
    SELECT 'phone', phone_index, id FROM contacts_contact
    WHERE organisation_id = %b AND phone_index IN (SELECT value FROM theirs)
    UNION ALL
    SELECT kind, value_index, contact_id FROM contacts_contactpoint
    WHERE organisation_id = %b AND value_index IN (SELECT value FROM theirs)
)
SELECT t.kind, t.value FROM theirs t WHERE NOT EXISTS (
    SELECT FROM used u WHERE u.kind = t.kind AND u.value = t.value AND u.id <> ALL(%b::int8[])
)
"""


def carry(contact_ids: Sequence[int], now: datetime) -> None:
    """Keep each standing no of these people for every address that is the person's alone."""
    if not _said(contact_ids):
        return
    precedence.hold_for_withdrawal()
    for person in set(persons.ids_of(contact_ids).values()):
        _carry(person, now)


def _carry(person: Sequence[int], now: datetime) -> None:
    alone = _addresses(person)
    fresh = {
        (one.channel, one.purpose, one.topic, found): _carried(one, found, now)
        for one in _said(person)
        for channel, found in alone
        if one.channel in ("", channel) and not _stands(one, found)
    }
    OptOut.objects.bulk_create(fresh.values())
    ledger.keep(list(fresh.values()), Entry.Kind.OPTED_OUT, received_by="erasure", now=now)


def _said(contact_ids: Sequence[int]) -> list[OptOut]:
    return [*_opted_out(contact_ids), *_suppressed(contact_ids)]


def kept(contact_ids: Sequence[int]) -> dict[str, int]:
    """Count what stays as proof, or so that nobody is written to again."""
    mine = {"contact_id__in": contact_ids}
    return {
        "opt_outs": len(_opted_out(contact_ids)),
        "suppressions": Suppression.objects.filter(**mine, released_at=None).count(),
        "authorizations": Authorization.objects.filter(**mine).count(),
        "acts_of_consent": Entry.objects.filter(**mine).count(),
    }


def _opted_out(contact_ids: Sequence[int]) -> list[OptOut]:
    return list(OptOut.objects.filter(contact_id__in=contact_ids, lifted_at=None))


def _suppressed(contact_ids: Sequence[int]) -> Iterable[OptOut]:
    """Return the suppressions of the people themselves, as the no that each is."""
    rows = Suppression.objects.filter(
        contact_id__in=contact_ids, address_hash=None, released_at=None
    )
    return [
        OptOut(channel=row.channel, purpose=row.purpose, topic=row.topic, until=row.effective_until)
        for row in rows
    ]


def _addresses(contact_ids: Sequence[int]) -> list[tuple[str, bytes]]:
    """Return (channel, hash) of the addresses that nobody but these people has."""
    here, ids = tenancy.current(), list(contact_ids)
    with binary_cursor() as cursor:
        cursor.execute(_ALONE, [ids, ids, ids, here, here, here, ids])
        return [(_CHANNEL_OF[kind], bytes(found)) for kind, found in cursor.fetchall()]


def _stands(one: OptOut, found: bytes) -> bool:
    scope = Q(channel=one.channel, purpose=one.purpose, topic=one.topic, lifted_at=None)
    return OptOut.objects.filter(scope, address_hash=found).exists()


def _carried(one: OptOut, found: bytes, now: datetime) -> OptOut:
    return OptOut(
        address_hash=found,
        channel=one.channel,
        purpose=one.purpose,
        topic=one.topic,
        keyword=one.keyword,
        until=one.until,
        received_at=now,
    )
