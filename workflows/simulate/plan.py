"""What is to be simulated, as JSON and as values. Pure.

    {"people": {"kind": "synthetic", "count": 100, "authorized": 0.7, "values": {...}}
             | {"kind": "sample", "count": 500, "segment": ID?}
             | {"kind": "contacts", "contacts": [ID, ...]},
     "starts_at": "2026-03-01T09:00:00-05:00", "days": 90, "seed": 1,
     "messages": {"educate": {"opens": 0.6, "clicks": 0.2, "within": {"days": 2}}},
     "events": [{"event": "appointment.booked", "share": 0.3, "within": {"days": 10}},
                {"event": "consent.revoked", "after": {"days": 4}, "person": 1},
                {"event": "message.clicked", "of": "educate", "after": {"hours": 5}}]}

Times of events count from the start; those of messages from the moment at which each is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from workflows.problems import GraphInvalid, Problem
from workflows.reader import EVENT, ID, Reader

T = TypeVar("T")
MOST_PEOPLE = 10_000
MOST_DAYS = 400
MOST_EVENTS = 100
NOTHING = timedelta(0)


class PlanInvalid(GraphInvalid):
    """The plan cannot be run; it names everything that is wrong with it."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Invented people: so many, this share of them with an authorization, all with these values."""

    count: int = 100
    authorized: float = 1.0
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """So many of a segment, drawn by the seed; of the trigger's where none is named."""

    count: int = 100
    segment: UUID | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    contacts: tuple[UUID, ...]


Whom = Synthetic | Sample | Chosen


@dataclass(frozen=True, slots=True)
class Reaction:
    """What share opens and clicks a message, and how long after it was sent at the latest."""

    opens: float = 0.0
    clicks: float = 0.0
    within: timedelta = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that people do or suffer: this share of them, at a moment in this span."""

    event: str
    share: float = 1.0
    after: timedelta = NOTHING
    within: timedelta = NOTHING
    of: str = ""
    person: int | None = None
    """Counted from 1; nobody else then."""


@dataclass(frozen=True, slots=True)
class TaskEnds:
    """What staff make of the tasks of one step: this share done, this one not; the rest lie."""

    done: float = 1.0
    failed: float = 0.0
    within: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CallEnds:
    """What an endpoint answers at one step: these shares; the rest is never answered."""

    answered: float = 1.0
    failed: float = 0.0
    replies: tuple[float, ...] = ()
    """The share of each reply of the step, in its order."""
    within: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Plan:
    whom: Whom
    starts_at: datetime
    days: int = 90
    seed: int = 1
    messages: Mapping[str, Reaction] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    tasks: Mapping[str, TaskEnds] = field(default_factory=dict)
    calls: Mapping[str, CallEnds] = field(default_factory=dict)
    object_in: timedelta = timedelta(days=7)
    """How long after the start the date of the object lies, such as an appointment."""

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(days=self.days)


def read(raw: object, *, now: datetime) -> Plan:
    """Return the plan, or raise PlanInvalid with every problem there is."""
    problems: list[Problem] = []
    if not isinstance(raw, Mapping):
        raise PlanInvalid([Problem("", "not_an_object", "a plan is a JSON object")])
    reader = Reader(raw, node="", problems=problems)
    plan = Plan(
        whom=_whom(reader.take("people"), problems),
        starts_at=_moment(reader, now=now),
        days=count_in(reader, "days", default=90, most=MOST_DAYS),
        seed=count_in(reader, "seed", default=1, least=0, most=2**31),
        messages=_by_step(reader, "messages", _reaction, problems),
        acts=_acts(reader.take("events"), problems),
        tasks=_by_step(reader, "tasks", _task_ends, problems),
        calls=_by_step(reader, "webhooks", _call_ends, problems),
        object_in=reader.duration("object_in", default=timedelta(days=7)),
    )
    reader.leftover()
    if problems:
        raise PlanInvalid(problems)
    return plan


def _whom(raw: Any, problems: list[Problem]) -> Whom:
    if raw is None:
        return Synthetic()
    if not isinstance(raw, Mapping):
        problems.append(Problem("people", "not_an_object", "people is a JSON object"))
        return Synthetic()
    reader = Reader(raw, node="people", problems=problems)
    kind = reader.take("kind")
    made = _KINDS[kind](reader) if isinstance(kind, str) and kind in _KINDS else None
    if made is None:
        reader.missing("kind", kind, "one of synthetic, sample, contacts")
        return Synthetic()
    reader.leftover()
    return made


def _synthetic(reader: Reader) -> Synthetic:
    values = reader.take("values")
    if values is not None and not isinstance(values, Mapping):
        reader.missing("values", values, "fields of contacts with their values")
        values = None
    count = count_in(reader, "count", default=100, most=MOST_PEOPLE)
    return Synthetic(count, share_in(reader, "authorized", 1.0), dict(values or {}))


def _sample(reader: Reader) -> Sample:
    count = count_in(reader, "count", default=100, most=MOST_PEOPLE)
    segment = reader.take("segment")
    return Sample(count, _uuid(reader, "segment", segment) if segment is not None else None)


def _chosen(reader: Reader) -> Chosen:
    raw = reader.take("contacts")
    if not isinstance(raw, list) or not 0 < len(raw) <= MOST_PEOPLE:
        reader.missing("contacts", raw, f"a list of 1 to {MOST_PEOPLE:,} ids of contacts")
        return Chosen(())
    found = [_uuid(reader, "contacts", one) for one in raw]
    return Chosen(tuple(dict.fromkeys(one for one in found if one is not None)))


_KINDS: Mapping[str, Callable[[Reader], Whom]] = {
    "synthetic": _synthetic,
    "sample": _sample,
    "contacts": _chosen,
}


def _by_step(
    reader: Reader, key: str, read: Callable[[Reader], T], problems: list[Problem]
) -> dict[str, T]:
    """Return what stands under a key for each step, by the step's name."""
    raw = reader.take(key)
    if not isinstance(raw, Mapping):
        if raw is not None:
            problems.append(Problem(key, "not_an_object", f"{key} is a JSON object"))
        return {}
    found = {}
    for step, one in raw.items():
        of_step = inner(one, f"{key}.{step}", problems)
        found[str(step)] = read(of_step)
        of_step.leftover()
    return found


