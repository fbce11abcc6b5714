"""Ways round for ever, over several workflows: jumps, segments and events as one graph (CA-15).

An edge leads from a workflow to another (or back to itself) where a step of the one brings people
into the other: an exit that sends them on; a change of fields or lists that a segment reads whose
entries, or leavers, the other takes in; an event that it listens for. Only workflows that take the
same person in again and again (`each`, `after_leaving`) are entered by segment or event for ever;
`never`, a key, and a time between two entries each end the circle by themselves. A jump counts
always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import networkx

from contacts.segments.nodes import Clause
from contacts.segments.reading import DefinitionInvalid
from workflows import audience, changes, versions
from workflows.changes import Change
from workflows.entry import Trigger
from workflows.graph import Graph
from workflows.models import Workflow
from workflows.problems import Problem
from workflows.steps import Exit

THIS: Final = UUID(int=0)
"""A workflow that is not saved yet."""


@dataclass(frozen=True)
class Door:
    """By what a workflow takes the same person in again and again."""

    workflow_id: UUID
    trigger: Trigger
    asks: Clause | None
    """What its segment asks; None where it listens for an event."""

    def lets_in(self, change: Change, *, now: datetime) -> bool:
        if self.asks is None:
            return self.trigger.listens_to in change.events
        return change.shows_in(self.asks) and (
            change.after(self.asks, now=now) is not self.trigger.left
        )


def problems(graph: Graph, workflow_id: UUID | None, *, now: datetime) -> Iterator[Problem]:
    """Name each circle that this graph would close, were it published, workflow by workflow."""
    names, here = dict(Workflow.objects.values_list("id", "name")), workflow_id or THIS
    graphs = {there: one for there, one in _live().items() if there != here} | {here: graph}
    doors = [door for there, one in graphs.items() for door in _door(there, one.trigger)]
    drawn: networkx.DiGraph[UUID] = networkx.DiGraph()
    drawn.add_nodes_from([*names, here])
    for row_id, other in graphs.items():
        for node, words, there in _edges(row_id, other, doors, now=now):
            if row_id != here and not drawn.has_edge(row_id, there):
                drawn.add_edge(row_id, there)
            elif row_id == here and there not in names and there != here:
                yield Problem(node, "unknown_workflow", "there is no such workflow")
            elif row_id == here and (back := _back(drawn, there, here)):
                named = " → ".join(names.get(one, "this workflow") for one in (here, *back))
                said = f"people would go round for ever{words}: {named}"
                yield Problem(node, "cycle", said)


def _live() -> Mapping[UUID, Graph]:
    """Return the live graphs; each version is read and checked once by a process."""
    found = Workflow.objects.filter(live__isnull=False).values_list("id", "live_id")
    live = dict(found)
    known = versions.load(set(live.values()))
    return {workflow_id: known[version_id].graph for workflow_id, version_id in live.items()}


def _door(workflow_id: UUID, trigger: Trigger) -> Iterator[Door]:
    if not (trigger.each or trigger.after_leaving) or not trigger.listens_to:
        return
    if trigger.segment is None:
        yield Door(workflow_id, trigger, None)
        return
    try:
        yield Door(workflow_id, trigger, audience.resolved(audience.of(trigger.segment)).root)
    except DefinitionInvalid:
        return  # nobody comes in by it; that it is broken is told where it is asked


def _back(drawn: networkx.DiGraph[UUID], there: UUID, here: UUID) -> list[UUID]:
    """Return the shortest way back; empty where none is."""
    return (
        networkx.shortest_path(drawn, there, here) if networkx.has_path(drawn, there, here) else []
    )


def _edges(
    workflow_id: UUID, graph: Graph, doors: list[Door], *, now: datetime
) -> Iterator[tuple[str, str, UUID]]:
    """Where this workflow's steps bring people in: the step, by what, and the other workflow."""
    for step in graph.steps.values():
        if isinstance(step, Exit) and step.enter is not None:
            yield step.id, "", step.enter
    made = list(changes.of(workflow_id, graph))
    for door in doors:
        for change in made:
            if door.lets_in(change, now=now):
                yield change.node, f", because the step {change.words}", door.workflow_id
