"""Would a filter, or a person in a hurry, take it for spam? Signs, not a verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from messaging.making.checks.checked import MARK, Checked, elements
from messaging.sandbox import Problem

LONGEST_SUBJECT = 70
"""Characters that most mail programs show."""
_PUSHY = re.compile(
    r"\b(act now|buy now|order now|call now|limited time|risk[- ]free|no obligation|100% free|"
    r"free gift|winner|congratulations|guaranteed?|miracle|cure[sd]? (?:all|any)|cash bonus|"
    r"urgent|last chance|don['’]t miss|actúe ya|compre ahora|gratis|garantizado|urgente|"
    r"última oportunidad|milagro)\b",
    re.IGNORECASE,
)
_SHORTENERS = frozenset(
    ["bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly"]
)  # fmt: skip
_REPLY = re.compile(r"\s*(re|fwd?|rv)\s*:", re.IGNORECASE)
_TAG = re.compile(r"\{\{.*?\}\}")


def check(checked: Checked) -> Iterator[Problem]:
    for message in _subject(checked.subject):
        yield Problem("subject", 1, message, "spam")
    found = list(elements(checked.mjml))
    for element in found:
        host = (urlsplit(element.given.get("href", "")).hostname or "").removeprefix("www.")
        if host in _SHORTENERS:
            yield Problem("mjml", element.line, f"{host} hides where a link leads; filters "
                          "distrust it. Use the address itself.", "spam")  # fmt: skip
    body = next((each for each in found if each.name == "mj-body"), None)
    words = body.text() if body else ""
    pushy = sorted({match[0].lower() for match in _PUSHY.finditer(words)})
    if pushy:
        yield Problem("mjml", body.line if body else 1, f"Words that filters weigh: "
                      f"{', '.join(pushy[:5])}.", "spam")  # fmt: skip
    pictures = sum(each.name in ("mj-image", "img") for each in found)
    if pictures and len(words.split()) < 20 * pictures:
        yield Problem("mjml", 1, f"{len(words.split())} words beside {pictures} pictures: with "
                      "pictures off there is little to read, and filters weigh that.",
                      "spam")  # fmt: skip


def _subject(subject: str) -> Iterator[str]:
    plain = MARK.sub("", _TAG.sub("", subject))
    letters = [sign for sign in plain if sign.isalpha()]
    if len(letters) > 8 and sum(sign.isupper() for sign in letters) > len(letters) * 0.6:
        yield "A subject in capitals reads as shouting, to people and to filters."
    if re.search(r"[!?]{2,}|\${2,}", plain):
        yield "Repeated signs (!!, ??, $$) make a subject look like spam."
    if _REPLY.match(plain):
        yield "The subject says that it answers or forwards a mail; it does not (CAN-SPAM)."
    if pushy := _PUSHY.search(plain):
        yield f"“{pushy[0]}” in a subject is weighed by filters."
    if len(plain) > LONGEST_SUBJECT:
        yield f"{len(plain)} characters: most programs show {LONGEST_SUBJECT} of a subject at most."
