"""Who is meant: contacts found, or made, by source system and record number.

Never by e-mail address alone: a mother and her child share one (HD-05). Creators of one
organisation take turns on its ordinal row, so a number that two of them bring at once makes one
contact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from django.db import connection

from contacts.canonical import ValueRefused, record_number_form
from contacts.models import first_id
from crypto import blind_index
from crypto.rows import binary_cursor

MAX_NUMBER = 200
Number = tuple[str, str]


class Owner(NamedTuple):
    """Whose a number is: the contact that stands for the person, and the one merged into it that
    the number was given to, where there is one.
    """

    contact_id: int
    origin: int | None = None


class NewNumber(NamedTuple):
    """A number to remember."""

    contact_id: int
    source: str
    token: bytes
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """`ids` has the contact of each question; `new` those just claimed; `numbers` to remember.

    `origins` has, for each question, the merged contact that was named. `meeting` are pairs of
    contacts whose numbers one source gave to one person.
    """

    ids: list[int]
    new: frozenset[int] = frozenset()
    numbers: list[NewNumber] = field(default_factory=list)
    origins: list[int | None] = field(default_factory=list)
    meeting: frozenset[tuple[int, int]] = frozenset()


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


def tokens_of_each(
    organisation_id: int, questions: Sequence[Sequence[Number]]
) -> list[list[bytes]]:
    """Return the blind indexes of each question's numbers."""
    made = iter(tokens(organisation_id, [number for numbers in questions for number in numbers]))
    return [[next(made) for _ in numbers] for numbers in questions]


def known(organisation_id: int, wanted: Iterable[bytes]) -> dict[bytes, Owner]:
    """Return the contacts already known under these indexes."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT value_index, contact_id, origin FROM contacts_identifier"
            " WHERE organisation_id = %b AND value_index = ANY(%b::bytea[])",
            [organisation_id, list(wanted)],
        )
        return {bytes(index): Owner(one, origin) for index, one, origin in cursor.fetchall()}


def resolve(
    organisation_id: int,
    questions: Sequence[Sequence[Number]],
    *,
    create: bool,
    same: Sequence[Number | None] = (),
    tokens: Sequence[Sequence[bytes]] = (),
    likely_new: bool = False,
) -> Found:
    """Find, or claim an id for, the person of each question.

    The first number of a question identifies; so does, where nobody has that one, the number that
    `same` gives: what the source itself calls this person by. The others are remembered where
    nobody has them yet. Without `create` an unknown person's id is None.

    `tokens` are the numbers' blind indexes, where they were made before. `likely_new` says that
    somebody is probably unknown: the turn to create is taken at once, and one look is enough.
    """
    keyed = tokens or tokens_of_each(organisation_id, questions)
    start = _lock_ordinals(organisation_id) if create and likely_new else None
    owners = known(organisation_id, {token for group in keyed for token in group})
    also = _second_names(questions, keyed, same)
    adopted = _adopt(keyed, owners, also)
    missing = {group[0] for group in keyed} - owners.keys()
    new: dict[bytes, int] = {}
    if missing and create:
        new = _claim(organisation_id, keyed, owners, missing, start)
    found = [owners.get(group[0]) for group in keyed]
    numbers = _unclaimed(questions, keyed, found, owners, new.keys() | adopted)
    return Found(
        [one.contact_id if one else None for one in found],  # type: ignore[misc]
        frozenset(new.values()),
        numbers,
        [one.origin if one else None for one in found],
        frozenset(_meeting(keyed, owners, also)),
    )


def _second_names(
    questions: Sequence[Sequence[Number]],
    keyed: Sequence[Sequence[bytes]],
    same: Sequence[Number | None],
) -> list[bytes | None]:
    """Return the index of what each question's source calls the person by, beside the first."""
    return [
        group[numbers.index(name)] if name is not None and name in numbers[1:] else None
        for numbers, group, name in zip_longest(questions, keyed, same)
    ]


def _adopt(
    keyed: Sequence[Sequence[bytes]], owners: dict[bytes, Owner], also: Sequence[bytes | None]
) -> set[bytes]:
    """Give first numbers that nobody has to whom the source calls by the other name."""
    adopted = set()
    for group, name in zip(keyed, also, strict=True):
        if name is not None and group[0] not in owners and name in owners:
            owners[group[0]] = owners[name]
            adopted.add(group[0])
    return adopted


def _meeting(
    keyed: Sequence[Sequence[bytes]], owners: Mapping[bytes, Owner], also: Sequence[bytes | None]
) -> Iterator[tuple[int, int]]:
    for group, name in zip(keyed, also, strict=True):
        one, other = owners.get(group[0]), owners.get(name) if name else None
        if one and other and one.contact_id != other.contact_id:
            yield min(one[0], other[0]), max(one[0], other[0])


def _claim(
    organisation_id: int,
    keyed: Sequence[Sequence[bytes]],
    owners: dict[bytes, Owner],
    missing: set[bytes],
    start: int | None,
) -> dict[bytes, int]:
    """Claim ids for the unknown under the ordinal lock; add them to `owners`.

    `start` is the next ordinal where the lock was taken before `owners` were looked for.
    """
    if start is None:
        start = _lock_ordinals(organisation_id)
        owners |= known(organisation_id, missing)
    unknown = dict.fromkeys(group[0] for group in keyed if group[0] not in owners)
    base = first_id(organisation_id) + start
    new = {token: base + place for place, token in enumerate(unknown)}
    owners |= {token: Owner(contact_id) for token, contact_id in new.items()}
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
    keyed: Sequence[Sequence[bytes]],
    found: Sequence[Owner | None],
    owners: Mapping[bytes, Owner],
    new: Collection[bytes],
) -> list[NewNumber]:
    """Return the numbers that nobody had: those of the new, and further ones of anybody."""
    unclaimed: dict[bytes, NewNumber] = {}
    for numbers, group, owner in zip(questions, keyed, found, strict=True):
        for place, ((source, _), token) in enumerate(zip(numbers, group, strict=True)):
            is_free = token in new if place == 0 else token not in owners
            if owner is not None and is_free:
                number = NewNumber(owner.contact_id, source, token, owner.origin)
                unclaimed.setdefault(token, number)
    return list(unclaimed.values())
