"""By which ways a template reaches people, and what each way says of them (wall W8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from contacts import registry
from contacts.fields import DataClass
from contacts.segments import references
from contacts.segments.reading import DefinitionInvalid
from contacts.segments.references import CLINICAL_KINDS
from workflows import audience
from workflows.graph import Graph, parse
from workflows.models import Workflow
from workflows.problems import GraphInvalid
from workflows.steps import Goal, Send, Step, Until, WaitFor, Webhook, forecasts, segments
from workflows.webhooks import endpoints


@dataclass(frozen=True, slots=True)
class Cause:
    """Something on the way that says something of whoever comes through."""

    label: str
    classes: frozenset[str]
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Path:
    """A send step of a workflow, and everything that decides who comes to it."""

    workflow: Workflow
    live: bool
    step: str
    causes: tuple[Cause, ...]

    @property
    def classes(self) -> frozenset[str]:
        return frozenset[str]().union(*(cause.classes for cause in self.causes))


def to_template(template_id: UUID) -> list[Path]:
    """Return the ways of live versions, and of drafts that are not live yet."""
    found: list[Path] = []
    rows = Workflow.objects.exclude(state=Workflow.State.CLOSED).select_related("live")
    for row in rows.order_by("name"):
        try:
            graph = parse(row.live.graph if row.live else row.draft)
        except GraphInvalid:
            continue  # a draft half drawn leads nowhere yet
        found += [
            Path(row, row.live is not None, step.id, tuple(_causes(graph, step.id)))
            for step in graph.steps.values()
            if isinstance(step, Send) and step.template == template_id
        ]
    return found


def _causes(graph: Graph, node: str) -> list[Cause]:
    causes = []
    rules = (("Only", graph.trigger.only), ("Never", graph.trigger.never))
    causes += [_of_segment(label, audience.of(one)) for label, one in rules if one is not None]
    if graph.trigger.segment is not None:
        causes.append(_of_segment("Audience", audience.of(graph.trigger.segment)))
    elif graph.trigger.field:
        causes.append(_of_field("Begins with", graph.trigger.field))
    elif graph.trigger.event:
        causes.append(_of_event("Begins with", graph.trigger.event))
    for before in sorted(graph.before(node)):
        step = graph.steps[before]
        causes += _of_step(before, step)
    return causes


def _of_step(node: str, step: Step) -> Iterator[Cause]:
    for condition in segments(step):
        yield _of_segment(f"{type(step).__name__} {node}", condition.definition)
    for _ in forecasts(step):
        classes = frozenset({DataClass.CONTACT_POINT.value})
        yield Cause(f"Forecast {node}", classes, frozenset({"email"}))
    if isinstance(step, WaitFor) and step.event:
        yield _of_event(f"Wait {node}", step.event)
    if isinstance(step, Goal):
        yield _of_event(f"Goal {node}", step.event)
        if step.segment is not None:
            yield _of_segment(f"Goal {node}", audience.of(step.segment))
    if isinstance(step, Webhook) and step.replies:
        answers = endpoints.by_id([step.endpoint]).get(step.endpoint)
        yield Cause(f"Answer {node}", frozenset(answers.classes if answers else ()), frozenset())
    if isinstance(step, Until) and step.field:
        yield _of_field(f"Date {node}", step.field)


def _of_segment(label: str, tree: object) -> Cause:
    try:
        definition = audience.resolved(tree)  # type: ignore[arg-type]
    except DefinitionInvalid:
        return Cause(f"{label} (broken)", frozenset(), frozenset())
    classes = frozenset(kind.value for kind in references.data_classes(definition))
    return Cause(label, classes, references.fields_read(definition))


def _of_event(label: str, kind: str) -> Cause:
    clinical = kind.startswith(CLINICAL_KINDS)
    return Cause(f"{label} {kind}", frozenset({"clinical"} if clinical else ()), frozenset())


def _of_field(label: str, key: str) -> Cause:
    known = registry.current().get(key)
    classes = frozenset({known.data_class.value} if known else ())
    return Cause(f"{label} {key}", classes, frozenset({key}))
