"""What invented people do with their mails, on the way that real openings and clicks come in.

Some open, some of those follow the first link, and here and there a mail scanner is first. Each is
a visit, judged as every visit is, so the events, Home, the reports and Delivery tell one story.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from messaging.hearing import visits
from messaging.hearing.visits import CLICKED, OPENED, Came
from messaging.models import Link, Message

PROGRAMS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/138.0.0.0 Safari/537.36",
)
SCANNER = Came("Barracuda Sentinel (EE)", method="HEAD")


@dataclass(frozen=True, slots=True)
class Habits:
    """Of a hundred mails: how many are opened, how many lead on, how many a scanner looks at."""

    opened: int = 60
    clicked: int = 40
    scanned: int = 8


def read(
    messages: Iterable[Message], *, until: datetime, seed: int, habits: Habits | None = None
) -> int:
    """Let people read these mails within the hour before `until`; return how many followed a link.

    The messages were handed over before that hour.
    """
    habits, chance = habits or Habits(), random.Random(seed)  # noqa: S311
    rows = list(messages)
    first, clicked = _first_links(rows), 0
    for message in rows:
        at = until - timedelta(seconds=chance.randrange(120, 3_600))
        lot, scanned = chance.randrange(100), chance.randrange(100) < habits.scanned
        number = first.get(message.version_id) if lot < habits.clicked else None
        if scanned and message.handed_over_at is not None:
            _look(message, SCANNER, OPENED, at=message.handed_over_at + timedelta(seconds=1))
        if lot < habits.opened:
            came = Came(chance.choice(PROGRAMS))
            _look(message, came, OPENED, at=at)
            if number is not None:
                _look(message, came, CLICKED, at=at + timedelta(seconds=40), number=number)
                clicked += 1
    while visits.run_once(now=until):
        pass
    return clicked


def _look(
    message: Message, came: Came, kind: str, *, at: datetime, number: int | None = None
) -> None:
    visits.note(message, kind, came, number=number, at=at, now=at)


def _first_links(messages: Iterable[Message]) -> Mapping[UUID, int]:
    """Return the number of each version's first link that leads to a page."""
    links = Link.objects.filter(
        version_id__in={one.version_id for one in messages}, destination__startswith="https:"
    ).order_by("-number")
    return dict(links.values_list("version_id", "number"))
