"""Words of and to a person, sealed with the person's own key: gone when that is destroyed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from accounts import tenancy
from crypto import data_keys
from crypto.seal import Context, seal, unseal
from messaging.models import Answer, Letter

_TABLES = {Answer: "messaging_answer", Letter: "messaging_letter"}
Kept = Answer | Letter


class Erased(LookupError):
    """The person was erased: nothing can be kept for them."""


def _context(kind: type[Kept], number: UUID) -> Context:
    return Context(tenancy.current(), _TABLES[kind], str(number), "words")


def sealed(row: Kept, words: str) -> bytes:
    """Return the words as the row keeps them; raises `Erased`."""
    key = data_keys.load(tenancy.current(), [row.contact_id]).get(row.contact_id)
    if key is None:
        raise Erased(Erased.__doc__)
    return seal(key, words.encode(), context=_context(type(row), row.id))


def unsealed(rows: Iterable[Kept]) -> Mapping[UUID, str]:
    """Return the words by row; empty where they are gone."""
    wanted = list(rows)
    keys = data_keys.load(tenancy.current(), {row.contact_id for row in wanted})
    return {row.id: _opened(row, keys.get(row.contact_id)) for row in wanted}


def _opened(row: Kept, key: bytes | None) -> str:
    if key is None or not row.words:
        return ""
    return unseal(key, bytes(row.words), context=_context(type(row), row.id)).decode()
