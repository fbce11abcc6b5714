"""Where somebody is, what the engine asks, and what it may be told. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from workflows.steps import (
    Condition,
    Exit,
    Foreseen,
    Happened,
    InSegment,
    ListChange,
    Send,
    Task,
    Until,
    Update,
    Webhook,
    WriteBack,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: the step, since when, since when inside, and the steps left behind."""

    node: str
    arrived_at: datetime
    entered_at: datetime
    path: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    """Goals that were reached since somebody last looked."""
    fresh: bool = False
    """Came in a moment ago: nobody has looked yet whether this person may."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One step left behind: by which way, from when to when."""

    node: str
    way: str
    arrived_at: datetime
    left_at: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """Nothing to do until `due_at`, or until `waiting_for` is heard."""

    due_at: datetime
    waiting_for: str = ""


@dataclass(frozen=True, slots=True)
class AskSend:
    """Have this message accepted. Answer: True, or TurnedAway."""

    step: Send


@dataclass(frozen=True, slots=True)
class AskHappened:
    """Did a person do this between the two moments, both included? Answer: True or False."""

    happened: Happened
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class AskSegment:
    """Is the person in the segment now? Answer: True or False."""

    condition: InSegment


@dataclass(frozen=True, slots=True)
class AskForeseen:
    """Would such a message reach the person by one of these ways? Answer: True or False.

    Who has stood there since `since` and whose receiver is still not known is answered no.
    """

    condition: Foreseen
    since: datetime


@dataclass(frozen=True, slots=True)
class AskAdmission:
    """May the person come in, by the rules of the trigger? Answer: True or False."""


@dataclass(frozen=True, slots=True)
class AskFirst:
    """Which of the conditions holds first? Answer: Chosen, with -1 for none.

    Events count between the two moments, both included.
    """

    conditions: tuple[Condition, ...]
    since: datetime
    until: datetime
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class AskLot:
    """Which lot does the person draw at this step? Answer: Lot."""

    node: str


@dataclass(frozen=True, slots=True)
class AskClock:
    """Which zones may be the person's, and what is the date? Answer: Clock."""

    step: Until


@dataclass(frozen=True, slots=True)
class AskTask:
    """Have staff do this, and say what became of it. Answer: TaskIs."""

    step: Task
    since: datetime


@dataclass(frozen=True, slots=True)
class AskCall:
    """Call the endpoint, and say what became of it. Answer: CallIs."""

    step: Webhook
    since: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    place: int


@dataclass(frozen=True, slots=True)
class Lot:
    """At least 0 and less than 1, the same for the same person and step each time."""

    drawn: float
    winner: str = ""
    """The arm that takes everybody by now, besides who is held out."""


@dataclass(frozen=True, slots=True)
class Clock:
    """By which clocks the person may live: one, or several where only the State is known."""

    zones: tuple[tzinfo, ...]
    known: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskIs:
    """`open`, `done` or `failed`."""

    state: str


@dataclass(frozen=True, slots=True)
class CallIs:
    """`open`, `answered` or `failed`; `reply` counts from 1, and 0 is any other good answer."""

    state: str
    reply: int = 0


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The message was refused, with the gate's code."""

    code: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The end: `finished`, or why the person left before it, and perhaps where to go on."""

    outcome: str
    exit: Exit | None = None


Ask = (
    AskSend
    | AskHappened
    | AskSegment
    | AskForeseen
    | AskAdmission
    | AskFirst
    | AskLot
    | AskClock
    | AskTask
    | AskCall
)
Answer = bool | TurnedAway | Chosen | Lot | Clock | TaskIs | CallIs | None
Effect = Update | ListChange | WriteBack


@dataclass(frozen=True, slots=True)
class Move:
    way: str
    effect: Effect | None = None


Decision = Move | Stay | Ask | Leave


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far it went: the steps passed, what to do for them, and where and why it stopped."""

    place: Place
    stopped: Stay | Ask | Leave
    passed: tuple[Passed, ...] = ()
    effects: tuple[Effect, ...] = ()
