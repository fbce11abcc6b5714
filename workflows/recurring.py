"""Times that come again by a rule of RFC 5545, on the wall clock of a zone. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from dateutil.rrule import DAILY, rrule, rrulestr

from workflows import clock

HORIZON = timedelta(days=5 * 366)
"""A rule that brings nothing for so long brings nothing: a search without end would hang."""


class RuleInvalid(ValueError):
    """The rule cannot be used; the message says why."""


def read(rule: str, first: datetime) -> rrule:
    """Return the rule from the first wall time on, or raise RuleInvalid."""
    if "COUNT" in rule.upper():
        raise RuleInvalid("count is not known here: say until when with UNTIL")
    try:
        found = rrulestr(rule.replace("Z", ""), dtstart=first)
    except (ValueError, KeyError, TypeError) as wrong:
        raise RuleInvalid("give a rule such as FREQ=WEEKLY;BYDAY=MO") from wrong
    if not isinstance(found, rrule) or vars(found)["_freq"] > DAILY:
        raise RuleInvalid("FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY")
    return found


def following(rule: str, first: datetime, *, zone: tzinfo, after: datetime) -> datetime | None:
    """Return the next moment after `after`; None where the rule is over."""
    wall = after.astimezone(zone).replace(tzinfo=None)
    horizon = max(wall, first) + HORIZON
    found = read(rule, first)
    end = vars(found)["_until"]
    until = min(end, horizon) if end else horizon
    # A wall time of the doubled hour may already lie behind: the next one is taken then.
    for at in found.replace(until=until).xafter(wall - timedelta(hours=1), inc=True):
        if (moment := clock.moment(at, zone)) > after:
            return moment
    return None
