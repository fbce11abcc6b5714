"""Search bytes for planted values in every form in which they might have leaked."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from tests.canary.planted import DATES, NUMBER, PHONE, STEM


def forms(word: str) -> set[bytes]:
    """Return the word in upper and lower case, hexadecimal, base64 at each offset, and quoted."""
    found = set()
    for spelling in {word, word.upper(), word.capitalize()}:
        raw = spelling.encode()
        found |= {raw, raw.hex().encode(), raw.hex().upper().encode(), quote(spelling).encode()}
        found |= {_base64_at(raw, offset) for offset in range(3)}
    return found


def _base64_at(raw: bytes, offset: int) -> bytes:
    """Return the part of the base64 that depends on `raw` alone, `offset` bytes into a text."""
    encoded = base64.b64encode(bytes(offset) + raw).rstrip(b"=")
    first, rest = -(-offset * 8 // 6), (offset + len(raw)) % 3
    return encoded[first : len(encoded) - (1 if rest else 0)]


PLANTED = {form: word for word in (STEM, PHONE, *DATES, str(NUMBER)) for form in forms(word)}


def leaks(name: str, content: bytes) -> list[str]:
    """Return where a planted value stands, with what follows it to tell which it is."""
    found = []
    for form, word in PLANTED.items():
        at = content.find(form)
        if at >= 0:
            around = content[max(0, at - 30) : at + len(form) + 40]
            found.append(f"{name}: {word} as {form!r} in {around!r}")
    return found


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below the folders."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(folder.parent)), path.read_bytes()


def all_leaks(places: Mapping[str, bytes]) -> list[str]:
    return [leak for name, content in places.items() for leak in leaks(name, content)]
