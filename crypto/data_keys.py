"""A key for each subject (a contact), wrapped by its organisation's sealing key.

Destroying the row shreds the subject: every record sealed with the key is noise from then on, in
the live database and, because wrapped keys only open with organisation keys, wherever it was
copied before the shredding was repeated there (see docs/howto-keys.md on restoring).

Wrapping keys are sub-keys for ranges of a million subjects, so that none wraps anywhere near
2**32 times.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crypto import keyring
from crypto.keyring import OrganisationKeys
from crypto.models import DataKey
from crypto.rows import Insert, binary_cursor, insert_rows
from crypto.seal import DERIVED, DIRECT, HEADER, NONCE_SIZE, Key, SealBroken

KEY_SIZE = 32
_PLACE = struct.Struct(">iq")
_RANGE_BITS = 20
_RANGE = 1 << _RANGE_BITS
_HEAD = HEADER.size
_SEALED = _HEAD + NONCE_SIZE


class NewKey(NamedTuple):
    """A fresh data key, for callers that write `crypto_datakey` themselves."""

    subject_id: int
    wrapped: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"NewKey(subject_id={self.subject_id})"


def wrap_new(organisation_id: int, subject_ids: Iterable[int]) -> list[NewKey]:
    """Return a fresh key for each subject without storing it."""
    subjects = list(subject_ids)
    wrapping = _Wrapping(keyring.for_organisation(organisation_id))
    random = os.urandom(KEY_SIZE * len(subjects))
    keys = (random[at : at + KEY_SIZE] for at in range(0, len(random), KEY_SIZE))
    pairs = list(zip(subjects, keys, strict=True))
    wrapped = wrapping.wrap(pairs)
    return [NewKey(s, w, k) for (s, k), w in zip(pairs, wrapped, strict=True)]


def create(
    organisation_id: int, subject_ids: Iterable[int], *, insert: Insert = insert_rows
) -> dict[int, bytes]:
    """Make and store a key for each subject; return them. A subject that has one is an error."""
    fresh = wrap_new(organisation_id, subject_ids)
    insert(
        DataKey._meta.db_table,
        ("subject_id", "organisation_id", "wrapped"),
        ("int8", "int4", "bytea"),
        ((new.subject_id, organisation_id, new.wrapped) for new in fresh),
    )
    return {new.subject_id: new.key for new in fresh}


def load(organisation_id: int, subject_ids: Iterable[int]) -> dict[int, bytes]:
    """Return the subjects' keys in one query; a subject without a row has been shredded."""
    rows = _wrapped(organisation_id, list(subject_ids))
    return _Wrapping(keyring.for_organisation(organisation_id)).unwrap(rows)


def _wrapped(organisation_id: int, subject_ids: Sequence[int]) -> list[tuple[int, bytes]]:
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT subject_id, wrapped FROM crypto_datakey"
            " WHERE organisation_id = %b AND subject_id = ANY(%b::int8[])",
            [organisation_id, list(subject_ids)],
        )
        return cursor.fetchall()


class Ciphers:
    """Sets up the ciphers of many subjects from their wrapped keys, and opens their records.

    It works on lists, a hundred subjects or more at a time: a call or a generator for each subject
    would cost as much as the cipher.
    """

    def __init__(self, organisation_id: int, table: str) -> None:
        self._organisation_id = organisation_id
        self._table = table
        keys = keyring.for_organisation(organisation_id)
        self._wrapping = _Wrapping(keys)
        self._at_hand = frozenset(HEADER.pack(DERIVED, version) for version in keys.readable)

    def asks(self, wrapped: Iterable[bytes]) -> bool:
        """Whether a wrapping key must be asked for: rows that stream in leave no room for it."""
        return not self._at_hand.issuperset({one[:_HEAD] for one in wrapped})

    def of(self, subjects: Sequence[int], wrapped: Sequence[bytes]) -> list[AESGCM]:
        """Return the cipher of each subject, whose wrapped key stands at the same place."""
        organisation_id, place = self._organisation_id, _PLACE.pack
        try:
            return [
                AESGCM(
                    cipher.decrypt(
                        one[_HEAD:_SEALED], one[_SEALED:], one[:_HEAD] + place(organisation_id, who)
                    )
                )
                for cipher, who, one in zip(
                    self._unwrapping(subjects, wrapped), subjects, wrapped, strict=True
                )
            ]
        except InvalidTag:
            self._wrapping.unwrap(zip(subjects, wrapped, strict=True))  # says whose
            raise

    def _unwrapping(self, subjects: Sequence[int], wrapped: Sequence[bytes]) -> Sequence[AESGCM]:
        """What wrapped each subject's key: the same for all, but for a rotation or a new range."""
        heads = {one[:_HEAD] for one in wrapped}
        ranges = {who >> _RANGE_BITS for who in subjects}
        if len(heads) == len(ranges) == 1:
            return [self._wrapping.opening(heads.pop(), subjects[0])] * len(subjects)
        opening = self._wrapping.opening
        return [opening(one[:_HEAD], who) for who, one in zip(subjects, wrapped, strict=True)]

    def open(
        self,
        name: str,
        subjects: Sequence[int],
        ciphers: Sequence[AESGCM],
        sealed: Sequence[bytes | None],
    ) -> list[bytes | None]:
        """Return the opened class of each subject; None for who has none of it."""
        direct, head = self._heads(name)
        if {one[:_HEAD] for one in sealed if one is not None} - {direct}:
            raise SealBroken(f"a value in {self._table} was not sealed with a data key")
        try:
            return [
                None
                if one is None
                else cipher.decrypt(one[_HEAD:_SEALED], one[_SEALED:], head + b"%d" % who)
                for who, cipher, one in zip(subjects, ciphers, sealed, strict=True)
            ]
        except (InvalidTag, ValueError):
            raise self._moved() from None

    def _heads(self, name: str) -> tuple[bytes, bytes]:
        """The header of what a data key sealed, and what is bound to a class but the subject."""
        header = HEADER.pack(DIRECT, 0)
        table = f"{len(self._table)}:{self._table}"
        bound = f"{self._organisation_id},0,{table},{len(name)}:{name},"  # as seal.Context.bound()
        return header, header + bound.encode()

    def _moved(self) -> SealBroken:
        return SealBroken(f"a sealed value in {self._table} does not open: it was altered or moved")