def _reaction(reader: Reader) -> Reaction:
    within = reader.duration("within", default=timedelta(days=2))
    return Reaction(share_in(reader, "opens", 0.0), share_in(reader, "clicks", 0.0), within)


def _task_ends(reader: Reader) -> TaskEnds:
    within = reader.duration("within", default=timedelta(days=1))
    done, failed = share_in(reader, "done", 1.0), share_in(reader, "failed", 0.0)
    if done + failed > 1:
        reader.problem("bad_value", "done and failed are shares of one whole: at most 1 together")
    return TaskEnds(done, failed, within)


def _call_ends(reader: Reader) -> CallEnds:
    within = reader.duration("within", default=timedelta(minutes=1))
    named = [key for key in (f"reply{number}" for number in range(1, 9)) if reader.has(key)]
    replies = tuple(share_in(reader, key, 0.0) for key in named)
    failed = share_in(reader, "failed", 0.0)
    answered = share_in(reader, "answered", max(0.0, 1 - failed - sum(replies)))
    if answered + failed + sum(replies) > 1 + 1e-9:
        reader.problem("bad_value", "the shares are of one whole: at most 1 together")
    return CallEnds(answered, failed, replies, within)


def _acts(raw: Any, problems: list[Problem]) -> tuple[Act, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > MOST_EVENTS:
        message = f"events is a list of at most {MOST_EVENTS}"
        problems.append(Problem("events", "bad_value", message))
        return ()
    return tuple(_act(f"events[{at}]", one, problems) for at, one in enumerate(raw))


def _act(node: str, raw: Any, problems: list[Problem]) -> Act:
    reader = inner(raw, node, problems)
    of = reader.take("of")
    if of is not None and not (isinstance(of, str) and ID.match(of)):
        reader.missing("of", of, "the name of a step that sends")
    person = reader.take("person")
    if person is not None and not (type(person) is int and 0 < person <= MOST_PEOPLE):
        reader.missing("person", person, "the number of one person, from 1 on")
    made = Act(
        event=reader.text("event", pattern=EVENT),
        share=share_in(reader, "share", 1.0),
        after=reader.duration("after", default=NOTHING),
        within=reader.duration("within", default=NOTHING),
        of=of if isinstance(of, str) else "",
        person=person,
    )
    reader.leftover()
    return made


def inner(raw: Any, node: str, problems: list[Problem]) -> Reader:
    if not isinstance(raw, Mapping):
        problems.append(Problem(node, "not_an_object", "it is a JSON object"))
        raw = {}
    return Reader(raw, node=node, problems=problems)


def _moment(reader: Reader, *, now: datetime) -> datetime:
    given = reader.take("starts_at")
    if given is None:
        return now.replace(microsecond=0)
    try:
        moment: datetime | None = datetime.fromisoformat(str(given))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        reader.missing("starts_at", given, "a moment with its zone, as 2026-03-01T09:00:00Z")
        return now
    return moment.astimezone(UTC)


def count_in(reader: Reader, key: str, *, default: int, most: int, least: int = 1) -> int:
    given = reader.take(key)
    if given is None:
        return default
    if type(given) is not int or not least <= given <= most:
        reader.missing(key, given, f"a whole number from {least} to {most:,}")
        return default
    return given


def share_in(reader: Reader, key: str, default: float) -> float:
    given = reader.take(key)
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1:
        reader.missing(key, given, "a share from 0 to 1")
        return default
    return float(given)


def _uuid(reader: Reader, key: str, given: Any) -> UUID | None:
    try:
        return UUID(str(given))
    except ValueError:
        reader.missing(key, given, "an id")
        return None


def checked(plan: Plan, steps: Collection[str]) -> list[Problem]:
    """Return what the plan says of steps that the graph does not have."""
    asked = [(f"messages.{step}", step) for step in plan.messages]
    asked += [(f"events[{at}]", act.of) for at, act in enumerate(plan.acts) if act.of]
    return [
        Problem(node, "unknown_step", f"there is no step {step} that sends a message")
        for node, step in asked
        if step not in steps
    ]
