"""The text part of a mail, made from its body: the same words in the same order. Pure.

Works on MJML in which marks stand for merge tags, so conditions and fields go along unread.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    ["mj-text", "mj-button", "mj-table", "mj-image", "mj-section", "mj-column", "mj-wrapper",
     "mj-hero", "mj-raw", "mj-list", "mj-accordion-title", "mj-accordion-text", "p", "div", "h1",
     "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote"]
)  # fmt: skip
_LINES = frozenset({"br", "li", "tr", "mj-navbar-link", "mj-social-element"})
_CELLS = frozenset({"td", "th"})
_LINKS = frozenset({"a", "mj-button", "mj-navbar-link", "mj-social-element"})
_SKIPPED = frozenset({"mj-head", "mj-style", "style", "head"})
_RULES = frozenset({"mj-divider", "hr"})


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.skipping = 0
        self.href: list[str] = []
        self.label_from: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SKIPPED:
            self.skipping += 1
        if tag in _BLOCKS:
            self.out.append("\n\n")
        elif tag in _LINES:
            self.out.append("\n")
        elif tag in _RULES:
            self.out.append("\n\n--\n\n")
        if tag == "li":
            self.out.append("- ")
        if tag in ("img", "mj-image"):
            self._picture(tag, given)
        if tag in _LINKS:
            self.href.append(given.get("href", "").strip())
            self.label_from.append(len(self.out))

    def _picture(self, tag: str, given: dict[str, str]) -> None:
        href = given.get("href", "").strip() if tag == "mj-image" else ""
        self.out.append(": ".join(each for each in (given.get("alt", ""), href) if each))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _LINKS or tag in _SKIPPED:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SKIPPED:
            self.skipping -= 1
        if tag in _LINKS and self.href:
            href, began = self.href.pop(), self.label_from.pop()
            label = " ".join("".join(self.out[began:]).split())
            if href and href.removeprefix("mailto:").removeprefix("tel:") not in label:
                self.out.append(f": {href}" if label else href)
        if tag in _CELLS:
            self.out.append("  ")
        if tag in _BLOCKS:
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.skipping:
            self.out.append(re.sub(r"\s+", " ", data))


def made(marked: str) -> str:
    """Return the text of marked MJML, paragraphs apart, addresses behind what they are called."""
    writer = _Writer()
    writer.feed(marked)
    writer.close()
    lines = [" ".join(line.split()) for line in "".join(writer.out).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
