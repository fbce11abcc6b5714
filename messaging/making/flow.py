"""Which of a person's fields reaches which part of a mail (wall W8). Pure.

A field reaches a part where it is printed there, and where a condition that asks for it decides
what stands there: `{% if contact.conditions %}` around a picture says who loads the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from messaging.sandbox import Tag

ENVELOPE, SUBJECT, PREHEADER, HEAD = "envelope", "subject", "preheader", "head"
BODY, TEXT, LINKS, IMAGES, MARKUP, FILES = "body", "text", "links", "images", "markup", "files"
PLACES: Mapping[str, str] = {
    ENVELOPE: "Envelope",
    SUBJECT: "Subject",
    PREHEADER: "Preheader",
    HEAD: "Title and styles",
    BODY: "Body",
    TEXT: "Text part",
    LINKS: "Links",
    IMAGES: "Pictures",
    MARKUP: "Attributes and comments",
    FILES: "File names",
}
INSIDE = frozenset({BODY, TEXT})
"""Read only by whoever opens the mail. Everything else is seen without opening it, or leaves it."""

PRINTED, ASKED = "printed", "asked"
_CONTACT = re.compile(r"\bcontact\s*\.\s*(\w+)")
_WHEN = re.compile(r"\bwhen\s*\.\s*(\w+)")
_FOR = re.compile(r"\{%[-+]?\s*for\s+(\w+)\s+in\b")
_OPENS = re.compile(r"\{%[-+]?\s*(?:if|for)\b")
_CLOSES = re.compile(r"\{%[-+]?\s*end(?:if|for)\b")
_TURNS = re.compile(r"\{%[-+]?\s*(?:elif|else)\b")


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """A field reaches a place: printed there, or asked to decide what stands there."""

    place: str
    field: str
    how: str
    line: int
    condition: str = ""
    """The template's own condition through which it is asked."""

    @property
    def allowed(self) -> bool:
        """The address on the envelope is a person's too, and without it nothing arrives."""
        if self.place == ENVELOPE:
            return True
        return self.place in INSIDE or (self.how == ASKED and self.place in (LINKS, IMAGES))

    def stored(self) -> list[str | int]:
        return [self.place, self.field, self.how, self.line, self.condition]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a template's own condition reads, and what a yes to it says of a person."""

    label: str
    fields: frozenset[str]
    classes: frozenset[str]
    mark: str = ""
    """A keyed hash of what it asks, for the hash of the content."""


@dataclass(slots=True)
class Tracer:
    """Follows the merge tags of one part in their order, with the conditions that are open."""

    tags: list[Tag]
    conditions: Mapping[str, Asked]
    uses: set[Use] = field(default_factory=set)
    _open: list[set[tuple[str, str]]] = field(default_factory=list)
    _entries: dict[str, str] = field(default_factory=dict)

    def mark(self, number: int, place: str, line: int) -> None:
        """Note that a merge tag stands in a place."""
        tag = self.tags[number]
        read = self._read(tag.source)
        for key, condition in read:
            self._use(place, key, PRINTED if tag.printed and not condition else ASKED, line,
                      condition)  # fmt: skip
        if tag.printed:
            self.element(place, line)
        elif _OPENS.match(tag.source):
            self._open.append(read)
        elif _TURNS.match(tag.source) and self._open:
            self._open[-1] |= read
        elif _CLOSES.match(tag.source) and self._open:
            self._open.pop()

    def element(self, place: str, line: int) -> None:
        """Note that something stands in a place, for whom the open conditions let see it."""
        for read in self._open:
            for key, condition in read:
                self._use(place, key, ASKED, line, condition)

    def _use(self, place: str, key: str, how: str, line: int, condition: str) -> None:
        self.uses.add(Use(place, key, how, line, condition))

    def _read(self, source: str) -> set[tuple[str, str]]:
        found = {(key, "") for key in _CONTACT.findall(source)}
        loop = _FOR.match(source)
        if loop and found:
            self._entries[loop[1]] = next(iter(found))[0]
        words = set(re.findall(r"\b([A-Za-z_]\w*)\s*\.", source))
        found |= {(key, "") for entry, key in self._entries.items() if entry in words}
        for name in _WHEN.findall(source):
            asked = self.conditions.get(name)
            found |= {(key, name) for key in (asked.fields if asked else ())}
        return found


def tidy(uses: Iterable[Use]) -> tuple[Use, ...]:
    """Return each use once, at its first line."""
    first: dict[tuple[str, str, str, str], Use] = {}
    for use in sorted(uses, key=lambda each: each.line):
        first.setdefault((use.place, use.field, use.how, use.condition), use)
    order = {place: number for number, place in enumerate(PLACES)}
    return tuple(sorted(first.values(), key=lambda each: (order[each.place], each.line, each)))


def forbidden(uses: Iterable[Use]) -> tuple[Use, ...]:
    return tuple(use for use in uses if not use.allowed)


def restored(stored: Iterable[Iterable[object]]) -> tuple[Use, ...]:
    """Return the uses that were kept with a version."""
    return tuple(Use(*each) for each in stored)  # type: ignore[arg-type]
