"""A batch as it is signed: the statement about the trail that leaves the database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.models import Batch

_FORMAT = "attune trail 1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a batch says. Its hash is the SHA-256 of `canonical()`; the signature covers the hash.

    Hashes are hexadecimal. `previous` chains it to the batch before.
    """

    organisation_id: int
    number: int
    epoch: int
    last_txid: int
    last_id: int
    entries: int
    total: int
    content: str
    root: str
    previous: str
    sealed_at: int
    """Microseconds since 1970, UTC."""
    key_version: int

    def canonical(self) -> bytes:
        """Return JSON with sorted names and no spaces."""
        said: dict[str, Any] = {"format": _FORMAT, **asdict(self)}
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()

    def hash(self) -> bytes:
        return hashlib.sha256(self.canonical()).digest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement with its signature: one line in the anchor."""

    statement: Statement
    signature: bytes

    @classmethod
    def sign(cls, statement: Statement, key: Ed25519PrivateKey) -> Checkpoint:
        return cls(statement, key.sign(statement.hash()))

    def signed_by(self, public: bytes) -> bool:
        """Say whether this public key's owner signed it."""
        try:
            key = Ed25519PublicKey.from_public_bytes(public)
            key.verify(self.signature, self.statement.hash())
        except (InvalidSignature, ValueError):
            return False
        return True

    def to_line(self) -> str:
        """Return one line of JSON."""
        said = asdict(self.statement) | {"signature": self.signature.hex()}
        return json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Checkpoint:
        """Read a line again; raises ValueError when it is not one."""
        try:
            said = json.loads(line)
            signature = bytes.fromhex(said.pop("signature"))
            return cls(Statement(**said), signature)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a checkpoint") from error

    @classmethod
    def of(cls, batch: Batch) -> Checkpoint:
        """Return what a stored batch says."""
        statement = Statement(
            organisation_id=batch.organisation_id,
            number=batch.number,
            epoch=batch.epoch,
            last_txid=batch.last_txid,
            last_id=batch.last_id,
            entries=batch.entries,
            total=batch.total,
            content=bytes(batch.content).hex(),
            root=bytes(batch.root).hex(),
            previous=bytes(batch.previous).hex(),
            sealed_at=micros(batch.sealed_at),
            key_version=batch.key_version,
        )
        return cls(statement, bytes(batch.signature))

    def to_batch(self, hints: bytes) -> Batch:
        """Return the row to store."""
        said = self.statement
        return Batch(
            organisation_id=said.organisation_id,
            number=said.number,
            epoch=said.epoch,
            last_txid=said.last_txid,
            last_id=said.last_id,
            entries=said.entries,
            total=said.total,
            content=bytes.fromhex(said.content),
            root=bytes.fromhex(said.root),
            previous=bytes.fromhex(said.previous),
            hash=said.hash(),
            sealed_at=_EPOCH + timedelta(microseconds=said.sealed_at),
            key_version=said.key_version,
            signature=self.signature,
            hints=hints,
        )


def micros(moment: datetime) -> int:
    """Return a moment as microseconds since 1970, exactly."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
