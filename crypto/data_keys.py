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
from crypto.rows import binary_cursor, insert_rows
from crypto.seal import DERIVED, DIRECT, HEADER, NONCE_SIZE, Key, SealBroken

KEY_SIZE = 32
_PLACE = struct.Struct(">iq")
_RANGE_BITS = 20
_SEALED = HEADER.size + NONCE_SIZE


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


def create(organisation_id: int, subject_ids: Iterable[int]) -> dict[int, bytes]:
    """Make and store a key for each subject; return them. A subject that has one is an error."""
    fresh = wrap_new(organisation_id, subject_ids)
    insert_rows(
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
    """Sets up the ciphers of many subjects from their wrapped keys, and opens their records."""

    def __init__(self, organisation_id: int, table: str) -> None:
        self._organisation_id = organisation_id
        self._table = table
        self._wrapping = _Wrapping(keyring.for_organisation(organisation_id))

    def wrapped(self, subject_ids: Sequence[int]) -> dict[int, bytes]:
        """Return the wrapped keys; a subject without one has been shredded."""
        return dict(_wrapped(self._organisation_id, subject_ids))

    def of(self, subject: int, wrapped: bytes) -> AESGCM:
        return AESGCM(self._wrapping.unwrap_one(subject, wrapped))

    def open(
        self, name: str, rows: Iterable[tuple[AESGCM, int, bytes | None]]
    ) -> list[bytes | None]:
        """Return one class of each subject, None for none; or raise SealBroken."""
        header = HEADER.pack(DIRECT, 0)
        head = (
            header
            + (
                f"{self._organisation_id},0,{len(self._table)}:{self._table},{len(name)}:{name},"
            ).encode()
        )  # as seal.Context.bound() has it, once for all
        found: list[bytes | None] = []
        for cipher, subject, sealed in rows:
            if sealed is None:
                found.append(None)
                continue
            if sealed[: HEADER.size] != header:
                raise SealBroken(f"a value in {self._table} was not sealed with a data key")
            try:
                nonce, body = sealed[HEADER.size : _SEALED], sealed[_SEALED:]
                found.append(cipher.decrypt(nonce, body, head + b"%d" % subject))
            except (InvalidTag, ValueError):
                raise SealBroken(
                    f"a sealed value in {self._table} does not open: it was altered or moved"
                ) from None
        return found


def shred(organisation_id: int, subject_ids: Iterable[int]) -> int:
    """Destroy the subjects' keys and return how many there were."""
    rows = DataKey.objects.filter(organisation_id=organisation_id, pk__in=list(subject_ids))
    return rows.delete()[0]


def rewrap(organisation_id: int, rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return the same keys wrapped by the version that writes now."""
    wrapping = _Wrapping(keyring.for_organisation(organisation_id))
    pairs = list(wrapping.unwrap(rows).items())
    return list(zip((s for s, _ in pairs), wrapping.wrap(pairs), strict=True))


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
        cipher = self._opening.get((header, subject >> _RANGE_BITS))
        if cipher is None:
            cipher = self._opening_cipher(header, subject)
        bound = header + _PLACE.pack(self._keys.organisation_id, subject)
        try:
            return cipher.decrypt(wrapped[HEADER.size : _SEALED], wrapped[_SEALED:], bound)
        except InvalidTag:
            raise SealBroken(f"the data key of subject {subject} was altered or moved") from None

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
