"""Ways round for ever, over several workflows: jumps, segments and events as one graph (CA-15).

An edge leads from a workflow to another (or back to itself) where a step of the one brings people
into the other: an exit that sends them on; a change of fields or lists that a segment reads whose
entries, or leavers, the other takes in; an event that it listens for. Only workflows that take the
same person in again and again (`each`, `after_leaving`) are entered by segment or event for ever;
`never`, a key, and a time between two entries each end the circle by themselves. A jump counts
always.

What a segment says after a change is judged in three values: the fields and lists that the step
sets are known, everything else may be either. So a step that sets the stage to `contacted` does not
lead into the segment of the stage `overdue`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import networkx

from contacts import registry
from contacts.canonical import ValueRefused, canonical
from contacts.segments import building, semantics
from contacts.segments.facts import Facts
from contacts.segments.nodes import (
    All,
    Any_,
    Clause,
    InSegment,
    Not,
    OnList,
    Registered,
    Several,
    asked_of_events,
    walk,
)
from contacts.segments.reading import DefinitionInvalid
from workflows import audience
from workflows.entry import Trigger
from workflows.graph import Graph, parse
from workflows.leaf import KEY
from workflows.models import Workflow
from workflows.problems import Problem
from workflows.steps import Exit, ListChange, Send, Step, Update, Webhook, WriteBack

SOMETHING: Final = object()
"""The value of a field that another system will say."""
THIS: Final = UUID(int=0)
"""A workflow that is not saved yet."""


@dataclass(frozen=True)
class Change:
    """What one step brings about that may bring somebody in somewhere."""

    node: str
    words: str
    workflow_id: UUID
    values: Mapping[str, Any] = field(default_factory=dict)
    """Fields as segments read them after the step; None where it clears one."""
    lists: Mapping[UUID, bool] = field(default_factory=dict)
    events: frozenset[str] = frozenset()


def problems(graph: Graph, workflow_id: UUID | None, *, now: datetime) -> Iterator[Problem]:
    """Name each circle that this graph would close, were it published, workflow by workflow."""
    names, here = dict(Workflow.objects.values_list("id", "name")), workflow_id or THIS
    graphs = {row.id: parse(row.live.graph) for row in _live() if row.live and row.id != here}
    drawn: networkx.DiGraph[UUID] = networkx.DiGraph()
    drawn.add_nodes_from([*names, here])
    for row_id, other in (graphs | {here: graph}).items():
        for node, words, there in _edges(row_id, other, graphs | {here: graph}, now=now):
            if row_id != here and not drawn.has_edge(row_id, there):
                drawn.add_edge(row_id, there)
            elif row_id == here and there not in names and there != here:
                yield Problem(node, "unknown_workflow", "there is no such workflow")
            elif row_id == here and (back := _back(drawn, there, here)):
                named = " → ".join(names.get(one, "this workflow") for one in (here, *back))
                said = f"people would go round for ever{words}: {named}"
                yield Problem(node, "cycle", said)


def _live() -> list[Workflow]:
    return list(Workflow.objects.filter(live__isnull=False).select_related("live"))


def _back(drawn: networkx.DiGraph[UUID], there: UUID, here: UUID) -> list[UUID]:
    """Return the shortest way back; empty where none is."""
    return (
        networkx.shortest_path(drawn, there, here) if networkx.has_path(drawn, there, here) else []
    )


def _edges(
    workflow_id: UUID, graph: Graph, graphs: Mapping[UUID, Graph], *, now: datetime
) -> Iterator[tuple[str, str, UUID]]:
    """Where this workflow's steps bring people in: the step, by what, and the other workflow."""
    for step in graph.steps.values():
        if isinstance(step, Exit) and step.enter is not None:
            yield step.id, "", step.enter
    changes = list(_changes(workflow_id, graph))
    for there, other in graphs.items():
        trigger = other.trigger
        if not (trigger.each or trigger.after_leaving) or not trigger.listens_to:
            continue
        for change in changes:
            if _lets_in(trigger, change, now=now):
                yield change.node, f", because the step {change.words}", there


