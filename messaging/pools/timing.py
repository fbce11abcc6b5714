"""When a permitted message goes: within its pool's send window, at the person's best hour.

The window is by the recipient's clock: where the zone is not known, it must be open in every zone
that it may be, as with quiet hours. The best hour is that at which the person, not a program,
opened mails before; without enough of them the message goes at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts import tenancy
from accounts.models import Organisation
from consent import clocks, quiet
from consent.policy import Answer, Hold, Permit, Refusal, refuse
from consent.rulebook import EVERY_DAY, QuietHours
from consent.rules import shelf
from crypto.rows import binary_cursor
from messaging.pools import facts
from messaging.pools.facts import PoolFacts
from messaging.pools.models import Pool

BEST_HOUR, WINDOW = "best_hour", "send_window"
FEWEST = 3
"""Fewer openings say nothing of when a person reads."""
LOOKS_BACK = timedelta(days=180)

_SAYS = {
    BEST_HOUR: (
        "It waits for the hour at which this person opened mails before.",
        "Nothing to do; the choice stands under Settings, Pools.",
    ),
    WINDOW: (
        "It waits for its pool's send window in the recipient's zone.",
        "Nothing to do; change the window under Settings, Pools.",
    ),
}
_OPENED = """
SELECT e.contact_id, extract(hour FROM e.occurred_at AT TIME ZONE a.zone)::int4, count(*)::int4
FROM unnest(%b::int8[], %b::text[]) a (contact_id, zone)
JOIN contacts_event e USING (contact_id)
WHERE e.organisation_id = %b
  AND e.kind IN ('message.opened', 'message.clicked') AND NOT e.machine
  AND e.occurred_at > %b AND e.received_at > %b
GROUP BY 1, 2
"""


def held(
    rows: Sequence[Sequence[Any]], answers: Sequence[Answer], *, now: datetime
) -> list[Answer]:
    """Return the answers, with those held back whose hour has not come.

    Those of a pool whose relay no agreement covers are refused (PR-32).
    """
    known = facts.read()
    answers = [
        answer
        if isinstance(answer, Refusal) or _may_go_by(known[row[10]], row[6], now=now)
        else refuse("no_baa")
        for row, answer in zip(rows, answers, strict=True)
    ]
    pools = {one: each for one, each in known.items() if each.at_best_hour or each.opens}
    timed = [row for row, answer in zip(rows, answers, strict=True) if _timed(row, answer, pools)]
    if not timed:
        return answers
    asked = {row[2] for row in timed if pools[row[10]].at_best_hour and row[12] != BEST_HOUR}
    rules, windowed = shelf.at(now), {row[2] for row in timed if pools[row[10]].opens}
    lives, anywhere = clocks.of(asked | windowed, rules=rules), rules.zones_of("")
    hours = best_hours(asked, lives, home=_home(), now=now) if asked else {}
    numbers = {row[0] for row in timed}
    return [
        _answer(
            row, answer, pools[row[10]], lives.get(row[2], anywhere), hours.get(row[2]), now=now
        )
        if row[0] in numbers and isinstance(answer, Permit)
        else answer
        for row, answer in zip(rows, answers, strict=True)
    ]


def _home() -> str:
    return Organisation.objects.get(id=tenancy.current()).timezone


def _may_go_by(pool: PoolFacts, classes: str, *, now: datetime) -> bool:
    """Say whether whoever carries the pool may have this.

    A provider without an agreement may have what says nothing of the person but the address.
    """
    if pool.may_carry(now.date()):
        return True
    says = frozenset(filter(None, classes.split(","))) - {"contact_point", "engagement"}
    return pool.carrier == Pool.Carrier.PROVIDER and not says


def _timed(row: Sequence[Any], answer: Answer, pools: Mapping[str, PoolFacts]) -> bool:
    return isinstance(answer, Permit) and row[10] in pools


def _answer(
    row: Sequence[Any],
    permit: Permit,
    pool: PoolFacts,
    zones: Sequence[str],
    hour: OwnHour | None,
    *,
    now: datetime,
) -> Answer:
    moment, code = now, ""
    if hour is not None and row[8] == 0:
        moment, code = hour.next(now), BEST_HOUR
        if moment > row[7]:
            moment = now
    if pool.opens and pool.closes:
        opened = within(moment, pool.opens, pool.closes, tuple(zones))
        if opened > moment:
            moment, code = opened, WINDOW
    if moment <= now:
        return permit
    return Hold(code, *_SAYS[code], moment, permit)


def within(moment: datetime, opens: time, closes: time, zones: tuple[str, ...]) -> datetime:
    """Return the first moment from then on at which the window is open in all zones.

    Zones that are never open together are taken one by one: some window must be missed, and a
    message that never goes serves nobody, so the widest overlap of the first zone counts.
    """
    shut = QuietHours("send-window", begins=closes, ends=opens, days=EVERY_DAY)
    found = quiet.next_open(moment, ((shut, zones or ("UTC",)),))
    if found is None:
        found = quiet.next_open(moment, ((shut, zones[:1]),))
    return found or moment


@dataclass(frozen=True, slots=True)
class OwnHour:
    """The hour of the day at which somebody reads, by the clock of a zone."""

    hour: int
    zone: ZoneInfo

    def next(self, now: datetime) -> datetime:
        """Return when it is that hour next; now, where it is that hour.

        Where a clock change skips it, it comes as much later; where it comes twice, the first
        counts.
        """
        there = now.astimezone(self.zone).replace(tzinfo=None)
        if there.hour == self.hour:
            return now
        wall = there.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        if wall < there:
            wall += timedelta(days=1)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)


def best_hours(
    contact_ids: Collection[int], lives: Mapping[int, Sequence[str]], *, home: str, now: datetime
) -> dict[int, OwnHour]:
    """Return when each person reads, by the clock that they live by (`consent.clocks`), else by
    ours; who opened too little has no such hour."""
    since, ids = now - LOOKS_BACK, sorted(contact_ids)
    zones = {one: lives[one][0] if one in lives else home for one in ids}
    seen: dict[int, Counter[int]] = defaultdict(Counter)
    with binary_cursor() as cursor:
        columns = [ids, [zones[one] for one in ids], tenancy.current(), since, since]
        cursor.execute(_OPENED, columns)
        for contact_id, hour, number in cursor.fetchall():
            seen[contact_id][hour] = number
    return {
        one: OwnHour(_best(hours), ZoneInfo(zones[one]))
        for one, hours in seen.items()
        if hours.total() >= FEWEST
    }


def _best(hours: Counter[int]) -> int:
    """Return the hour with most openings, those of its neighbours counting half."""
    return max(
        range(24),
        key=lambda one: (2 * hours[one] + hours[(one - 1) % 24] + hours[(one + 1) % 24], -one),
    )
