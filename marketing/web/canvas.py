"""A workflow's graph and its funnel, in words and figures, for the canvas and for its table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from accounts.models import User
from accounts.roles import Permission
from consent import completed
from contacts.models import ContactList
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.web.canvas_words import Names, entry, title
from marketing.web.workflow_figures import Teller
from messaging.models import Template
from workflows.contests import deciding
from workflows.funnel import StepCount
from workflows.graph import Graph, parse
from workflows.models import Workflow, WorkflowVersion
from workflows.steps import (
    ARMS,
    THENS,
    Branch,
    Choose,
    Exit,
    Goal,
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
    ways,
)
from workflows.webhooks import endpoints

__all__ = [
    "ENTRY", "KINDS", "Funnel", "Names", "names", "names_for", "plan", "plan_of", "title", "way",
    "way_label",
]  # fmt: skip
ENTRY = "trigger"
"""The box above the first step; no step can be named so, ids have their own set of characters."""


@dataclass(frozen=True)
class Funnel:
    """How many entered, and what became of them at each step, as the reader may be told."""

    entered: int
    steps: Mapping[str, StepCount]
    tell: Teller

    def figure(self, label: str, node: str, what: str, count: int) -> dict[str, str]:
        return {"label": label, "value": str(self.tell(node, what, count))}


def names(user: User) -> Names:
    """Return what this member of staff may know the organisation's things as."""
    return names_for(user.data_classes)


def names_for(granted: Collection[str]) -> Names:
    """Return what whoever sees these classes may know the organisation's things as."""
    clinical = "clinical" in granted
    return Names(
        templates=dict(Template.objects.values_list("id", "name")),
        lists={one.id: one.name for one in ContactList.objects.all()},
        segments={
            one.id: catalogue.titled(one, clinical=clinical) for one in Segment.objects.all()
        },
        workflows=dict(Workflow.objects.values_list("id", "name")),
        endpoints=endpoints.titled(),
        forms=completed.there(),
    )


def plan_of(
    version: WorkflowVersion, *, names: Names, funnel: Funnel, reader: User
) -> dict[str, Any]:
    """Return the plan of a published version, with its figures of now."""
    steps = funnel.steps
    drawn = plan(parse(version.graph), names=names, funnel=funnel)
    decided = deciding.verdicts(version.pk)
    for box in drawn["steps"]:
        if box["id"] in decided:
            winner, why = decided[box["id"]]
            box["figures"].append({"label": "winner", "value": winner})
            if funnel.tell.reader.exact:
                box["detail"] = f"{box['detail']}. {why[:1].upper()}{why[1:]}"
        inside = box["id"] in steps and steps[box["id"]].inside
        if inside and may_list(version, box["id"], reader):
            box["href"] = reverse(
                "workflow-people", args=[version.workflow_id, version.number, box["id"]]
            )
    return drawn


def may_list(version: WorkflowVersion, node: str, reader: User) -> bool:
    """Whether this member of staff may see who waits there: it says what the way there asked."""
    asked = set(version.path_classes.get(node, ()))
    return reader.may(Permission.CONTACTS_VIEW) and asked <= reader.data_classes


def plan(graph: Graph, *, names: Names, funnel: Funnel | None = None) -> dict[str, Any]:
    """Return what the canvas draws."""
    begins = {
        "id": ENTRY,
        "kind": "trigger",
        "title": entry(graph.trigger, names),
        "detail": "",
        "figures": [funnel.figure("entered", "", "entered", funnel.entered)] if funnel else [],
    }
    steps = [graph.steps[node] for node in graph.in_order()]
    into = str(funnel.tell("", "entered", funnel.entered)) if funnel else ""
    first = {
        "from": ENTRY,
        "to": graph.start,
        "branch": "next",
        "label": into,
        "weight": 1.0 if into else 0.0,
    }
    return {
        "steps": [begins, *(_box(step, names, funnel) for step in steps)],
        "ways": [first, *(way for step in steps for way in _ways(step, funnel))],
    }


def _box(step: Step, names: Names, funnel: Funnel | None) -> dict[str, Any]:
    return {
        "id": step.id,
        "kind": KINDS[type(step)],
        "title": title(step, names),
        "detail": f"Step {step.id}",
        "figures": _figures(step, funnel) if funnel else [],
        "bar": _bar(step, funnel) if funnel else None,
    }


