"""Seal bytes with AES-256-GCM so that they open only where they belong.

A sealed value is `format (1 byte) · key version (2) · nonce (12) · ciphertext · tag (16)`. Format
and version are authenticated together with the context, so a value that was moved to another row,
column, class, organisation or version does not open.

Formats:
1  sealed directly with a data key. A data key belongs to one subject and seals a few records each
   time that subject changes, so 2**32 random nonces (SP 800-38D) are out of reach.
2  sealed with a sub-key of an organisation's key, made by HMAC-SHA256 for this one table, row and
   class. The limit of 2**32 nonces then holds for each such place, not for the organisation.
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

DIRECT, DERIVED = 1, 2
_SUBKEY = b"attune sub-key\x00"
HEADER = struct.Struct(">BH")
NONCE_SIZE = 12
_BODY = HEADER.size + NONCE_SIZE
SHORTEST = _BODY + 16


class SealBroken(Exception):
    """A sealed value does not open: it was altered, moved, or its key is gone."""


class KeyUnavailable(SealBroken):
    """No key of this version may be used for reading."""


class Context(NamedTuple):
    """Where a sealed value lives; authenticated with it, stored nowhere."""

    organisation_id: int
    table: str
    row: str | int
    field_class: str
    version: int = 0

    def bound(self) -> bytes:
        """Return the associated data. Lengths go first, so that no two contexts look alike."""
        return (
            f"{self.organisation_id},{self.version},{len(self.table)}:{self.table},"
            f"{len(self.field_class)}:{self.field_class},{self.row}"
        ).encode()

    def place(self) -> bytes:
        """Return the same without the version: what a sub-key is made for."""
        return self._replace(version=0).bound()


class Place:
    """Opens many rows of one table and class, sealed by sub-keys: as `unseal`, at half its cost.

    What is bound to each value is put together once, but for row and version.
    """

    def __init__(self, organisation_id: int, table: str, field_class: str) -> None:
        self._table = table
        self._organisation = f"{organisation_id},".encode()
        self._tail = f",{len(table)}:{table},{len(field_class)}:{field_class},".encode()

    def unseal(self, keys: ReadingKeys, sealed: bytes, *, row: int, version: int) -> bytes:
        """Return the plaintext, or raise SealBroken, which says nothing of the value."""
        if len(sealed) < SHORTEST:
            raise SealBroken("a sealed value is too short to be whole")
        form, key_version = HEADER.unpack_from(sealed)
        if form != DERIVED:
            raise SealBroken(f"a value in {self._table} was not sealed with an organisation's key")
        organisation, tail = self._organisation, self._tail + b"%d" % row
        secret = keys.reading(key_version).subkey(organisation + b"0" + tail)
        whole = memoryview(sealed)
        bound = sealed[: HEADER.size] + organisation + b"%d" % version + tail
        try:
            return AESGCM(secret).decrypt(whole[HEADER.size : _BODY], whole[_BODY:], bound)
        except InvalidTag:
            raise _altered(self._table) from None


def _altered(table: str) -> SealBroken:
    return SealBroken(f"a sealed value in {table} does not open: it was altered or moved")


class Key(NamedTuple):
    """One version of an organisation's sealing key."""

    version: int
    material: bytes

    def __repr__(self) -> str:
        return f"Key(version={self.version})"

    def subkey(self, place: bytes) -> bytes:
        """Return the key for one place (SP 800-108, one block of HMAC-SHA256)."""
        return hmac.digest(self.material, _SUBKEY + place, "sha256")


class ReadyKey(Key):
    """The same, with its HMAC set up once: a third of the cost where many sub-keys are made."""

    def __init__(self, version: int, material: bytes) -> None:
        self._ready = HMAC(material, SHA256())
        self._ready.update(_SUBKEY)

    def subkey(self, place: bytes) -> bytes:
        made = self._ready.copy()
        made.update(place)
        return made.finalize()


class ReadingKeys(Protocol):
    def reading(self, version: int) -> Key:
        """Return the key of this version, or raise KeyUnavailable."""
        ...


