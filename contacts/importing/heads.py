"""Where the header of a table stands, and what its columns are called. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LINE, REASON = "Line", "Reason"
"""The last columns of refused rows that were downloaded here, to be mended and brought again."""
_SHORT = re.compile(r"the row has (\d{1,4}) cells where the header has")
LOOKED_AT = 50
"""So many rows from the beginning tell how wide the table is."""
DEEPEST = 20


def letter(place: int) -> str:
    """Return a spreadsheet's name of a column: A, B … Z, AA."""
    name, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        name = chr(65 + digit) + name
    return name


def width_of_theirs(header: Sequence[str]) -> int:
    """Return how many columns are the source's own: all, but for ours in refused rows.

    A spreadsheet puts blank columns behind ours where a row had more cells than the header.
    """
    filled = max((place for place, title in enumerate(header, 1) if title.strip()), default=0)
    ours = list(header[max(0, filled - 2) : filled]) == [LINE, REASON]
    return filled - 2 if ours else len(header)


def is_ours(header: Sequence[str]) -> bool:
    """Tell whether these are refused rows that come back."""
    return width_of_theirs(header) < len(header)


def still_short(cells: Sequence[str], theirs: int) -> str:
    """Say what is wrong with a refused row that had too few cells, or nothing where it is mended.

    The download fills it with blanks, which else would pass for cells that say nothing.
    """
    said = _SHORT.match(cells[theirs + 1].strip()) if len(cells) > theirs + 1 else None
    had = int(said[1]) if said else theirs
    if not had < theirs or any(map(str.strip, cells[had:theirs])):
        return ""
    return f"the row has {had} cells where the header has {theirs}; fill it, or empty its {REASON}"


def place_of(rows: Sequence[Sequence[str]]) -> int:
    """Return which of the first rows is the header.

    A title fills a cell or two where the table has many: what fills at most half of the cells that
    most rows fill is none of the table.
    """
    filled = [sum(map(bool, map(str.strip, row))) for row in rows[:LOOKED_AT]]
    if len(filled) < 2:
        return 0
    usual = Counter(filled[1:]).most_common(1)[0][0]
    if usual < 2 or filled[0] * 2 > usual:
        return 0
    found = (place for place, count in enumerate(filled[:DEEPEST]) if count * 2 > usual)
    return next(found, 0)
