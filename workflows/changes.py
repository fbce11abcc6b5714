"""What the steps of a workflow change about people, and what a segment says of them after it.

It is judged in three values: the fields and lists that the step sets are known, everything else may
be either. So a step that sets the stage to `contacted` does not lead into the segment of the stage
`overdue`. What is written back to the record of care stands in its feed for other systems and is no
event of the contact here, so it lets nobody in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

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
from workflows.graph import Graph
from workflows.leaf import KEY
from workflows.steps import ListChange, Send, Step, Update, Webhook

SOMETHING: Final = object()
"""The value of a field that another system will say."""


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

    def shows_in(self, root: Clause) -> bool:
        """Say whether the conditions read anything that the step changes."""
        return any(self._touches(clause) for clause in walk(root))

    def _touches(self, clause: Clause) -> bool:
        if isinstance(clause, OnList):
            return clause.list_id in self.lists
        if isinstance(clause, Registered):
            return clause.key == KEY and clause.question.workflow == self.workflow_id
        if any(such.kind in self.events for such in asked_of_events(clause)):
            return True
        return getattr(clause, "field", "") in self.values

    def after(self, clause: Clause, *, now: datetime) -> bool | None:
        """Return what the clause says right after the change: yes, no, or None for either."""
        if isinstance(clause, InSegment):
            return self.after(clause.means, now=now) if clause.means is not None else None
        if isinstance(clause, Not):
            said = self.after(clause.part, now=now)
            return None if said is None else not said
        if isinstance(clause, All | Any_ | Several):
            return _of_several(clause, [self.after(part, now=now) for part in clause.parts])
        if isinstance(clause, OnList):
            return self.lists.get(clause.list_id)
        key = getattr(clause, "field", "")
        if key in self.values and self.values[key] is not SOMETHING:
            value = self.values[key]
            return semantics.holds(clause, Facts({} if value is None else {key: value}), now)
        return None


def of(workflow_id: UUID, graph: Graph) -> Iterator[Change]:
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
