"""Can everybody read it? Contrast, headings, words of links and pictures (WCAG 2.2 AA; AC-01)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from messaging.making.checks.checked import Checked, Element, elements
from messaging.sandbox import Problem

_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)", re.IGNORECASE)
_NAMED = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "blue": "#0000ff",
          "green": "#008000", "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0",
          "yellow": "#ffff00", "orange": "#ffa500", "navy": "#000080", "teal": "#008080",
          "purple": "#800080", "maroon": "#800000"}  # fmt: skip
_PIXELS = re.compile(r"([\d.]+)px")
_SHOWING = {"mj-text": "#000000", "mj-table": "#000000", "mj-button": "#ffffff"}
"""Elements with words, and the colour that MJML gives them."""
_HEADING = re.compile(r"h[1-6]")
LEAST_SIZE = 14.0
"""Pixels; smaller words are hard to read on a telephone."""

Rgb = tuple[int, int, int]


def check(checked: Checked) -> Iterator[Problem]:
    found = list(elements(checked.mjml))
    yield from _contrast(found)
    yield from _headings(found)
    yield from _pictures(found)


def colour(said: str) -> Rgb | None:
    """Return red, green and blue of a colour as styles write it; None where it is not plain."""
    said = _NAMED.get(said.strip().lower(), said.strip())
    if match := _HEX.fullmatch(said):
        digits = match[1] if len(match[1]) == 6 else "".join(each * 2 for each in match[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if match := _RGB.fullmatch(said):
        return int(match[1]), int(match[2]), int(match[3])
    return None


def ratio(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours by WCAG, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(rgb: Rgb) -> float:
    parts = [each / 255 for each in rgb]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(found: list[Element]) -> Iterator[Problem]:
    for element in found:
        own = element.style()
        if not element.text() or not (element.name in _SHOWING or "color" in own):
            continue
        if any(each.name == "mj-head" for each in element.around):
            continue
        front, back = _front(element), _back(element)
        if front is None or back is None:
            continue
        least = 3.0 if _large(element) else 4.5
        reached = ratio(front, back)
        if reached < least:
            yield Problem("mjml", element.line, f"<{element.name}>: its words have a contrast of "
                          f"{reached:.1f}; it takes {least} to 1 to be read by all.",
                          "accessibility")  # fmt: skip
        size = _PIXELS.fullmatch(element.given.get("font-size", ""))
        if size and float(size[1]) < LEAST_SIZE and element.name in _SHOWING:
            yield Problem("mjml", element.line, f"<{element.name}>: {size[1]} pixels are small; "
                          f"{LEAST_SIZE:g} or more can be read on a telephone.",
                          "accessibility")  # fmt: skip


def _front(element: Element) -> Rgb | None:
    for each in (element, *reversed(element.around)):
        said = each.style().get("color") or each.given.get("color") or _SHOWING.get(each.name)
        if said:
            return colour(said)
    return None


def _back(element: Element) -> Rgb | None:
    for each in (element, *reversed(element.around)):
        style = each.style()
        said = style.get("background-color") or style.get("background")
        said = said or each.given.get("container-background-color", "")
        said = each.given.get("background-color", "") or said
        if not said and each.name == "mj-button":
            said = "#414141"
        if said:
            return colour(said)
        if each.given.get("background-url") or each.given.get("background"):
            return None  # on a picture nobody can say
    return 255, 255, 255


def _large(element: Element) -> bool:
    said = element.style().get("font-size") or element.given.get("font-size", "13px")
    pixels = _PIXELS.fullmatch(said)
    weight = element.style().get("font-weight") or element.given.get("font-weight", "")
    bold = weight in ("bold", "600", "700", "800", "900")
    return pixels is not None and float(pixels[1]) >= (18.66 if bold else 24.0)


def _headings(found: list[Element]) -> Iterator[Problem]:
    before = 0
    for element in found:
        if not _HEADING.fullmatch(element.name):
            continue
        level = int(element.name[1])
        if level > before + 1:
            yield Problem("mjml", element.line, f"<{element.name}> follows "
                          f"{f'<h{before}>' if before else 'no heading'}: headings go down one "
                          "level at a time.", "accessibility")  # fmt: skip
        if not element.text():
            yield Problem("mjml", element.line, f"<{element.name}> is empty.", "accessibility")
        before = level


def _pictures(found: list[Element]) -> Iterator[Problem]:
    for element in found:
        if element.name not in ("mj-image", "img"):
            continue
        alt, linked = element.given.get("alt", ""), element.given.get("href")
        linked = linked or next((e.name for e in element.around if e.name == "a"), "")
        if linked and not alt.strip():
            yield Problem("mjml", element.line, "A picture that is a link needs an alt that says "
                          "where it leads.", "accessibility")  # fmt: skip
        if re.search(r"\.(png|jpe?g|gif|webp|svg)\s*$", alt, re.IGNORECASE):
            yield Problem("mjml", element.line, f"The alt {alt!r} is a file's name; say what the "
                          "picture shows.", "accessibility")  # fmt: skip
