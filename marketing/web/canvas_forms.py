"""What the editor knows of each kind of step: its fields, its ways on, and what can be chosen.

The editor draws its forms from this alone. A kind of step that `workflows.reading` reads and this
page does not describe fails a test, so that nothing which runs can be missing from the editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from accounts.models import User
from contacts import registry
from contacts.models import ContactList
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.web import naming
from marketing.web.timeline import EVENTS
from messaging.models import Template
from workflows.lint import PROTECTED
from workflows.models import Workflow

Type = Literal[
    "choice", "duration", "text", "flag", "again", "condition", "values", "names", "message",
    "either",
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


@dataclass(frozen=True)
class WayForm:
    key: str
    label: str
    optional: bool = False


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
        kind="wait_for",
        label="Wait for an event",
        does="Holds everybody until it happens, or until the time is over.",
        title="{event}, up to {up_to}",
        fields=(
            _EVENT,
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

TRIGGERS = (
    KindForm(
        kind="segment",
        label="by entering a segment",
        does="Everybody who comes to be in it, once.",
        title="Enters {segment}",
        fields=(
            FieldForm(key="segment", label="Segment", type="choice", options="segments"),
            FieldForm(
                key="present", label="Also who is in it when this goes live first", type="flag"
            ),
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
                key="again",
                label="Again for each such event",
                type="again",
                hint="Else each person comes in once.",
            ),
        ),
    ),
    KindForm(
        kind="api",
        label="by an API call or another workflow",
        does="Whom a call names, or another workflow's end sends here.",
        title="Enrolled by an API call",
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
