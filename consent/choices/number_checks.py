"""Did a number change hands, or does its owner not want calls? Lists out and in (TC-06).

The Reassigned Numbers Database (47 CFR 64.1200(m)) is asked with a number and the day of the
consent to text it, and says whether the number was disconnected since. It takes and gives files,
so everybody can ask it without a contract of ours; whoever has one names an adapter in
`NUMBER_CHECK`. Do-not-call registries (64.1200(c)) give plain lists of numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from accounts import tenancy
from accounts.models import Organisation
from audit import actions, trail
from consent.addresses import SMS
from consent.choices import suppression_files
from consent.choices.suppression_files import MOST, FileRefused, Took
from consent.models import Authorization, PlainPreference, Suppression
from contacts import points
from contacts.canonical import phone_form

REASONS: Final = (Suppression.Reason.REASSIGNED, Suppression.Reason.DO_NOT_CALL)
AT_A_TIME: Final = 1_000
_SAYS: Final[Mapping[str, bool | None]] = {"yes": True, "no": False, "no data": None, "": None}

actions.register("numbers.handed_out", ("count",))
actions.register("numbers.checked", ("count", "reassigned", "problems"))
actions.register("numbers.listed", ("reason", "count", "known", "problems"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A number in the United States and the last day on which its owner agreed to be texted."""

    number: str = field(repr=False)
    on: date


@dataclass(slots=True)
class Checked:
    """What became of answers: how many numbers changed hands, and what is wrong, by line."""

    answers: int = 0
    reassigned: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)


class NumberCheck(Protocol):
    """Asks somebody whether numbers changed hands; a class named in `NUMBER_CHECK`."""

    def reassigned(self, asked: Sequence[Asked]) -> Mapping[str, bool | None]:
        """Return by number whether it was disconnected since the day; None where nobody knows."""
        ...


def asked() -> Iterator[Asked]:
    """Yield the numbers of everybody who agreed to be texted; the caller records who got them."""
    zone = ZoneInfo(Organisation.objects.get(id=tenancy.current()).timezone)
    agreed = _agreed()
    ids = sorted(agreed)
    for at in range(0, len(ids), AT_A_TIME):
        part = ids[at : at + AT_A_TIME]
        reached = points.address_for(part, channel=SMS, now=max(agreed[one] for one in part))
        for one in part:
            number = phone_form(reached[one].value) if one in reached else ""
            if len(number) == 12 and number.startswith("+1"):
                yield Asked(number, agreed[one].astimezone(zone).date())


def _agreed() -> dict[int, datetime]:
    """Return when each last signed for texts, or took the warning about them."""
    signed = Authorization.objects.filter(channels__contains=[SMS], revoked_at=None)
    warned = PlainPreference.objects.filter(channel=SMS, ended_at=None)
    found: dict[int, datetime] = {}
    for rows, name in ((signed, "signed_at"), (warned, "received_at")):
        for one, at in rows.values_list("contact_id").annotate(Max(name)).order_by():
            found[one] = max(at, found.get(one, at))
    return found


def file() -> str:
    """Return the numbers as the database takes them: ten digits and a day, a line each."""
    out = io.StringIO()
    rows = [(one.number.removeprefix("+1"), one.on.isoformat()) for one in asked()]
    csv.writer(out).writerows(rows)
    trail.record("numbers.handed_out", detail={"count": len(rows)})
    return out.getvalue()


def take_answers(data: bytes, *, received_by: str, now: datetime) -> Checked:
    """Take in the database's answers: number, day, and yes, no or no data; yes ends all texts."""
    checked, numbers = Checked(), list[str]()
    for line, cells in _lines(data):
        number, said = _number(cells[0]), cells[-1].strip().lower()
        if not number:
            checked.faults.append((line, "number: give ten digits"))
        elif len(cells) < 2 or said not in _SAYS:
            checked.faults.append((line, "answer: use yes, no or no data in the last column"))
        else:
            checked.answers += 1
            numbers += [number] if _SAYS[said] else []
    return _ended(checked, numbers, received_by=received_by, now=now)


def ask(check: NumberCheck, *, received_by: str, now: datetime) -> Checked:
    """Ask an adapter about everybody, a part at a time."""
    checked, numbers, part = Checked(), list[str](), list[Asked]()
    for one in (*asked(), None):
        if one is not None:
            part.append(one)
        if part and (one is None or len(part) == AT_A_TIME):
            said = check.reassigned(part)
            checked.answers += len(said)
            numbers += [number for number, yes in said.items() if yes]
            part = []
    return _ended(checked, numbers, received_by=received_by, now=now)


def adapter() -> NumberCheck | None:
    """Return the adapter that this installation names, if any."""
    if not settings.NUMBER_CHECK:
        return None
    made: NumberCheck = import_string(settings.NUMBER_CHECK)()
    return made


def take_list(data: bytes, *, reason: str, received_by: str, now: datetime) -> Took:
    """Put every number of a plain list on the suppression list for texts.

    A line is a number, also as area code and number in two columns, as registries give them.
    """
    if reason not in REASONS:
        raise FileRefused(f"reason: use {' or '.join(REASONS)}")
    numbers, faults = list[str](), list[tuple[int, str]]()
    for line, cells in _lines(data):
        if number := _number("".join(cells[:2])) or _number(cells[0]):
            numbers.append(number)
        else:
            faults.append((line, "number: give ten digits"))
    took = _suppressed(numbers, reason, received_by=received_by, now=now)
    took.faults = faults
    trail.record(
        "numbers.listed",
        detail={
            "reason": reason,
            "count": took.added,
            "known": took.known,
            "problems": len(faults),
        },
    )
    return took


def _ended(checked: Checked, numbers: Iterable[str], *, received_by: str, now: datetime) -> Checked:
    took = _suppressed(numbers, Suppression.Reason.REASSIGNED, received_by=received_by, now=now)
    checked.reassigned = took.added + took.known
    trail.record(
        "numbers.checked",
        detail={
            "count": checked.answers,
            "reassigned": checked.reassigned,
            "problems": len(checked.faults),
        },
    )
    return checked


def _suppressed(numbers: Iterable[str], reason: str, *, received_by: str, now: datetime) -> Took:
    lines = [f"{number},{SMS},{reason}" for number in numbers]
    if not lines:
        return Took()
    text = "\n".join(["address,channel,reason", *lines])
    return suppression_files.take(text.encode(), received_by=received_by, now=now)


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that hold a digit; a heading has none and is left out."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("it is not UTF-8; save it as CSV UTF-8 and try again") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in reader:
            if reader.line_num > MOST:
                raise FileRefused(f"it has more than {MOST} lines; split it")
            if any(map(str.isdigit, "".join(cells))):
                yield reader.line_num, cells
    except csv.Error:
        raise FileRefused("it is not CSV; a quotation mark may be missing") from None


def _number(text: str) -> str:
    """Return the number with its country; empty where it is none of the United States."""
    number = phone_form(text)
    return number if len(number) == 12 and number.startswith("+1") else ""
