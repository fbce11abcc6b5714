"""Exact lookup of near-unique values (email, phone, record number) without storing them.

A keyed hash under a sub-key for each organisation and field: the same address gives different
tokens in two organisations. Never for attributes: frequencies would name them (DESIGN, W5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from crypto import keyring

SIZE = 16


def token(organisation_id: int, field: str, normalised: str) -> bytes:
    """Return the token of one normalised value."""
    return tokens(organisation_id, field, [normalised])[0]


def tokens(organisation_id: int, field: str, values: Iterable[str]) -> list[bytes]:
    """Return the tokens of many values; the keyed state is set up once and copied."""
    key = keyring.for_organisation(organisation_id).derive(f"blind index/{field}")
    keyed = hashlib.blake2b(key=key, digest_size=SIZE)
    found = []
    for value in values:
        state = keyed.copy()
        state.update(value.encode())
        found.append(state.digest())
    return found
