"""What only the database knows about a graph: templates, segments, lists, fields, other workflows.

Everything that would surprise at run time is a problem at publish time, named by its step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from consent import completed as forms
from consent.policy import Purpose
from contacts import registry
from contacts.canonical import ValueRefused, canonical
from contacts.fields import DataClass, FieldType
from contacts.models import ContactList
from contacts.segments.reading import DefinitionInvalid
from contacts.segments.references import CLINICAL_KINDS
from messaging.making import reviews
from messaging.models import Template, TemplateVersion
from messaging.versions import latest_approved
from workflows import audience, circles, dates, opened, repeats
from workflows.entry import Trigger
from workflows.graph import Graph, parse
from workflows.problems import GraphInvalid, Problem
from workflows.steps import (
    Goal,
    ListChange,
    Send,
    Step,
    Until,
    Update,
    WaitFor,
    Webhook,
    forecasts,
    segments,
)
from workflows.webhooks import building, endpoints
from workflows.webhooks.models import Endpoint

PROTECTED = frozenset({DataClass.IDENTITY, DataClass.CONTACT_POINT, DataClass.CLINICAL})
"""Who somebody is, where they are reached, what ails them: who draws a workflow may not write it,
or a single step could have everybody's mail sent elsewhere."""


def check(raw: object, *, workflow_id: UUID | None = None) -> tuple[Graph | None, list[Problem]]:
    """Return the graph, if it can be read at all, and everything that keeps it from going live."""
    try:
        graph = parse(raw)
    except GraphInvalid as invalid:
        return None, list(invalid.problems)
    return graph, list(problems(graph, workflow_id=workflow_id))


def problems(graph: Graph, *, workflow_id: UUID | None = None) -> Iterator[Problem]:
    yield from _trigger(graph)
    for step in graph.steps.values():
        yield from _CHECKS.get(type(step), _nothing)(step)
        for condition in segments(step):
            yield from _conditions(step.id, condition.definition)
    yield from repeats.problems(graph)
    yield from circles.problems(graph, workflow_id, now=timezone.now())
    try:
        yield from _approved_for_more(graph)
        yield from _told_outside(graph)
    except DefinitionInvalid:
        return  # told above, where the conditions are


def templates(graph: Graph) -> dict[str, TemplateVersion]:
    """Return the approved version that each send step is pinned to when it is published now."""
    sends = (step for step in graph.steps.values() if isinstance(step, Send))
    found = {step.id: latest_approved(step.template) for step in sends}
    return {node: version for node, version in found.items() if version is not None}


def path_classes(graph: Graph) -> dict[str, frozenset[str]]:
    """Return what getting to each step says of a person: the union along every way there (W8)."""
    asked = {
        node: _betrayed_at(graph, node) | _of_address(step) for node, step in graph.steps.items()
    }
    entering = _betrayed_by_entry(graph.trigger)
    return {
        node: entering.union(*(asked[before] for before in graph.before(node)))
        for node in graph.steps
    }


def _betrayed_by_entry(trigger: Trigger) -> frozenset[str]:
    said: set[str] = set()
    for segment in (trigger.segment, trigger.only, trigger.never, trigger.during):
        if segment is not None:
            said |= audience.betrays(audience.of(segment))
    if trigger.event.startswith(CLINICAL_KINDS):
        said.add("clinical")
    if trigger.field in registry.current():
        said.add(registry.current()[trigger.field].data_class.value)
    return frozenset(said)


def _of_address(step: Step) -> frozenset[str]:
    """A forecast says what kind of mail box somebody has."""
    return frozenset({DataClass.CONTACT_POINT.value} if forecasts(step) else ())


def _betrayed_at(graph: Graph, node: str) -> frozenset[str]:
    step = graph.steps[node]
    said: set[str] = set()
    for condition in segments(step):
        said |= audience.betrays(condition.definition)
    if isinstance(step, WaitFor | Goal) and step.event.startswith(CLINICAL_KINDS):
        said.add("clinical")
    if isinstance(step, Goal) and step.segment is not None:
        said |= audience.betrays(audience.of(step.segment))
    if isinstance(step, Webhook) and step.replies:
        # What it answers says at most what it deals in.
        for classes in Endpoint.objects.filter(id=step.endpoint).values_list("classes", flat=True):
            said |= set(classes)
    if isinstance(step, Until) and step.field in registry.current():
        said.add(registry.current()[step.field].data_class.value)
    if isinstance(step, Until) and step.of_object:
        said |= _betrayed_by_entry(graph.trigger)
    return frozenset(said)


def _approved_for_more(graph: Graph) -> Iterator[Problem]:
    """An approval that looked at its audience holds for that audience and for no other (SE-20)."""
    pinned = templates(graph)
    if not any(version.approval.audience is not None for version in pinned.values()):
        return
    for node, classes in path_classes(graph).items():
        beyond = reviews.covers(pinned[node], classes) if node in pinned else frozenset()
        if beyond:
            said = ", ".join(sorted(beyond))
            yield Problem(
                node,
                "approved_for_less",
                f"the template is not approved for an audience that betrays {said}; "
                "say so in the template and have it reviewed again",
            )


