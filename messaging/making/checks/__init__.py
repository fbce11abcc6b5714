"""What to tell an author of a mail that could be sent: every check warns. Pure.

What refuses a version (flows of PHI, a missing fallback, a picture without words) stands in the
compiler. A warning names its part, its line, and what to do. The name of an illness where the mail
is seen unopened becomes a refusal where the audience makes it a fact about a person.
"""

from __future__ import annotations

from messaging.making.checks import (
    accessibility,
    clients,
    diagnoses,
    primary_purpose,
    reading,
    size,
    spam,
    wording,
)
from messaging.making.checks.checked import Checked
from messaging.sandbox import Problem

__all__ = ["KINDS", "Checked", "of"]

KINDS = {
    diagnoses.CODE: "Names an illness",
    "purpose": "What it is for",
    "reading": "Plain words",
    "accessibility": "Accessibility",
    "links": "Links",
    "clients": "Mail programs",
    "size": "Size",
    "spam": "Looks like spam",
    "open": "Who gets it",
    "languages": "Languages",
}
"""The codes of warnings, with the words that head them."""


def of(checked: Checked) -> tuple[Problem, ...]:
    """Return every warning about these parts."""
    found = [
        *diagnoses.check(checked),
        *primary_purpose.check(checked),
        *reading.check(checked),
        *accessibility.check(checked),
        *wording.check(checked),
        *clients.check(checked),
        *size.check(checked),
        *spam.check(checked),
    ]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda each: (order.index(each.code), each.part, each.line)))