def shred(organisation_id: int, subject_ids: Iterable[int]) -> int:
    """Destroy the subjects' keys and return how many there were."""
    rows = DataKey.objects.filter(organisation_id=organisation_id, pk__in=list(subject_ids))
    return rows.delete()[0]


def rewrap(organisation_id: int, rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return the same keys wrapped by the version that writes now."""
    wrapping = _Wrapping(keyring.for_organisation(organisation_id))
    pairs = list(wrapping.unwrap(rows).items())
    return list(zip((s for s, _ in pairs), wrapping.wrap(pairs), strict=True))


def _moved_key(subject: int) -> SealBroken:
    return SealBroken(f"the data key of subject {subject} was altered or moved")


class _Wrapping:
    """Wraps and unwraps many data keys, setting each cipher up once."""

    def __init__(self, keys: OrganisationKeys) -> None:
        self._keys = keys
        self._ciphers: dict[tuple[int, int], AESGCM] = {}
        self._opening: dict[tuple[bytes, int], AESGCM] = {}

    def wrap(self, pairs: Sequence[tuple[int, bytes]]) -> list[bytes]:
        writing, organisation = self._keys.writing, self._keys.organisation_id
        header = HEADER.pack(DERIVED, writing.version)
        random = os.urandom(NONCE_SIZE * len(pairs))
        wrapped = []
        for place, (subject, key) in enumerate(pairs):
            nonce = random[place * NONCE_SIZE : (place + 1) * NONCE_SIZE]
            bound = header + _PLACE.pack(organisation, subject)
            wrapped.append(
                header + nonce + self._cipher(writing, subject).encrypt(nonce, key, bound)
            )
        return wrapped

    def unwrap(self, rows: Iterable[tuple[int, bytes]]) -> dict[int, bytes]:
        return {subject: self.unwrap_one(subject, bytes(wrapped)) for subject, wrapped in rows}

    def unwrap_one(self, subject: int, wrapped: bytes) -> bytes:
        header = wrapped[: HEADER.size]
        bound = header + _PLACE.pack(self._keys.organisation_id, subject)
        cipher = self.opening(header, subject)
        try:
            return cipher.decrypt(wrapped[HEADER.size : _SEALED], wrapped[_SEALED:], bound)
        except InvalidTag:
            raise _moved_key(subject) from None

    def opening(self, header: bytes, subject: int) -> AESGCM:
        """The cipher that wrapped this subject's key."""
        cipher = self._opening.get((header, subject >> _RANGE_BITS))
        return self._opening_cipher(header, subject) if cipher is None else cipher

    def _opening_cipher(self, header: bytes, subject: int) -> AESGCM:
        form, version = HEADER.unpack(header)
        if form != DERIVED:
            raise SealBroken(f"the data key of subject {subject} has an unknown format")
        writing = self._keys.writing
        key = writing if writing.version == version else self._keys.reading(version)
        cipher = self._opening[header, subject >> _RANGE_BITS] = self._cipher(key, subject)
        return cipher

    def _cipher(self, key: Key, subject: int) -> AESGCM:
        place = (key.version, subject >> _RANGE_BITS)
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = AESGCM(key.subkey(b"data keys %d" % place[1]))
            self._ciphers[place] = cipher
        return cipher