def _bar(step: Step, funnel: Funnel) -> dict[str, int] | None:
    """Of those who came, how many per cent left here, and how many are here: as they are told."""
    count = funnel.steps[step.id]
    came = funnel.tell(step.id, "arrived", count.arrived).number
    if not came:
        return None
    parts = {"left": ("lost", count.lost), "here": ("inside", count.inside)}
    told = {name: funnel.tell(step.id, *part).number or 0 for name, part in parts.items()}
    return {name: min(100, round(100 * number / came)) for name, number in told.items()}


KINDS: Mapping[type, str] = {
    Send: "send",
    Wait: "wait",
    Until: "until",
    WaitFor: "wait_for",
    Branch: "branch",
    Choose: "choose",
    Split: "split",
    Goal: "goal",
    Task: "task",
    Webhook: "webhook",
    WriteBack: "write_back",
    Update: "update",
    ListChange: "list",
    Exit: "exit",
}


def _figures(step: Step, funnel: Funnel) -> list[dict[str, str]]:
    count = funnel.steps[step.id]
    reached, here = count.arrived, count.inside
    if isinstance(step, Exit):
        return [funnel.figure("reached the end", step.id, "arrived", reached)]
    came = funnel.figure("came", step.id, "arrived", reached)
    lost = [funnel.figure("left", step.id, "lost", count.lost)] if count.lost else []
    if isinstance(step, Wait | Until | WaitFor | Task | Webhook):
        return [came, funnel.figure("waiting", step.id, "inside", here), *lost]
    figures = [came]
    if isinstance(step, Send):
        mail = {state: count.mail[state] for state in _MAIL}
        figures += [
            funnel.figure(_MAIL[state], step.id, f"mail {state}", many)
            for state, many in mail.items()
            if many
        ]
    inside = [funnel.figure("here now", step.id, "inside", here)] if here else []
    return [*figures[:2], *lost, *inside, *figures[2:]]


_MAIL = {"sent": "sent", "refused": "refused", "failed": "failed", "unknown": "unclear"}
"""In the order in which a narrow box has room for them."""


_WAYS = {
    "yes": "yes",
    "no": "no",
    "heard": "yes, in time",
    "unheard": "no, time over",
    "late": "no date, or it is over",
    "other": "none of these",
    "done": "done",
    "failed": "not done",
    "overdue": "time over",
    "answered": "answered",
    **{way: f"case {number}" for number, way in enumerate(THENS, start=1)},
    **{way: f"arm {number}" for number, way in enumerate(ARMS, start=1)},
}


def way(name: str) -> str:
    """What a way out of a step is called."""
    return _WAYS.get(name, name)


def way_label(name: str) -> str:
    """What stands on a line: nothing where a step has but one way on."""
    return "" if name in ("next", "goal", "reached") else _WAYS.get(name, name)


def _ways(step: Step, funnel: Funnel | None) -> list[dict[str, Any]]:
    return [
        {
            "from": step.id,
            "to": there,
            "branch": way,
            "label": _label(step, way, funnel),
            "weight": _weight(step, way, funnel),
        }
        for way, there in ways(step).items()
    ]


def _weight(step: Step, way: str, funnel: Funnel | None) -> float:
    """The share of all who entered that went this way, as it is told: how broad its line is."""
    if funnel is None:
        return 0.0
    entered = funnel.tell("", "entered", funnel.entered).number
    went = funnel.tell(step.id, f"way {way}", funnel.steps[step.id].ways[way]).number
    return round(min(1.0, (went or 0) / entered), 3) if entered else 0.0


def _label(step: Step, way: str, funnel: Funnel | None) -> str:
    name = way_label(way)
    if isinstance(step, Webhook):
        name = {"failed": "no good answer"}.get(way, name.replace("case", "reply"))
    if funnel is None:
        return name
    count = funnel.steps[step.id]
    went = funnel.tell(step.id, f"way {way}", count.ways[way])
    reached = funnel.tell(step.id, "arrived", count.arrived)
    known = reached.number and went.number is not None and len(ways(step)) > 1
    share = (
        f" · {min(100 * (went.number or 0) / (reached.number or 1), 100):.0f} %" if known else ""
    )
    return f"{name} {went}{share}".strip()
