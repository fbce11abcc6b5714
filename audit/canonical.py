"""The bytes that are hashed: one line for each entry, documented in docs/howto-trail.md.

Eleven fields, separated by a tab, ended by a line feed, in UTF-8:

    epoch  txid  id  organisation_id  microseconds since 1970 UTC  actor_kind  actor_id
    action  subject  outcome  detail

PostgreSQL makes the line, so that an auditor gets the same bytes with psql alone. A field with a
tab or line feed in it could make two different entries look alike; the trail writes none, and
`verify` counts them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

LINE = (
    "concat_ws(E'\\t', epoch, txid, id, organisation_id,"
    " (extract(epoch from at) * 1000000)::bigint,"
    " actor_kind, actor_id, action, subject, outcome, detail) || E'\\n'"
)
TABS = 10
EMPTY_HASH = bytes(32)


def digest(lines: Iterable[bytes]) -> bytes:
    """Return the SHA-256 of the lines, one after the other."""
    return hashlib.sha256(b"".join(lines)).digest()


def leaf(line: bytes) -> bytes:
    """Return an entry's leaf hash (RFC 6962)."""
    return hashlib.sha256(b"\0" + line).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of RFC 6962's tree over the leaf hashes.

    Pairing from the left and carrying an odd last node upward unchanged gives the same tree as the
    recursive definition.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    sha256, level = hashlib.sha256, list(leaves)
    while len(level) > 1:
        paired = [
            sha256(b"\1" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0]


def well_formed(content: bytes, entries: int) -> bool:
    """Say whether no field hides a separator."""
    return content.count(b"\t") == entries * TABS and content.count(b"\n") == entries
