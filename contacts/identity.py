"""Who is meant: contacts found, or made, by source system and record number.

Never by e-mail address alone: a mother and her child share one (HD-05). Creators of one
organisation take turns on its ordinal row, so a number that two of them bring at once makes one
contact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from contacts.canonical import ValueRefused, record_number_form
from contacts.models import first_id
from crypto import blind_index
from crypto.rows import binary_cursor

MAX_NUMBER = 200
Number = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """`ids` has the contact of each question; `new` those just claimed; `numbers` to remember."""

    ids: list[int]
    new: frozenset[int] = frozenset()
    numbers: list[tuple[int, str, bytes]] = field(default_factory=list)


def source_form(source: str) -> str:
    return _short(source, "source")


def number_form(number: str) -> str:
    return _short(number, "record_number")


def _short(value: str, name: str) -> str:
    form = record_number_form(value)
    if not form:
        raise ValueRefused(name, "is needed: it says who is meant")
    if len(form) > MAX_NUMBER or not form.isprintable():
        raise ValueRefused(name, f"must be at most {MAX_NUMBER} printable characters")
    return form


def tokens(organisation_id: int, numbers: Sequence[Number]) -> list[bytes]:
    """Return the blind index of each (source, number): both count, so sources never meet."""
    return blind_index.tokens(
        organisation_id,
        "record_number",
        [f"{len(source)}:{source}{number}" for source, number in numbers],
    )


def known(organisation_id: int, wanted: Iterable[bytes]) -> dict[bytes, int]:
    """Return the contacts already known under these indexes."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT value_index, contact_id FROM contacts_identifier"
            " WHERE organisation_id = %b AND value_index = ANY(%b::bytea[])",
            [organisation_id, list(wanted)],
        )
        return {bytes(index): contact_id for index, contact_id in cursor.fetchall()}


def resolve(organisation_id: int, questions: Sequence[Sequence[Number]], *, create: bool) -> Found:
    """Find, or claim an id for, the person of each question.

    The first number of a question identifies; the others are remembered where nobody has them yet.
    Without `create` an unknown person's id is None.
    """
    flat = [number for numbers in questions for number in numbers]
    index = iter(tokens(organisation_id, flat))
    keyed = [[next(index) for _ in numbers] for numbers in questions]
    owners = known(organisation_id, {token for group in keyed for token in group})
    missing = {group[0] for group in keyed} - owners.keys()
    new: dict[bytes, int] = {}
    if missing and create:
        new = _claim(organisation_id, keyed, owners, missing)
    ids = [owners.get(group[0]) for group in keyed]
    numbers = _unclaimed(questions, keyed, ids, owners, new)
    return Found(ids, frozenset(new.values()), numbers)  # type: ignore[arg-type]


def _claim(
    organisation_id: int, keyed: list[list[bytes]], owners: dict[bytes, int], missing: set[bytes]
) -> dict[bytes, int]:
    """Claim ids for the unknown under the ordinal lock; add them to `owners`."""
    start = _lock_ordinals(organisation_id)
    owners |= known(organisation_id, missing)
    unknown = dict.fromkeys(group[0] for group in keyed if group[0] not in owners)
    base = first_id(organisation_id) + start
    new = {token: base + place for place, token in enumerate(unknown)}
    owners |= new
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_ordinal SET next = %s WHERE organisation_id = %s",
            [start + len(new), organisation_id],
        )
    return new


def _lock_ordinals(organisation_id: int) -> int:
    """Take the turn to create contacts; return the next ordinal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_ordinal (organisation_id, next) VALUES (%s, 0)"
            " ON CONFLICT (organisation_id) DO UPDATE SET next = contacts_ordinal.next"
            " RETURNING next",
            [organisation_id],
        )
        return int(cursor.fetchone()[0])


def _unclaimed(
    questions: Sequence[Sequence[Number]],
    keyed: list[list[bytes]],
    ids: list[int | None],
    owners: dict[bytes, int],
    new: dict[bytes, int],
) -> list[tuple[int, str, bytes]]:
    """Return the numbers that nobody had: those of the new, and further ones of anybody."""
    unclaimed: dict[bytes, tuple[int, str, bytes]] = {}
    for numbers, group, contact_id in zip(questions, keyed, ids, strict=True):
        for place, ((source, _), token) in enumerate(zip(numbers, group, strict=True)):
            is_free = token in new if place == 0 else token not in owners
            if contact_id is not None and is_free:
                unclaimed.setdefault(token, (contact_id, source, token))
    return list(unclaimed.values())
