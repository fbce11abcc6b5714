"""Seal the packed column blocks that segments are evaluated over.

Each (field, block) has a sub-key of its own, and the block's version is authenticated: an old
block cannot be replayed, and a block version would have to pass 2**32 to exhaust a key's nonces.
"""

from __future__ import annotations

from crypto import keyring, seal

TABLE = "segment_column"


class Opener:
    """Opens many blocks of one organisation; its keys are asked for once, at the start.

    It asks the database nothing more, so it may be used while rows are being read. A key that was
    made since raises KeyUnavailable: `keyring.forget`, and begin again with another opener.
    """

    def __init__(self, organisation_id: int) -> None:
        self._organisation_id = organisation_id
        self._keys = keyring.for_organisation(organisation_id).readable
        self._ready: dict[int, seal.ReadyKey] = {}
        self._places: dict[str, seal.Place] = {}

    def open(self, payload: bytes, *, field: str, block: int, version: int) -> bytes:
        """Return the packed array, or raise SealBroken."""
        place = self._places.get(field)
        if place is None:
            place = self._places[field] = seal.Place(self._organisation_id, TABLE, field)
        return place.unseal(self, payload, row=block, version=version)

    def reading(self, version: int) -> seal.Key:
        key = self._ready.get(version)
        if key is None:
            try:
                key = self._ready[version] = seal.ReadyKey(*self._keys[version])
            except KeyError:
                raise seal.KeyUnavailable(f"key version {version} was made since") from None
        return key


def seal_block(
    organisation_id: int, *, field: str, block: int, version: int, payload: bytes
) -> bytes:
    """Return the sealed block."""
    key = keyring.for_organisation(organisation_id).writing
    return seal.seal(key, payload, context=_context(organisation_id, field, block, version))


def open_block(
    organisation_id: int, *, field: str, block: int, version: int, payload: bytes
) -> bytes:
    """Return the packed array, or raise SealBroken."""
    keys = keyring.for_organisation(organisation_id)
    return seal.unseal(keys, payload, context=_context(organisation_id, field, block, version))


def _context(organisation_id: int, field: str, block: int, version: int) -> seal.Context:
    return seal.Context(organisation_id, TABLE, block, field, version)