def _told_outside(graph: Graph) -> Iterator[Problem]:
    """A call says its fields and what the way to it asked: the endpoint must be one for it."""
    calls = [step for step in graph.steps.values() if isinstance(step, Webhook)]
    known = endpoints.by_id({step.endpoint for step in calls})
    classes = path_classes(graph) if calls else {}
    for step in calls:
        endpoint = known.get(step.endpoint)
        if endpoint is None or endpoint.archived_at is not None:
            yield Problem(step.id, "unknown_endpoint", "there is no such endpoint")
            continue
        said = building.classes_of(step.fields) | classes[step.id]
        why = endpoints.refusal(endpoint, said, today=timezone.now().date())
        if why == "class_not_allowed":
            more = ", ".join(sorted(said - set(endpoint.classes)))
            sentence = f"{endpoint.name} may not be told {more}: allow it in its settings"
            yield Problem(step.id, why, sentence)
        elif why:
            yield Problem(step.id, why, f"{endpoint.name} {_NOT_YET[why]}")


_NOT_YET = {
    "no_agreement": "has no business associate agreement in force: record it in its settings",
    "no_recipient": "names nobody who receives: say who and where in its settings",
}


def _trigger(graph: Graph) -> Iterator[Problem]:
    trigger = graph.trigger
    for segment in (trigger.segment, trigger.only, trigger.never, trigger.during):
        if segment is not None:
            yield from _conditions("", audience.of(segment))
    if trigger.field:
        yield from _entry_date(trigger)
    if trigger.form is not None and trigger.form not in forms.there():
        yield Problem("", "unknown_form", "there is no such form")
    try:
        opened.definition(trigger)
    except DefinitionInvalid as invalid:
        for one in invalid.problems:
            yield Problem("", "bad_value", f"where: {one.path} {one.message}")


def _nothing(_step: Step) -> Iterator[Problem]:
    return iter(())


def _goal(step: Goal) -> Iterator[Problem]:
    if step.segment is not None:
        yield from _conditions(step.id, audience.of(step.segment))


def _date(step: Until) -> Iterator[Problem]:
    fields = registry.current()
    if not step.field:
        return
    if step.field not in fields:
        yield Problem(step.id, "unknown_field", f"{step.field} is not a field of contacts")
    elif fields[step.field].type not in (FieldType.DATE, FieldType.DATETIME):
        yield Problem(step.id, "bad_value", f"{step.field} is no date: nobody can wait for it")


def _entry_date(trigger: Trigger) -> Iterator[Problem]:
    field = registry.current().get(trigger.field)
    if field is None:
        yield Problem("", "unknown_field", f"{trigger.field} is not a field of contacts")
    elif field.type not in (FieldType.DATE, FieldType.DATETIME):
        yield Problem("", "bad_value", f"{trigger.field} is no date: nobody can come in by it")
    elif trigger.yearly and field.type is not FieldType.DATE:
        yield Problem("", "bad_value", f"{trigger.field} is a moment: only days come every year")
    else:
        yield from _conditions("", dates.asked_on(trigger, timezone.now().date()))


def _conditions(node: str, tree: Mapping[str, object]) -> Iterator[Problem]:
    try:
        audience.resolved(tree)
    except DefinitionInvalid as invalid:
        for one in invalid.problems:
            yield Problem(node, "unknown_segment", f"{one.path} {one.message}")
        return
    try:
        audience.approved(tree)
    except DefinitionInvalid as refused:
        for one in refused.problems:
            yield Problem(node, "segment_not_approved", f"{one.path} {one.message}")


def _template(step: Send) -> Iterator[Problem]:
    template = Template.objects.filter(id=step.template).first()
    if template is None:
        yield Problem(step.id, "unknown_template", "there is no such template")
    elif template.archived_at is not None:
        yield Problem(step.id, "unknown_template", "the template was archived")
    elif template.purpose not in set(Purpose):
        yield Problem(step.id, "purpose_required", "the template does not say what it is for")
    elif latest_approved(step.template) is None:
        yield Problem(step.id, "not_approved", "no version of the template is approved yet")


def _webhook(step: Webhook) -> Iterator[Problem]:
    fields = registry.current()
    for key in step.fields:
        if key not in fields:
            yield Problem(step.id, "unknown_field", f"{key} is not a field of contacts")
    yield from _writable(step.id, step.writes)


def _writable(node: str, keys: Iterable[str]) -> Iterator[Problem]:
    fields = registry.current()
    for key in keys:
        if key not in fields:
            yield Problem(node, "unknown_field", f"{key} is not a field of contacts")
        elif fields[key].data_class in PROTECTED:
            sentence = f"{key} comes from the record of care; a workflow does not change it"
            yield Problem(node, "protected_field", sentence)


def _fields(step: Update) -> Iterator[Problem]:
    fields = registry.current()
    yield from _writable(step.id, [*step.values, *step.clear, *step.add])
    for key in step.add:
        if key in fields and fields[key].type is not FieldType.NUMBER:
            yield Problem(step.id, "bad_value", f"{key} is not a number to add to")
    for key, value in step.values.items():
        if key in fields:
            try:
                canonical(key, value, fields=fields)
            except ValueRefused as refused:
                yield Problem(step.id, "bad_value", f"{key} {refused.reason}")


def _list(step: ListChange) -> Iterator[Problem]:
    if not ContactList.objects.filter(id=step.list_id).exists():
        yield Problem(step.id, "unknown_list", "there is no such list")


_CHECKS: Mapping[type, Callable[[Any], Iterator[Problem]]] = {
    Send: _template,
    Until: _date,
    Goal: _goal,
    Update: _fields,
    Webhook: _webhook,
    ListChange: _list,
}
