"""Days and numbers as files write them. A form is chosen, or guessed where only one fits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

ISO, MDY, DMY, COMPACT = "iso", "mdy", "dmy", "compact"
ORDERS = {
    ISO: "1970-12-31",
    MDY: "12/31/1970 (month first)",
    DMY: "31/12/1970 or 31.12.1970 (day first)",
    COMPACT: "19701231",
}
LIKE = {ISO: "1970-12-31", MDY: "12/31/1970", DMY: "31/12/1970", COMPACT: "19701231"}

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_PARTS = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: .*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?")


class NotADay(ValueError):
    """The text is no day in the form that was chosen."""


@lru_cache(maxsize=65_536)
def day(text: str, order: str) -> str:
    """Return the day as `YYYY-MM-DD`. The year first is read under every form: it has one meaning.

    Years of two digits are refused: 61 is 1961 or 2061.
    """
    if found := _ISO.fullmatch(text):
        return _whole(*map(int, found.groups()))
    if order == COMPACT and (found := _COMPACT.fullmatch(text)):
        return _whole(*map(int, found.groups()))
    if order in (MDY, DMY) and (found := _PARTS.fullmatch(text)):
        first, second, year = map(int, found.groups())
        return _whole(year, first, second) if order == MDY else _whole(year, second, first)
    raise NotADay


def _whole(year: int, month: int, day_: int) -> str:
    try:
        return date(year, month, day_).isoformat()
    except ValueError:
        raise NotADay from None


def guess(texts: Iterable[str]) -> str:
    """Return the only form in which the texts are written, or "" where several are possible.

    A text that is no date in any form tells nothing, and the 31st of February that days go first:
    its row is refused with its line, and the others are no less clear for it.
    """
    left = {ISO, MDY, DMY, COMPACT}
    read = unread = 0
    for text in texts:
        possible = {order for order in ORDERS if _is_written(text, order)}
        left &= possible or left
        read, unread = read + bool(possible), unread + (not possible)
    if unread and not read:
        return ""
    # The year first is read under every form, so it alone leaves all four standing.
    return ISO if ISO in left else left.pop() if len(left) == 1 else ""


def _is_written(text: str, order: str) -> bool:
    """Whether a text is written in this form, though there may be no such day."""
    if (found := _ISO.fullmatch(text)) or (
        order == COMPACT and (found := _COMPACT.fullmatch(text))
    ):
        _, month, day_ = found.groups()
    elif order in (MDY, DMY) and (found := _PARTS.fullmatch(text)):
        month, day_ = found.groups()[:2] if order == MDY else found.groups()[1::-1]
    else:
        return False
    return 1 <= int(month) <= 12 and 1 <= int(day_) <= 31


def number(text: str, *, comma: bool) -> str:
    """Return the number with a decimal point. With `comma`, `1.234,5` is 1234.5."""
    if not comma:
        return text
    if _THOUSANDS.fullmatch(text):
        text = text.replace(".", "")
    return text.replace(",", ".")
