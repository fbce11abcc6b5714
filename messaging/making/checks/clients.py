"""Which mail programs do not do what the mail asks of them?

A small table of facts, as tested by Can I email (caniemail.com, MIT licence; its data was read in
2026). What MJML itself writes is chosen to work everywhere, so only what an author wrote in styles
and raw HTML is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from messaging.making.checks.checked import Checked
from messaging.sandbox import Problem

CLIENTS = {
    "gmail": "Gmail",
    "outlook": "Outlook for Windows",
    "outlook-com": "Outlook.com",
    "yahoo": "Yahoo",
}
_STYLED = r"(?:style\s*=\s*[\"'][^\"']*|[{{;]\s*){name}\s*:\s*{value}"


@dataclass(frozen=True, slots=True)
class Fact:
    """A feature by its name at Can I email, how it is written, and who lacks it."""

    slug: str
    says: str
    written: re.Pattern[str]
    lacking: tuple[str, ...]


def _style(slug: str, name: str, lacking: str, value: str = "") -> Fact:
    written = _STYLED.format(name=name, value=value)
    said = f"{name}: {value}" if value else name
    return Fact(slug, said, re.compile(written, re.IGNORECASE), tuple(lacking.split()))


def _element(slug: str, name: str, lacking: str) -> Fact:
    written = re.compile(rf"<{name}\b", re.IGNORECASE)
    return Fact(slug, f"<{name}>", written, tuple(lacking.split()))


def _word(slug: str, said: str, pattern: str, lacking: str) -> Fact:
    return Fact(slug, said, re.compile(pattern, re.IGNORECASE), tuple(lacking.split()))


_ALL = "gmail outlook outlook-com yahoo"
FACTS = (
    _style("css-display-flex", "display", "outlook", "(?:inline-)?flex"),
    _style("css-display-grid", "display", "outlook", "(?:inline-)?grid"),
    _style("css-position", "position", "gmail outlook", "(?:absolute|fixed|relative|sticky)"),
    _style("css-box-shadow", "box-shadow", "gmail outlook yahoo"),
    _style("css-animation", "animation", _ALL),
    _style("css-float", "float", "outlook"),
    _style("css-object-fit", "object-fit", "outlook yahoo"),
    _style("css-transform", "transform", _ALL),
    _style("css-opacity", "opacity", "outlook"),
    _style("css-filter", "filter", _ALL),
    _style("css-gap", "gap", "outlook yahoo"),
    _style("css-clip-path", "clip-path", _ALL),
    _style("css-column-count", "column-count", "outlook yahoo"),
    _style("css-border-image", "border-image", _ALL),
    _style("css-text-shadow", "text-shadow", "gmail outlook outlook-com"),
    _style("css-mix-blend-mode", "mix-blend-mode", "outlook yahoo"),
    _word("css-variables", "var(--…)", r"var\(\s*--", "gmail outlook outlook-com yahoo"),
    _word("css-unit-rem", "rem", r"[:\s][\d.]+rem\b", "outlook yahoo"),
    _word("css-at-font-face", "@font-face", r"@font-face", "gmail outlook-com yahoo"),
    _word("css-at-keyframes", "@keyframes", r"@keyframes", "gmail outlook outlook-com"),
    _word("css-pseudo-element-before", "::before", r"::?before\b", "gmail outlook yahoo"),
    _word("css-at-media-prefers-color-scheme", "prefers-color-scheme", r"prefers-color-scheme",
          "gmail outlook yahoo"),
    _element("html-video", "video", _ALL),
    _element("html-audio", "audio", _ALL),
    _element("html-svg", "svg", _ALL),
    _element("html-picture", "picture", _ALL),
    _word("html-srcset", "srcset", r"\ssrcset\s*=", _ALL),
    _word("image-webp", "WebP pictures", r"\.webp\b", "outlook"),
    _word("image-svg", "SVG pictures", r"\.svg\b", "gmail"),
    _word("image-avif", "AVIF pictures", r"\.avif\b", "outlook"),
)  # fmt: skip


def check(checked: Checked) -> Iterator[Problem]:
    for fact in FACTS:
        match = fact.written.search(checked.mjml)
        if match is None:
            continue
        line = checked.mjml.count("\n", 0, match.start()) + 1
        who = ", ".join(CLIENTS[each] for each in fact.lacking)
        yield Problem("mjml", line, f"{fact.says.split(': (')[0]} is ignored by {who}: see that "
                      "the mail reads well without it.", "clients")  # fmt: skip
