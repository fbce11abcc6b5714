"""One report, whatever its format was; and what is asked of every text in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["dmarc", "tls"]
MOST_LINES = 5_000
MOST_COUNTED = 2**53
"""More than any receiver counts in a day; a larger number is a mistake or an attack."""


class ReportRefused(ValueError):
    """It cannot be read as a report; the message says why, with nothing quoted from it."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many mails, or connections, of one source with one result."""

    source: str
    """DMARC: the address that sent; TLS: the host of ours that was written to."""
    count: int
    dkim: bool = False
    spf: bool = False
    """Passed and aligned, as the receiver saw it."""
    disposition: str = ""
    """What the receiver did with the mails: none, quarantine or reject."""
    result: str = ""
    """TLS: the kind of failure (RFC 8460 4.3); empty for connections that were in order."""


@dataclass(frozen=True, slots=True)
class Report:
    kind: Kind
    domain: str
    reporter: str
    number: str
    """The reporter's own; the same report counts once."""
    begins_at: datetime
    ends_at: datetime
    policy: str
    lines: tuple[Line, ...]


def text(value: object, *, most: int, what: str) -> str:
    """Return a short printable text, or raise `ReportRefused`."""
    if not isinstance(value, str) or not (said := value.strip()) or len(said) > most:
        raise ReportRefused(f"Its {what} is missing or too long.")
    if not said.isprintable():
        raise ReportRefused(f"Its {what} has characters that do not belong there.")
    return said


def domain(value: object) -> str:
    return text(value, most=253, what="domain").rstrip(".").lower()


def count(value: object) -> int:
    """Return a number of mails or connections, 0 or more."""
    try:
        number = int(value) if isinstance(value, str | int) else -1
    except ValueError:
        number = -1
    if not 0 <= number <= MOST_COUNTED:
        raise ReportRefused("A count in it is not a number, or too large.")
    return number


def moment(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        raise ReportRefused("Its period cannot be read.") from None


def summed(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return a line for each source and result; raises `ReportRefused` beyond MOST_LINES."""
    found: dict[tuple[str, bool, bool, str, str], int] = {}
    for one in lines:
        key = (one.source, one.dkim, one.spf, one.disposition, one.result)
        found[key] = found.get(key, 0) + one.count
        if len(found) > MOST_LINES:
            raise ReportRefused(f"It has more than {MOST_LINES:,} sources.")
    return tuple(
        Line(source, number, dkim, spf, disposition, result)
        for (source, dkim, spf, disposition, result), number in found.items()
    )