def seal(
    key: bytes | Key, plaintext: bytes, *, context: Context, nonce: bytes | None = None
) -> bytes:
    """Return the sealed value. `key` is a data key (bytes) or an organisation's writing key."""
    nonce = nonce or os.urandom(NONCE_SIZE)
    if isinstance(key, Key):
        header, secret = HEADER.pack(DERIVED, key.version), key.subkey(context.place())
    else:
        header, secret = HEADER.pack(DIRECT, 0), key
    return header + nonce + AESGCM(secret).encrypt(nonce, plaintext, header + context.bound())


def unseal(keys: bytes | Key | ReadingKeys, sealed: bytes, *, context: Context) -> bytes:
    """Return the plaintext, or raise SealBroken, which says nothing of the value."""
    sealed = bytes(sealed)
    if len(sealed) < SHORTEST:
        raise SealBroken("a sealed value is too short to be whole")
    secret = _secret_for(keys, sealed, context)
    try:
        return AESGCM(secret).decrypt(
            sealed[HEADER.size : _BODY], sealed[_BODY:], sealed[: HEADER.size] + context.bound()
        )
    except InvalidTag:
        raise _altered(context.table) from None


def seal_classes(
    key: bytes, records: Mapping[str, bytes], *, organisation_id: int, table: str, row: int
) -> dict[str, bytes]:
    """Seal several classes of one subject with its data key."""
    sealer = ClassSealer(organisation_id, table, tuple(records))
    (sealed,) = sealer.seal_many([(key, row, tuple(records.values()))])
    return dict(zip(records, sealed, strict=True))


class ClassSealer:
    """Seals the same classes of many subjects, each with its subject's data key.

    A subject's cipher is set up once, and the random numbers of a batch are asked for together.
    """

    def __init__(self, organisation_id: int, table: str, names: Sequence[str]) -> None:
        header = HEADER.pack(DIRECT, 0)
        head = f"{organisation_id},0,{len(table)}:{table},"  # as Context.bound() has it
        self._header = header
        self._bound = [header + f"{head}{len(name)}:{name},".encode() for name in names]

    def seal_many(
        self, subjects: Sequence[tuple[bytes, int, Sequence[bytes]]]
    ) -> list[list[bytes]]:
        """Return the sealed classes of each (data key, row, plaintext of every class)."""
        random = os.urandom(NONCE_SIZE * len(self._bound) * len(subjects))
        nonces = (random[at : at + NONCE_SIZE] for at in range(0, len(random), NONCE_SIZE))
        header, heads = self._header, self._bound
        sealed = []
        for key, row, classes in subjects:
            encrypt, place = AESGCM(key).encrypt, b"%d" % row
            sealed.append(
                [
                    header + nonce + encrypt(nonce, plain, head + place)
                    for head, plain, nonce in zip(heads, classes, nonces)  # noqa: B905
                ]
            )
        return sealed


def unseal_classes(
    key: bytes, records: Mapping[str, bytes], *, organisation_id: int, table: str, row: int
) -> dict[str, bytes]:
    """Open several classes of one subject; the cipher is set up once. Or raise SealBroken."""
    header, cipher = HEADER.pack(DIRECT, 0), AESGCM(key)
    head = f"{organisation_id},0,{len(table)}:{table},"
    opened = {}
    for name, sealed in records.items():
        if sealed[: HEADER.size] != header or len(sealed) < SHORTEST:
            raise SealBroken(f"a value in {table} was not sealed with a data key")
        bound = header + f"{head}{len(name)}:{name},{row}".encode()
        try:
            opened[name] = cipher.decrypt(sealed[HEADER.size : _BODY], sealed[_BODY:], bound)
        except InvalidTag:
            raise _altered(table) from None
    return opened


def version_of(sealed: bytes) -> int:
    """Return the version of the key that sealed this value; 0 for a data key."""
    version: int = HEADER.unpack_from(sealed)[1]
    return version


def _secret_for(keys: bytes | Key | ReadingKeys, sealed: bytes, context: Context) -> bytes:
    form, version = HEADER.unpack_from(sealed)
    if isinstance(keys, bytes):
        if form != DIRECT or version:
            raise SealBroken(f"a value in {context.table} was not sealed with a data key")
        return keys
    if form != DERIVED:
        raise SealBroken(f"a value in {context.table} was not sealed with an organisation's key")
    key = keys if isinstance(keys, Key) else keys.reading(version)
    if key.version != version:
        raise KeyUnavailable(f"a value in {context.table} needs key version {version}")
    return key.subkey(context.place())
