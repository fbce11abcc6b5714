"""One simulated person: where they are, what they got and did, and the timeline of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflows.asks import Answer, Passed, Place


@dataclass(frozen=True, slots=True)
class Did:
    """Something that happened to the person in the simulation; `of` names the step's message."""

    event: str
    at: datetime
    of: str = ""


@dataclass(slots=True)
class Mail:
    """The message of one step: queued, sent, refused or failed, and since when."""

    node: str
    state: str
    due_at: datetime
    not_after: datetime
    asked_at: datetime
    code: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: when, what, at which step, and the reason or the way."""

    at: datetime
    what: str
    node: str = ""
    detail: str = ""


@dataclass(slots=True)
class Person:
    """`number` counts from 1; `contact_id` is below zero for people who were invented."""

    number: int
    contact_id: int
    place: Place
    answer: Answer = None
    due_at: datetime | None = None
    waiting_for: str = ""
    outcome: str = ""
    """Empty while inside; then as an enrolment says it."""
    ended_at: datetime | None = None
    held: str = ""
    """Why the person cannot move for as long as the simulation lasts."""
    agreed: bool = True
    """Held an authorization that was live at the start."""
    passed: list[Passed] = field(default_factory=list)
    mails: dict[str, Mail] = field(default_factory=dict)
    did: list[Did] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    """Fields that steps set, as segments read them; None where one was cleared."""
    tasks: set[str] = field(default_factory=set)
    """Steps that asked staff to do something for this person."""
    lists: dict[Any, bool] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    @property
    def inside(self) -> bool:
        return self.ended_at is None

    @property
    def touched(self) -> bool:
        """Something happened in the simulation that the database knows nothing of."""
        return bool(self.did or self.changed or self.lists)

    def note(self, at: datetime, what: str, node: str = "", detail: str = "") -> None:
        self.lines.append(Line(at, what, node, detail))

    def leave(self, outcome: str, *, at: datetime) -> None:
        self.outcome, self.ended_at = outcome, at
        self.due_at, self.waiting_for = None, ""
        self.note(at, "left", self.place.node, outcome)

    def told(self) -> list[list[str]]:
        """Return the timeline as JSON."""
        return [[one.at.isoformat(), one.what, one.node, one.detail] for one in self.lines]

    @property
    def sent(self) -> list[datetime]:
        return sorted(one.sent_at for one in self.mails.values() if one.sent_at is not None)
