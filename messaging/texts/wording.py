"""What a text message must say, and what it may not (47 CFR 64.1200(a)(9)(iv), CTIA 5). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from messaging.making.checks import reading
from messaging.making.checks.checked import MARK
from messaging.making.checks.primary_purpose import OFFER
from messaging.sandbox import Problem
from messaging.texts.length import MOST_SEGMENTS, Length

EXEMPT_LONGEST = 160
"""Characters of a health care text that needs no prior consent (64.1200(a)(9)(iv)(E))."""
NEEDS_NO_WAY_OUT = frozenset({"service_notice"})
"""What a person must be told cannot be stopped by a word."""
STOP_WORDS: Mapping[str, tuple[str, ...]] = {"en": ("STOP",), "es": ("ALTO", "BAJA", "STOP")}
_PHONE = re.compile(r"(?<![\w.])\+?1?[\s.(-]{0,2}\d{3}[\s.)-]{0,2}\d{3}[\s.-]?\d{4}(?!\w)")
_PLACE = re.compile(r"(?:https?://|\bwww\.)\S+", re.IGNORECASE)
_BILLING = re.compile(
    r"\b(?:bills?|billing|invoices?|balance due|past due|payments?|copays?|you owe|collections?|"
    r"facturas?|pagos?|copagos?|saldo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """One language of a text that compiles. `text` has marks where merge tags are."""

    text: str
    language: str
    purpose: str
    exempt: bool
    """A health care text that goes without prior consent for texts."""
    names_organisation: bool
    has_contact: bool
    """The organisation's own web address is merged in."""
    longest: Length
    """As somebody with a value for everything would get it."""


def problems(said: Said) -> Iterator[Problem]:
    """Yield what refuses a version."""
    words = MARK.sub(" ", said.text)
    if not said.names_organisation:
        yield _problem("A text says who sends it: write {{ organisation.name }}.", "sender")
    if said.purpose not in NEEDS_NO_WAY_OUT and not _says_how_to_stop(words, said.language):
        named = " or ".join(_stop_words(said.language))
        yield _problem(f"A text says how to stop: write “Reply {named} to end”.", "opt_out")
    if said.longest.segments > MOST_SEGMENTS:
        yield _problem(
            f"It would be cut into {said.longest.segments} parts; at most {MOST_SEGMENTS} go.",
            "length",
        )
    if said.exempt:
        yield from _exempt(said, words)


def _exempt(said: Said, words: str) -> Iterator[Problem]:
    """TC-05."""
    if said.longest.characters > EXEMPT_LONGEST:
        yield _problem(
            f"A health care text has at most {EXEMPT_LONGEST} characters (47 CFR "
            f"64.1200(a)(9)(iv)); as somebody would get it, it has {said.longest.characters}.",
            "length",
        )
    if not (said.has_contact or _PHONE.search(words) or _PLACE.search(words)):
        yield _problem(
            "A health care text says how to reach the sender: write a telephone number or "
            "{{ organisation.web_origin }}.",
            "contact",
        )
    if found := _BILLING.search(words):
        yield _problem(
            f"A health care text says nothing about billing (“{found[0]}”): give it the purpose "
            "payment, or take that out.",
            "billing",
        )
    if found := OFFER.search(words):
        yield _problem(
            f"A health care text offers nothing (“{found[0]}”): give it the purpose marketing, or "
            "take that out.",
            "purpose",
        )


def warnings(said: Said) -> Iterator[Problem]:
    """Yield what an author should mind."""
    words = MARK.sub(" ", said.text)
    if not said.exempt and said.purpose not in _COMMERCIAL and (found := OFFER.search(words)):
        yield _problem(
            f"It offers something (“{found[0]}”): is its purpose not marketing?", "purpose"
        )
    read = reading.of(words, said.language)
    if read.hard:
        yield _problem(f"{read.in_words()}: hard for many. Say it in everyday words.", "reading")
    if said.longest.outside:
        shown = " ".join(said.longest.outside[:8])
        yield _problem(
            f"{shown} is not in the alphabet of texts: with it a part holds 70 characters instead "
            "of 160.",
            "size",
        )
    elif said.longest.segments > 1:
        yield _problem(
            f"Carriers cut it into {said.longest.segments} parts, and count each.", "size"
        )


_COMMERCIAL = frozenset({"marketing", "remunerated_marketing", "fundraising"})


def _stop_words(language: str) -> tuple[str, ...]:
    return STOP_WORDS.get(language.partition("-")[0], STOP_WORDS["en"])


def _says_how_to_stop(words: str, language: str) -> bool:
    """Say whether one of the words stands in capitals, which is how people see that it is one."""
    return any(re.search(rf"\b{one}\b", words) for one in _stop_words(language))


def _problem(message: str, code: str) -> Problem:
    return Problem("text", 1, message, code)
