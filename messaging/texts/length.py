"""How long a text message is on the air: its alphabet, and the segments that it is cut into. Pure.

3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table, UCS-2) and TS 23.040 9.2.3.24
(concatenation). One character outside the GSM alphabet turns the whole message into UCS-2, which
more than halves what fits into a segment.
"""

from __future__ import annotations

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")
"""Each takes two places: an escape goes before it."""
GSM, UCS2 = "GSM-7", "UCS-2"
_FITS = {GSM: (160, 153), UCS2: (70, 67)}
"""Places of a message of one segment, and of each segment of a longer one."""
MOST_SEGMENTS = 10
"""More than that no carrier takes as one message."""


@dataclass(frozen=True, slots=True)
class Length:
    """`units` are septets or 16-bit units; `characters` are what a person counts."""

    characters: int
    units: int
    alphabet: str
    segments: int
    outside: str = ""
    """The characters that make it UCS-2, each once, in their order."""

    @property
    def left(self) -> int:
        """How many units still fit into the last segment."""
        whole, part = _FITS[self.alphabet]
        return (whole if self.segments <= 1 else part * self.segments) - self.units


def of(text: str) -> Length:
    """Measure a text as it goes out; an empty one has no segment."""
    outside = "".join(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENDED))
    alphabet = UCS2 if outside else GSM
    sizes = [_size(c, alphabet) for c in text]
    return Length(len(text), sum(sizes), alphabet, _segments(sizes, alphabet), outside)


def _size(character: str, alphabet: str) -> int:
    if alphabet == UCS2:
        return 2 if ord(character) > 0xFFFF else 1
    return 2 if character in EXTENDED else 1


def _segments(sizes: list[int], alphabet: str) -> int:
    """Count segments; an escaped or paired character is never cut in two."""
    whole, part = _FITS[alphabet]
    if sum(sizes) <= whole:
        return 1 if sizes else 0
    segments, room = 1, part
    for size in sizes:
        if size > room:
            segments, room = segments + 1, part
        room -= size
    return segments
