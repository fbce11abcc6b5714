"""Find contacts that may be one person, for a person to decide. Nobody is merged here.

Two contacts are proposed when a source gives both their numbers to one person, when the same record
number stands with the same date of birth in two sources, or when name and date of birth are the
same. A shared address or phone proposes nobody: families share them (HD-05).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import tenancy
from audit import actor, trail
from contacts import packing, writing
from contacts.merge.models import MergeProposal
from contacts.models import Contact
from crypto import data_keys
from crypto.rows import binary_cursor

REASONS: Mapping[str, str] = {
    "one_record": "One source gave both record numbers to one person",
    "same_number": "The same record number and date of birth, in two sources",
    "same_name_and_birth": "The same name and date of birth",
    "by_hand": "Somebody on staff, or another system, named both",
}
_STRENGTH = tuple(REASONS)
BATCH = 8_192
AGAIN = timedelta(hours=1)
_READ = frozenset({"given_name", "family_name", "birth_date", "record_numbers"})

Pair = tuple[int, int]


def propose(pairs: Iterable[Pair], *, reason: str, now: datetime) -> int:
    """Write the proposals that are not there yet; one that was decided stays decided."""
    wanted = {(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]}
    if not wanted:
        return 0
    before = MergeProposal.objects.filter(first_id__in=[one for one, _ in wanted])
    known = set(before.values_list("first_id", "second_id"))
    fresh = [
        MergeProposal(first_id=first, second_id=second, reason=reason, made_at=now)
        for first, second in sorted(wanted - known)
    ]
    MergeProposal.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1_000)
    return len(fresh)


def waiting() -> QuerySet[MergeProposal]:
    """Return the proposals that wait for a decision, of contacts that are both there."""
    there = [
        Exists(Contact.objects.filter(pk=OuterRef(name), erased_at=None))
        for name in ("first_id", "second_id")
    ]
    return MergeProposal.objects.filter(*there, state=MergeProposal.State.OPEN).order_by("pk")


def carry(absorbed_id: int, survivor_id: int, *, now: datetime) -> None:
    """Who may be the one that goes may be the one that stays: propose that instead."""
    mine = Q(first_id=absorbed_id) | Q(second_id=absorbed_id)
    for row in MergeProposal.objects.filter(mine, state=MergeProposal.State.OPEN):
        (other,) = {row.first_id, row.second_id} - {absorbed_id}
        propose([(survivor_id, other)], reason=row.reason, now=now)


def by_hand(one: int, other: int, *, now: datetime) -> MergeProposal:
    """Put two contacts up for review because somebody named both, also where they were kept apart
    before.
    """
    first, second = sorted((one, other))
    with transaction.atomic():
        propose([(first, second)], reason="by_hand", now=now)
        rows = MergeProposal.objects.select_for_update().filter(first_id=first, second_id=second)
        rows.update(state=MergeProposal.State.OPEN)
        return rows.get()


def seek(*, now: datetime) -> int:
    """Look through everybody for duplicates; return how many proposals were made.

    Memory: sixteen bytes for each contact and key. Names and numbers are hashed under a key of
    this run alone, and nothing of them is kept.
    """
    secret = np.random.default_rng().bytes(32)
    found: dict[str, list[np.ndarray[Any, Any]]] = {}
    for batch in _identities():
        for reason, rows in _keys(batch, secret).items():
            found.setdefault(reason, []).append(np.array(rows, np.int64).reshape(-1, 2))
    with transaction.atomic():
        made = sum(
            propose(_equal(found[reason]), reason=reason, now=now)
            for reason in _STRENGTH
            if reason in found
        )
        trail.record("contact.duplicates_sought", detail={"found": made})
    return made


def is_due(*, now: datetime) -> bool:
    """Whether people came since somebody last looked, an hour ago or more."""
    newest = Contact.objects.order_by("-id").values_list("created_at", flat=True).first()
    last = _last_sought()
    return newest is not None and (last is None or (newest > last and now - last >= AGAIN))


def dismiss(proposal: MergeProposal, *, now: datetime) -> None:
    """Keep that these two are different people; they are not proposed again."""
    who = actor.current()
    with transaction.atomic():
        proposal.state = MergeProposal.State.DIFFERENT
        proposal.decided_at, proposal.decided_by = now, f"{who.kind}:{who.id}"[:80]
        proposal.save(update_fields=["state", "decided_at", "decided_by"])
        trail.record(
            "contact.not_merged",
            subject=f"contact:{proposal.first_id}",
            detail={"with": proposal.second_id, "reason": proposal.reason},
        )


def _last_sought() -> datetime | None:
    from audit.models import Entry

    found = Entry.objects.filter(action="contact.duplicates_sought").order_by("-id").first()
    return None if found is None else found.at


def _identities() -> Iterator[dict[int, dict[str, Any]]]:
    """Yield what is known of who people are, thousands at a time, in the order of their ids."""
    organisation_id, last = tenancy.current(), 0
    while True:
        with binary_cursor() as cursor:
            cursor.execute(
                "SELECT id, identity FROM contacts_contact WHERE organisation_id = %b AND id > %b"
                " AND erased_at IS NULL AND identity IS NOT NULL ORDER BY id LIMIT %b",
                [organisation_id, last, BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        keys = data_keys.load(organisation_id, [row[0] for row in rows])
        yield {
            one: packing.read(
                writing.open_record(organisation_id, one, "identity", keys[one], bytes(sealed)),
                _READ,
            )
            for one, sealed in rows
            if one in keys
        }


def _keys(
    people: Mapping[int, Mapping[str, Any]], secret: bytes
) -> dict[str, list[tuple[int, int]]]:
    """Return (hash, contact id) of everything by which each person could be found twice."""
    found: dict[str, list[tuple[int, int]]] = {"same_number": [], "same_name_and_birth": []}
    for contact_id, known in people.items():
        born = known.get("birth_date")
        if not born:
            continue
        for number in {one["value"] for one in known.get("record_numbers", ())}:
            if len(number) >= 4:
                found["same_number"].append((_hash(secret, "n", number, born), contact_id))
        given, family = known.get("given_name"), known.get("family_name")
        if given and family:
            key = _hash(secret, "p", _plain(given), _plain(family), born)
            found["same_name_and_birth"].append((key, contact_id))
    return found


def _plain(name: str) -> str:
    """Return a name without case, accents and signs, as two clerks would both have it."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in bare if c.isalpha())


def _hash(secret: bytes, *parts: str) -> int:
    digest = blake2b("\x00".join(parts).encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _equal(batches: Collection[np.ndarray[Any, Any]]) -> Iterator[Pair]:
    """Yield neighbours with equal hashes: three of one person make two proposals, not three."""
    rows = np.concatenate(list(batches))
    rows = rows[np.lexsort((rows[:, 1], rows[:, 0]))]
    same = np.flatnonzero((rows[1:, 0] == rows[:-1, 0]) & (rows[1:, 1] != rows[:-1, 1]))
    for place in same.tolist():
        yield int(rows[place, 1]), int(rows[place + 1, 1])
