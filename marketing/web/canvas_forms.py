"""What the editor knows of each kind of step: its fields, its ways on, and what can be chosen.

The editor draws its forms from this alone. A kind of step that `workflows.reading` reads and this
page does not describe fails a test, so that nothing which runs can be missing from the editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from accounts.models import User
from contacts import registry
from contacts.fields import FieldType
from contacts.models import ContactList
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.web import naming
from marketing.web.timeline import EVENTS
from messaging.models import Template
from workflows.lint import PROTECTED
from workflows.models import Workflow
from workflows.steps import MOST_WAYS

Type = Literal[
    "choice", "duration", "text", "flag", "again", "condition", "values", "names", "message",
    "either", "number", "clock", "moment", "weekdays", "pick", "where",
]  # fmt: skip


@dataclass(frozen=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True, kw_only=True)
class FieldForm:
    """One key of a step. `options` names the list to choose from or to be offered."""

    key: str
    label: str
    type: Type
    options: str = ""
    optional: bool = False
    hint: str = ""
    either: tuple[Option, ...] = ()
    after: str = ""
    """Shown once this other key is set: one case after the other."""


@dataclass(frozen=True)
class WayForm:
    key: str
    label: str
    optional: bool = False
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class KindForm:
    """A kind of step or trigger; `title` is what its box says, with fields in braces."""

    kind: str
    label: str
    does: str
    title: str = ""
    fields: tuple[FieldForm, ...] = ()
    ways: tuple[WayForm, ...] = ()


_ON = (WayForm("next", "then"),)
_EVENT = FieldForm(key="event", label="Event", type="text", options="events")

KINDS = (
    KindForm(
        kind="send",
        label="Send a message",
        does="Asks the consent gate, then sends one approved message.",
        title="{template}",
        fields=(
            FieldForm(key="template", label="Message", type="choice", options="templates"),
            FieldForm(
                key="stale_after",
                label="Not later than",
                type="duration",
                optional=True,
                hint="A message that is not out by then is not sent. Two days unless said.",
            ),
        ),
        ways=(WayForm("next", "then"), WayForm("refused", "not permitted", optional=True)),
    ),
    KindForm(
        kind="wait",
        label="Wait",
        does="Holds everybody for a time.",
        title="{for}",
        fields=(FieldForm(key="for", label="For", type="duration"),),
        ways=_ON,
    ),
    KindForm(
        kind="until",
        label="Wait until",
        does="Holds everybody until a date, a time of day or a window, by the clinic's clock.",
        title="{field} {object} {on} {before} {after} {at} {from} {to} {weekdays}",
        fields=(
            FieldForm(
                key="field",
                label="A date of the contact",
                type="choice",
                options="dates",
                optional=True,
                hint="Followed when it changes. Leave dates empty to wait for the clock alone.",
            ),
            FieldForm(
                key="object",
                label="The date of what people came in for, such as the appointment",
                type="flag",
                optional=True,
            ),
            FieldForm(key="on", label="A fixed date", type="moment", optional=True),
            FieldForm(key="before", label="So long before it", type="duration", optional=True),
            FieldForm(key="after", label="So long after it", type="duration", optional=True),
            FieldForm(key="at", label="At", type="clock", optional=True),
            FieldForm(
                key="from",
                label="Not before",
                type="clock",
                optional=True,
                hint="With “not after”, a window; it may cross midnight.",
            ),
            FieldForm(key="to", label="Not after", type="clock", optional=True),
            FieldForm(
                key="weekdays",
                label="Only on",
                type="weekdays",
                optional=True,
                hint="No day chosen means every day.",
            ),
        ),
        ways=(WayForm("next", "then"), WayForm("late", "no date, or it is over", optional=True)),
    ),
    KindForm(
        kind="wait_for",
        label="Wait for an event",
        does="Holds everybody until it happens or becomes true, or until the time is over.",
        title="{event}{if}, up to {up_to}",
        fields=(
            FieldForm(
                key="event",
                label="Event",
                type="text",
                options="events",
                optional=True,
                hint="An event, or below it a condition: one of the two.",
            ),
            FieldForm(
                key="if",
                label="Until true",
                type="condition",
                options="segments",
                optional=True,
            ),
            FieldForm(
                key="of",
                label="About the message of",
                type="message",
                optional=True,
                hint="For opens and clicks: which of the messages before this step.",
            ),
            FieldForm(key="up_to", label="Up to", type="duration"),
        ),
        ways=(WayForm("heard", "yes, in time"), WayForm("unheard", "no, time over")),
    ),
    KindForm(
        kind="branch",
        label="Branch",
        does="Sends people one way or the other.",
        title="{if}",
        fields=(FieldForm(key="if", label="Asks", type="condition"),),
        ways=(WayForm("yes", "yes"), WayForm("no", "no")),
    ),
    KindForm(
        kind="choose",
        label="Choose a way",
        does="Asks in order; the first yes decides, and the last way takes everybody else.",
        title="{if1} {if2} {if3} {if4} {if5} {if6} {if7} {if8}",
        fields=tuple(
            FieldForm(
                key=f"if{number}",
                label=f"Case {number} asks",
                type="condition",
                optional=number > 1,
                after=f"if{number - 1}" if number > 1 else "",
            )
            for number in range(1, MOST_WAYS + 1)
        ),
        ways=(
            *(
                WayForm(
                    f"then{number}",
                    f"case {number}",
                    optional=number > 1,
                    after=f"if{number}" if number > 1 else "",
                )
                for number in range(1, MOST_WAYS + 1)
            ),
            WayForm("other", "none of these"),
        ),
    ),
    KindForm(
        kind="split",
        label="Split by lot",
        does="Sends people on at random, in these proportions; each keeps the lot once drawn.",
        title=f"Lot {{weight1}} : {' '.join(f'{{weight{n}}}' for n in range(2, MOST_WAYS + 1))}",
        fields=(
            *(
                FieldForm(
                    key=f"weight{number}",
                    label=f"Share of arm {number}",
                    type="number",
                    optional=number > 2,
                    after=f"weight{number - 1}" if number > 2 else "",
                )
                for number in range(1, MOST_WAYS + 1)
            ),
            FieldForm(
                key="hold_out",
                label="Compared against",
                type="pick",
                optional=True,
                hint="The arm that is held out, to measure what the others bring.",
                either=tuple(
                    Option(f"arm{number}", f"Arm {number}") for number in range(1, MOST_WAYS + 1)
                ),
            ),
        ),
        ways=tuple(
            WayForm(
                f"arm{number}",
                f"arm {number}",
                optional=number > 2,
                after=f"weight{number}" if number > 2 else "",
            )
            for number in range(1, MOST_WAYS + 1)
        ),
    ),
    KindForm(
        kind="goal",
        label="Goal",
        does="Reached from anywhere, as soon as the event is heard. Lead no way to it.",
        title="{event}: {then}",
        fields=(
            _EVENT,
            FieldForm(
                key="segment",
                label="About the segment",
                type="choice",
                options="segments",
                optional=True,
                hint="For entering and leaving segments.",
            ),
            FieldForm(
                key="then",
                label="Who reaches it",
                type="pick",
                either=(
                    Option("exit", "leaves"),
                    Option("jump", "goes on from here"),
                    Option("count", "is counted and stays"),
                ),
            ),
        ),
        ways=(WayForm("next", "goes on to", optional=True),),
    ),
    KindForm(
        kind="task",
        label="Ask staff",
        does="Opens a task for staff; what they say became of it decides the way.",
        title="Staff: {title}",
        fields=(
            FieldForm(
                key="title",
                label="What to do",
                type="text",
                hint="Whoever sees tasks reads this: name no condition and no person.",
            ),
            FieldForm(key="due", label="Within", type="duration"),
        ),
        ways=(
            WayForm("done", "done"),
            WayForm("failed", "not done"),
            WayForm("overdue", "time over"),
        ),
    ),
    KindForm(
        kind="update",
        label="Change the contact",
        does="Sets or clears fields that a workflow may change.",
        title="{set} {clear}",
        fields=(
            FieldForm(
                key="set",
                label="Set",
                type="values",
                options="fields",
                hint="Not identity, addresses or clinical facts: those come from their source.",
            ),
            FieldForm(
                key="clear",
                label="Clear",
                type="names",
                optional=True,
                hint="Names of fields, with commas.",
            ),
        ),
        ways=_ON,
    ),
    KindForm(
        kind="list",
        label="Change a list",
        does="Adds people to a list, or removes them.",
        title="{list}",
        fields=(
            FieldForm(
                key="list",
                label="List",
                type="either",
                options="lists",
                either=(Option("add", "Add to"), Option("remove", "Remove from")),
            ),
        ),
        ways=_ON,
    ),
    KindForm(
        kind="exit",
        label="End",
        does="Ends the way, or sends people on to another workflow.",
        title="",
        fields=(
            FieldForm(
                key="enter",
                label="Go on to the workflow",
                type="choice",
                options="workflows",
                optional=True,
            ),
        ),
    ),
)

_RULES = (
    FieldForm(
        key="only",
        label="Only who is in",
        type="choice",
        options="segments",
        optional=True,
        hint="Looked at once, when a person comes in.",
    ),
    FieldForm(
        key="never",
        label="Nobody who is in",
        type="choice",
        options="segments",
        optional=True,
    ),
    FieldForm(
        key="per_hour",
        label="At most so many each hour",
        type="number",
        optional=True,
        hint="The others wait for the next hours.",
    ),
    FieldForm(
        key="stops",
        label="People leave when this happens",
        type="names",
        options="events",
        optional=True,
        hint="Names of events with commas, such as consent.opted_out.",
    ),
)
_AGAIN = FieldForm(
    key="again",
    label="The same person again",
    type="again",
    optional=True,
    either=(
        Option("", "never"),
        Option("after_leaving", "after leaving"),
        Option("period", "after a time"),
    ),
)

TRIGGERS = (
    KindForm(
        kind="segment",
        label="by entering or leaving a segment",
        does="Everybody who comes to be in it, or leaves it.",
        title="{on} {segment}",
        fields=(
            FieldForm(key="segment", label="Segment", type="choice", options="segments"),
            FieldForm(
                key="on",
                label="When a person",
                type="pick",
                optional=True,
                either=(Option("entered", "Enters"), Option("left", "Leaves")),
            ),
            FieldForm(
                key="present", label="Also who is in it when this goes live first", type="flag"
            ),
            FieldForm(key="stays", label="Who leaves the segment leaves this too", type="flag"),
            _AGAIN,
            *_RULES,
        ),
    ),
    KindForm(
        kind="event",
        label="by an event",
        does="Everybody whom it happens to.",
        title="{event}",
        fields=(
            _EVENT,
            FieldForm(
                key="where",
                label="Only if the event says",
                type="where",
                optional=True,
            ),
            replace(
                _AGAIN,
                either=(_AGAIN.either[0], Option("each", "for each event"), *_AGAIN.either[1:]),
            ),
            FieldForm(
                key="key",
                label="Once for each",
                type="text",
                optional=True,
                hint="The property that tells one appointment or order from another.",
            ),
            FieldForm(
                key="date",
                label="Its date stands in",
                type="text",
                optional=True,
                after="key",
                hint="The property with the moment of the appointment.",
            ),
            FieldForm(
                key="moved",
                label="It is moved by",
                type="names",
                options="events",
                optional=True,
                after="key",
            ),
            *_RULES,
        ),
    ),
    KindForm(
        kind="schedule",
        label="by a schedule",
        does="Everybody in a segment, again and again, on the clinic's clock.",
        title="By schedule: {segment}, from {first}",
        fields=(
            FieldForm(key="segment", label="Segment", type="choice", options="segments"),
            FieldForm(key="first", label="From", type="moment"),
            FieldForm(
                key="rule",
                label="Comes again",
                type="text",
                options="rules",
                hint="A rule of calendars (RFC 5545).",
            ),
            replace(_AGAIN, either=(_AGAIN.either[0], Option("each", "each time"))),
            *_RULES,
        ),
    ),
    KindForm(
        kind="api",
        label="by an API call or another workflow",
        does="Whom a call names, or another workflow's end sends here.",
        title="Enrolled by an API call",
        fields=_RULES,
    ),
)

_ENGAGEMENT = ("message.opened", "message.clicked", "message.bounced", "message.unsubscribed")


def forms(user: User) -> dict[str, Any]:
    """Return the forms and what this member of staff may choose from."""
    return {
        "kinds": [asdict(one) for one in KINDS],
        "triggers": [asdict(one) for one in TRIGGERS],
        "options": {name: _plain(options) for name, options in _options(user).items()},
    }


def _options(user: User) -> Mapping[str, Iterable[Option]]:
    clinical = "clinical" in user.data_classes
    segments = Segment.objects.filter(archived_at=None)
    templates = Template.objects.filter(archived_at=None).order_by("name")
    workflows = Workflow.objects.exclude(state=Workflow.State.CLOSED).order_by("name")
    return {
        "templates": [Option(str(one.id), one.name) for one in templates],
        "segments": sorted(
            (Option(str(one.id), catalogue.titled(one, clinical=clinical)) for one in segments),
            key=lambda one: one.label.casefold(),
        ),
        "lists": [Option(str(one.id), one.name) for one in ContactList.objects.all()],
        "workflows": [Option(str(one.id), one.name) for one in workflows],
        "events": [Option(kind, words) for kind, words in EVENTS.items()],
        "engagement": [Option(kind, EVENTS[kind]) for kind in _ENGAGEMENT],
        "rules": [
            Option("FREQ=DAILY", "every day"),
            Option("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "on working days"),
            Option("FREQ=WEEKLY;BYDAY=MO", "every Monday"),
            Option("FREQ=MONTHLY;BYMONTHDAY=1", "on the first of each month"),
            Option("FREQ=YEARLY", "every year"),
        ],
        "dates": [
            Option(field.key, field.label)
            for field in naming.fields_for(registry.current().values(), user)
            if field.type in (FieldType.DATE, FieldType.DATETIME)
        ],
        "fields": [
            Option(field.key, field.label)
            for field in naming.fields_for(registry.current().values(), user)
            if field.data_class not in PROTECTED and not field.derived_from and not field.is_list
        ],
    }


def _plain(options: Iterable[Option]) -> list[dict[str, str]]:
    return [asdict(one) for one in options]


def drawable(draft: object) -> bool:
    """Tell whether the editor can hold the draft: steps with a name and a kind, however unsound."""
    if not isinstance(draft, dict) or not isinstance(draft.get("nodes"), list):
        return False
    nodes: Sequence[object] = draft["nodes"]
    named = [one["id"] for one in nodes if _named(one) and isinstance(one, dict)]
    return (
        len(named) == len(nodes) == len(set(named))
        and _has_kind(draft.get("trigger"))
        and isinstance(draft.get("start", ""), str)
    )


def _named(step: object) -> bool:
    return isinstance(step, dict) and isinstance(step.get("id"), str) and _has_kind(step)


def _has_kind(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("kind"), str)
