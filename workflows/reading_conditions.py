"""Read what a step asks, and the steps that choose a way by it or by lot."""

from __future__ import annotations

from collections.abc import Collection

from consent.policy import Purpose
from messaging.protect import DEMANDS, FORESEEN
from workflows.reader import EVENT, ID, NOTHING, Reader
from workflows.steps import (
    ARMS,
    THENS,
    Choose,
    Condition,
    Contest,
    Foreseen,
    Happened,
    InSegment,
    Split,
    Step,
)

PURPOSES = tuple(one.value for one in Purpose)


def condition(reader: Reader, key: str) -> Condition:
    """Engagement with one of this workflow's own messages has `of`; all else is a segment."""
    value = reader.take(key)
    if not isinstance(value, dict) or not value:
        reader.missing(key, value, "a segment's conditions, or an event of one of the messages")
        return InSegment({})
    if "forecast" in value:
        return _foreseen(Reader(value, node=reader.node, problems=reader.problems))
    if "of" not in value:
        return InSegment(value)
    inner = Reader(value, node=reader.node, problems=reader.problems)
    happened = Happened(inner.text("event", pattern=EVENT), inner.text("of", pattern=ID))
    inner.leftover()
    return happened


def _foreseen(reader: Reader) -> Foreseen:
    """{"forecast": ["portal", "blocked"], "purpose": "treatment", "classes": ["clinical"]}"""
    ways = _names(reader, "forecast", FORESEEN)
    purpose = reader.take("purpose")
    if not isinstance(purpose, str) or purpose not in PURPOSES:
        reader.missing("purpose", purpose, f"one of {', '.join(PURPOSES)}")
        purpose = ""
    classes = _names(reader, "classes", DEMANDS) if reader.has("classes") else frozenset()
    reader.leftover()
    return Foreseen(ways, str(purpose), classes)


def _names(reader: Reader, key: str, known: Collection[str]) -> frozenset[str]:
    value = reader.take(key)
    good = (
        isinstance(value, list)
        and value
        and all(isinstance(one, str) and one in known for one in value)
    )
    if not good:
        reader.missing(key, value, f"a list of {', '.join(known)}")
        return frozenset()
    return frozenset(value)


def choose(reader: Reader, node: str) -> Step:
    """Cases are numbered from 1 without a gap: if1 leads to then1, if2 to then2."""
    asked, leads = [], {}
    for number, then in enumerate(THENS, start=1):
        if number > 1 and not reader.has(f"if{number}") and not reader.has(then):
            break
        asked.append(condition(reader, f"if{number}"))
        leads[then] = reader.way(then)
    return Choose(id=node, conditions=tuple(asked), other=reader.way("other"), **leads)


def split(reader: Reader, node: str) -> Step:
    weights, leads = [], {}
    for number, arm in enumerate(ARMS, start=1):
        if number > 2 and not reader.has(f"weight{number}") and not reader.has(arm):
            break
        weights.append(reader.count(f"weight{number}", most=10_000))
        leads[arm] = reader.way(arm)
    hold_out = reader.take("hold_out") or ""
    if hold_out and hold_out not in leads:
        reader.missing("hold_out", hold_out, f"one of {', '.join(leads)}")
        hold_out = ""
    return Split(
        id=node,
        weights=tuple(weights),
        hold_out=hold_out,
        contest=_contest(reader, len(weights) - bool(hold_out)),
        **leads,
    )


def _contest(reader: Reader, arms: int) -> Contest | None:
    """One moment, set beforehand: who looks again and again finds a winner by chance."""
    keys = ("won_by", "won_within", "decided_after")
    if not any(reader.has(key) for key in keys):
        return None
    contest = Contest(
        event=reader.text("won_by", pattern=EVENT),
        within=reader.duration("won_within"),
        after=reader.duration("decided_after"),
    )
    if contest.within >= contest.after > NOTHING:
        reader.problem("bad_value", "decided_after must be longer than won_within")
    if arms < 2:
        reader.problem("bad_value", "won_by needs two arms that are not held out")
    return contest
