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
_NAMED = (
    re.compile(
        r"(?P<day>\d{1,2})\.?[- /]?(?P<month>[^\W\d_]{3,10})\.?[-, /]*(?P<year>\d{4})(?: .*)?"
    ),
    re.compile(r"(?P<month>[^\W\d_]{3,10})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})"),
    re.compile(r"(?P<year>\d{4})[-/ ](?P<month>[^\W\d_]{3,10})[-/ ](?P<day>\d{1,2})"),
)
_EAST = re.compile(r"(\d{4})[\u5e74\ub144] ?(\d{1,2})[\u6708\uc6d4] ?(\d{1,2})[\u65e5\uc77c]")
_MONTHS = (
    "jan january januar janvier enero ene janeiro gennaio",
    "feb february februar f\u00e9vrier febrero fevereiro febbraio fev",
    "mar march m\u00e4rz m\u00e4r mrz mars marzo mar\u00e7o",
    "apr april avril abril aprile abr avr",
    "may mai mayo maio maggio",
    "jun june juni juin junio junho giugno",
    "jul july juli juillet julio julho luglio",
    "aug august ao\u00fbt agosto ago",
    "sep sept september septembre septiembre setembro settembre set",
    "oct october oktober okt octobre octubre outubro ottobre out",
    "nov november novembre noviembre novembro",
    "dec december dezember dez d\u00e9cembre diciembre dic dezembro dicembre",
)
_BY_NAME = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_SHORT_YEAR = re.compile(r"\d{1,2}[-/. ](?:\d{1,2}|[^\W\d_]{3,10})[-/. ]'?\d{2}(?: .*)?")
_SERIAL = re.compile(r"[1-9]\d{3,4}(?:\.\d+)?")
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
    if (named := _named(text)) is not None:
        return _whole(*named)
    raise NotADay


def _named(text: str) -> tuple[int, int, int] | None:
    """Return year, month and day of a date whose parts cannot be mistaken for each other."""
    if found := _EAST.fullmatch(text):
        year, month, day_ = map(int, found.groups())
        return year, month, day_
    for form in _NAMED:
        if (found := form.fullmatch(text)) and (
            month := _BY_NAME.get(found["month"].casefold(), 0)
        ):
            return int(found["year"]), month, int(found["day"])
    return None


def why_not(text: str, order: str) -> str:
    """Say what is wrong with a text that is no day, without the text."""
    if _SHORT_YEAR.fullmatch(text):
        return "has a year of two digits, of this century or the last; export it with four"
    if _SERIAL.fullmatch(text):
        return "is the number of a day in a spreadsheet; format its column as a date, then export"
    return f"must be a date like {LIKE[order]}"


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
    if _named(text) is not None:
        return True
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