def _changes(workflow_id: UUID, graph: Graph) -> Iterator[Change]:
    for step in graph.steps.values():
        change = _change(workflow_id, step)
        if change is not None:
            yield change


def _change(workflow_id: UUID, step: Step) -> Change | None:
    made: dict[str, Any] = {}
    if isinstance(step, Update):
        values = {**_known(step.values), **dict.fromkeys(step.clear)}
        values |= dict.fromkeys(step.add, SOMETHING)
        made = {"values": values, "events": frozenset({"contact.updated"})}
        words = f"changes {', '.join(values)}"
    elif isinstance(step, ListChange):
        kind = "list.joined" if step.add else "list.left"
        made = {"lists": {step.list_id: step.add}, "events": frozenset({kind})}
        words = "changes a list"
    elif isinstance(step, Webhook) and step.writes:
        values = dict.fromkeys(step.writes, SOMETHING)
        made = {"values": values, "events": frozenset({"contact.updated"})}
        words = f"changes {', '.join(values)}"
    elif isinstance(step, WriteBack):
        made, words = {"events": frozenset({step.event})}, f"brings {step.event}"
    elif isinstance(step, Send):
        made, words = {"events": frozenset({"message.sent"})}, "brings message.sent"
    return Change(step.id, words, workflow_id, **made) if made else None


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as segments read them; one that suits no field is told elsewhere."""
    fields, found = registry.current(), dict[str, Any]()
    for key, value in values.items():
        try:
            read = building.facts_values({key: canonical(key, value, fields=fields)}, fields)
        except (ValueRefused, KeyError):
            read = {}
        found[key] = read.get(key, SOMETHING)
    return found


def _lets_in(trigger: Trigger, change: Change, *, now: datetime) -> bool:
    if trigger.segment is None:
        return trigger.listens_to in change.events
    try:
        definition = audience.resolved(audience.of(trigger.segment))
    except DefinitionInvalid:
        return False  # nobody comes in by it; that it is broken is told where it is asked
    root = definition.root
    if not any(_touches(clause, change) for clause in walk(root)):
        return False
    return _after(root, change, now) is not trigger.left


def _touches(clause: Clause, change: Change) -> bool:
    if isinstance(clause, OnList):
        return clause.list_id in change.lists
    if isinstance(clause, Registered):
        return clause.key == KEY and clause.question.workflow == change.workflow_id
    if any(such.kind in change.events for such in asked_of_events(clause)):
        return True
    return getattr(clause, "field", "") in change.values


def _after(clause: Clause, change: Change, now: datetime) -> bool | None:
    """What the clause says right after the change: yes, no, or None for either."""
    if isinstance(clause, InSegment):
        return _after(clause.means, change, now) if clause.means is not None else None
    if isinstance(clause, Not):
        said = _after(clause.part, change, now)
        return None if said is None else not said
    if isinstance(clause, All | Any_ | Several):
        return _of_several(clause, [_after(part, change, now) for part in clause.parts])
    if isinstance(clause, OnList):
        return change.lists.get(clause.list_id)
    key = getattr(clause, "field", "")
    if key in change.values and change.values[key] is not SOMETHING:
        value = change.values[key]
        return semantics.holds(clause, Facts({} if value is None else {key: value}), now)
    return None


def _of_several(clause: All | Any_ | Several, parts: list[bool | None]) -> bool | None:
    sure, perhaps = parts.count(True), parts.count(None)
    low, high = 1, len(parts)
    if isinstance(clause, All):
        low = len(parts)
    elif isinstance(clause, Several):
        low, high = clause.low, len(parts) if clause.high is None else clause.high
    if sure >= low and sure + perhaps <= high:
        return True
    return False if sure + perhaps < low or sure > high else None
