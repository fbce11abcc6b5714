"""What each step, and what lets people in, is called on a drawing: in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marketing.web.timeline import words
from messaging.protect import FORESEEN
from workflows.entry import Trigger
from workflows.steps import (
    Branch,
    Choose,
    Condition,
    Exit,
    Foreseen,
    Goal,
    Happened,
    ListChange,
    Send,
    Split,
    Step,
    Task,
    Until,
    Update,
    Wait,
    WaitFor,
    Webhook,
    WriteBack,
)

NOTHING = timedelta(0)
OURS, THEIRS = "in our time", "in their local time"


@dataclass(frozen=True)
class Names:
    """What ids are called; an unknown one is shown as such."""

    templates: Mapping[UUID, str] = field(default_factory=dict)
    lists: Mapping[UUID, str] = field(default_factory=dict)
    segments: Mapping[UUID, str] = field(default_factory=dict)
    workflows: Mapping[UUID, str] = field(default_factory=dict)
    endpoints: Mapping[UUID, str] = field(default_factory=dict)
    forms: Mapping[UUID, str] = field(default_factory=dict)


def title(step: Step, names: Names) -> str:
    """Return what the step does, in a few words."""
    return _TITLES[type(step)](step, names)


def entry(trigger: Trigger, names: Names) -> str:
    if trigger.kind == "schedule" and trigger.segment and trigger.first:
        known = names.segments.get(trigger.segment, "a segment")
        return f"By schedule: {known}, from {_moment(trigger.first)}"
    if trigger.form is not None:
        return f"Completes {names.forms.get(trigger.form, 'a form')}"
    if trigger.kind == "date" and trigger.at is not None:
        field = trigger.field.replace("_", " ")
        days = abs(trigger.days)
        away = f"{days} day{'' if days == 1 else 's'} {'before' if trigger.days < 0 else 'after'} "
        return f"{away if days else 'On '}{field}, at {trigger.at:%H:%M}"
    if trigger.kind == "segment" and trigger.segment:
        does = "Leaves" if trigger.left else "Enters"
        return f"{does} {names.segments.get(trigger.segment, 'a segment')}"
    return words(trigger.event) if trigger.kind == "event" else "Enrolled by an API call"


def _moment(at: datetime) -> str:
    return f"{at:%b} {at.day}, {at:%Y %H:%M}"


def _send(step: Send, names: Names) -> str:
    return names.templates.get(step.template, "An unknown template")


def _wait(step: Wait, names: Names) -> str:
    return f"Wait {duration(step.patience)}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _until(step: Until, names: Names) -> str:
    parts = []
    if step.offset:
        parts.append(
            f"{duration(abs(step.offset))} {'after' if step.offset > NOTHING else 'before'}"
        )
    if step.dated:
        date = "its date" if step.of_object else step.field.replace("_", " ")
        parts.append(_moment(step.on) if step.on else date)
    hours = step.hours
    if hours.at is not None:
        parts.append(f"at {hours.at:%H:%M}")
    if hours.opens is not None and hours.closes is not None:
        parts.append(f"within {hours.opens:%H:%M} to {hours.closes:%H:%M}")
    days = ", ".join(_DAYS[day] for day in sorted(hours.weekdays))
    told = [*parts, *([f"on {days}"] if days else []), OURS if step.ours else THEIRS]
    return f"Until {' '.join(told)}"


def _choose(step: Choose, names: Names) -> str:
    return " ".join(_asked(condition, names) for condition in step.conditions)


def _split(step: Split, names: Names) -> str:
    return f"Lot {' : '.join(str(weight) for weight in step.weights)}"


_THEN = {"exit": "leaves", "jump": "goes on here", "count": "counted"}


def _goal(step: Goal, names: Names) -> str:
    about = f" {names.segments.get(step.segment, 'a segment')}" if step.segment else ""
    return f"{words(step.event)}{about}: {_THEN[step.then]}"


def _task(step: Task, names: Names) -> str:
    return f"Staff: {step.title}"


def _webhook(step: Webhook, names: Names) -> str:
    return f"Call {names.endpoints.get(step.endpoint, 'an unknown endpoint')}"


def _write_back(step: WriteBack, names: Names) -> str:
    return f"Tell the record: {words(step.event)}"


def _wait_for(step: WaitFor, names: Names) -> str:
    if step.condition is not None:
        return f"{_asked(step.condition, names)} Up to {duration(step.patience)}"
    return f"{words(step.event)}, up to {duration(step.patience)}"


def _branch(step: Branch, names: Names) -> str:
    return _asked(step.condition, names)


def _asked(condition: Condition, names: Names) -> str:
    if isinstance(condition, Happened):
        return f"{words(condition.event)}?"
    if isinstance(condition, Foreseen):
        return f"Reached by {' or '.join(_foreseen(condition))}?"
    segment = condition.definition.get("segment")
    known = names.segments.get(UUID(str(segment))) if segment else None
    return f"In {known}?" if known else "Meets the conditions?"


def _foreseen(condition: Foreseen) -> list[str]:
    return [label for name, label in FORESEEN.items() if name in condition.ways]


def _update(step: Update, names: Names) -> str:
    parts = [f"Set {', '.join(step.values)}"] if step.values else []
    parts += [f"Add to {', '.join(step.add)}"] if step.add else []
    return "; ".join([*parts, *([f"Clear {', '.join(step.clear)}"] if step.clear else [])])


def _list(step: ListChange, names: Names) -> str:
    name = names.lists.get(step.list_id, "an unknown list")
    return f"Add to {name}" if step.add else f"Remove from {name}"


def _exit(step: Exit, names: Names) -> str:
    if step.enter is None:
        return "Exit"
    return f"Go on to {names.workflows.get(step.enter, 'another workflow')}"


_TITLES: Mapping[type, Callable[[Any, Names], str]] = {
    Send: _send,
    Wait: _wait,
    Until: _until,
    WaitFor: _wait_for,
    Branch: _branch,
    Choose: _choose,
    Split: _split,
    Goal: _goal,
    Task: _task,
    Webhook: _webhook,
    WriteBack: _write_back,
    Update: _update,
    ListChange: _list,
    Exit: _exit,
}


def duration(patience: timedelta) -> str:
    """Return a length of time in its largest whole unit."""
    for seconds, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count, rest = divmod(int(patience.total_seconds()), seconds)
        if count and not rest:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{patience.total_seconds():.0f} seconds"
