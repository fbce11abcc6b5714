"""Is a mail that calls itself care or service mainly there to sell? (16 CFR 316.3; CS-05) Pure.

A mail with both kinds of content is commercial where its subject reads as an offer, or where what
it is sent for does not stand at its beginning. Then it needs what commercial mail needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from messaging.making.checks.checked import MARK, Checked, elements
from messaging.sandbox import Problem

OFFER = re.compile(
    r"\b(?:\d{1,3} ?(?:%|percent) off|discount(?:s|ed)?|on sale|special offers?|our offers?|"
    r"promo(?:tion|tional)?(?: codes?)?|coupons?|vouchers?|gift cards?|free trial|free sample|"
    r"buy (?:now|one|online|yours)|order (?:now|today|yours)|shop (?:now|online)|upgrade (?:now|"
    r"today|to)|sign up (?:now|today)|subscribe (?:now|today)|save (?:up to|\$)|only \$ ?\d|"
    r"starting at \$ ?\d|limited[- ]time|new (?:product|service) line|introducing our|"
    r"descuentos?|ofertas?|rebajas?|cup[oó]n(?:es)?|compre|pida (?:ya|hoy)|ahorre|"
    r"prueba gratuita|muestra gratis|promoci[oó]n(?:es)?)",
    re.IGNORECASE,
)
_SAYS = (
    "By that its primary purpose is commercial (16 CFR 316.3): give it the purpose marketing, or "
)
_WORDS = frozenset({"mj-text", "mj-button", "mj-table", "mj-list", "mj-accordion-text"})


def check(checked: Checked) -> Iterator[Problem]:
    if checked.commercial:
        return
    if found := OFFER.search(MARK.sub(" ", checked.subject)):
        yield Problem(
            "subject",
            1,
            f"The subject offers something (“{found[0]}”). {_SAYS}take the offer out of it.",
            "purpose",
        )
    yield from _body(checked)


def _body(checked: Checked) -> Iterator[Problem]:
    """Warn where an offer stands in the first half of the words."""
    pieces = [
        (each.line, text)
        for each in elements(checked.mjml)
        if each.name in _WORDS and (text := each.text())
    ]
    half, read = sum(len(text) for _, text in pieces) / 2, 0
    for line, text in pieces:
        for found in OFFER.finditer(text):
            if read + found.start() <= half:
                yield Problem(
                    "mjml",
                    line,
                    f"An offer (“{found[0]}”) stands in the first half. {_SAYS}put what it is sent "
                    "for before it.",
                    "purpose",
                )
                return
        read += len(text)
