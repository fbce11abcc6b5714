"""Does Gmail cut it off? It shows 102 kB of HTML and hides the rest behind a link."""

from __future__ import annotations

from collections.abc import Iterator

from messaging.making.checks.checked import Checked
from messaging.sandbox import Problem

CLIPPED = 102 * 1024
NEAR = CLIPPED * 85 // 100
"""Bytes; fields and lists add to what the template has."""
LINK = 130
"""What a link's own address adds to its number, about."""


def bytes_sent(html: str) -> int:
    """Return about how many bytes the HTML has when it is sent, before fields are merged in."""
    return len(html.encode()) + html.count("\ue000") * LINK


def check(checked: Checked) -> Iterator[Problem]:
    size = bytes_sent(checked.html)
    if size > CLIPPED:
        yield Problem("mjml", 1, f"{size // 1024} kB of HTML: Gmail cuts a mail at 102 kB and "
                      "hides its end with the way to unsubscribe.", "size")  # fmt: skip
    elif size > NEAR:
        yield Problem("mjml", 1, f"{size // 1024} kB of HTML: near the 102 kB at which Gmail cuts.",
                      "size")  # fmt: skip
