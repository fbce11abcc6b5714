"""Bearer secrets: cookies, API keys, one-time links. Long, random, kept as a hash only.

A secret begins with its organisation's number, so that it is looked up inside that organisation
and nowhere else. The number proves nothing; the random part does.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_FORM = re.compile(r"(?P<label>[a-z]{2,8})_(?P<organisation>[1-9][0-9]{0,8})_(?P<random>[\w-]{43})")


@dataclass(frozen=True)
class Secret:
    label: str
    organisation_id: int
    random: str

    def __str__(self) -> str:
        return f"{self.label}_{self.organisation_id}_{self.random}"

    def __repr__(self) -> str:
        return f"Secret({self.label}, organisation {self.organisation_id})"

    @property
    def hash(self) -> bytes:
        """Plain SHA-256: 256 random bits need no slow hash."""
        return hashlib.sha256(str(self).encode()).digest()

    @property
    def prefix(self) -> str:
        return self.random[:6]


def new(label: str, *, organisation_id: int) -> Secret:
    return Secret(label, organisation_id, secrets.token_urlsafe(32))


def parse(text: str, *, label: str) -> Secret | None:
    """Return the secret, or None where the text cannot be one of this kind."""
    found = _FORM.fullmatch(text)
    if found is None or found["label"] != label:
        return None
    return Secret(label, int(found["organisation"]), found["random"])
