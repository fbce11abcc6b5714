"""What awaits the audience at each message, before anybody is in: who would be refused, and why.

The gate is asked for the people whom the trigger would bring, as it would be asked today, and again
at the time when the longest way has led to the step. Whoever is permitted today and not then has
an authorization that the waits outlive. Nothing is written, nobody is let in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.db import connection

from accounts import tenancy
from consent.policy import Refusal
from workflows import audience
from workflows.graph import Graph
from workflows.simulate import trying, world
from workflows.simulate.course import newcomers
from workflows.simulate.plan import Chosen, Plan
from workflows.simulate.world import House
from workflows.steps import Step, Task, Wait, WaitFor, Webhook

MOST = 2_000
"""People who are asked about; of more, so many are drawn."""
LATELY = timedelta(days=90)
_HAPPENED = """
select distinct contact_id from contacts_event
where organisation_id = %s and kind = %s and not machine and occurred_at > %s limit %s
"""


@dataclass(slots=True)
class Message:
    """One message step: how many would be refused now, by code, and how many more then."""

    node: str
    after: timedelta
    """How long the longest way to it takes; waits for a date are not counted."""
    refused: Counter[str] = field(default_factory=Counter)
    outlived: Counter[str] = field(default_factory=Counter)
    """Permitted now and not when the step may come at the latest, by code."""

    @property
    def troubled(self) -> bool:
        return bool(self.refused or self.outlived)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Of so many people; `drawn` where there are more than were asked about."""

    people: int
    drawn: bool
    whom: str
    messages: tuple[Message, ...] = ()

    @property
    def troubled(self) -> bool:
        return any(one.troubled for one in self.messages)


def of(tried: trying.Tried, *, now: datetime) -> Outlook:
    """Return what awaits the audience of this graph; raises DefinitionInvalid."""
    whom, ids, drawn = _audience(tried.graph, now=now)
    sends = [node for node in tried.graph.in_order() if node in tried.templates]
    if not ids or not sends:
        return Outlook(len(ids), drawn, whom)
    house = world.prepare(tried, Plan(Chosen(()), now), ids, now=now)
    after = longest(tried.graph)
    told = tuple(_message(house, tried.graph, node, ids, after[node], now) for node in sends)
    return Outlook(len(ids), drawn, whom, told)


def _audience(graph: Graph, *, now: datetime) -> tuple[str, list[int], bool]:
    """Return whom the trigger would bring: in words, who they are, and whether more there are."""
    trigger = graph.trigger
    if trigger.segment is not None and not trigger.left:
        whom, ids = "in the segment of the trigger", audience.members(trigger.segment, now=now)
    elif trigger.kind == "event":
        whom, ids = "to whom the event happened in the past 90 days", _happened(trigger.event, now)
    else:
        return "", [], False
    if trigger.only is not None:
        ids = sorted(audience.among(audience.of(trigger.only), ids, now=now))
    if trigger.never is not None:
        out = audience.among(audience.of(trigger.never), ids, now=now)
        ids = [one for one in ids if one not in out]
    some = sorted(ids) if len(ids) <= MOST else sorted(Random(1).sample(sorted(ids), MOST))  # noqa: S311  # no secret
    return whom, some, len(ids) > MOST


def _happened(kind: str, now: datetime) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_HAPPENED, [tenancy.current(), kind, now - LATELY, 5 * MOST])
        return [int(one) for (one,) in cursor.fetchall()]


def _message(
    house: House, graph: Graph, node: str, ids: list[int], after: timedelta, now: datetime
) -> Message:
    made = Message(node, after)
    people = [(one, node) for one in newcomers(ids, graph, now=now)]
    today, then = house.accept(people, now=now), house.accept(people, now=now + after)
    for first, last in zip(today, then, strict=True):
        if isinstance(first, Refusal):
            made.refused[first.code] += 1
        elif isinstance(last, Refusal):
            made.outlived[last.code] += 1
    return made


def longest(graph: Graph) -> Mapping[str, timedelta]:
    """Return how long the longest way to each step waits at most."""
    found = {graph.start: timedelta()} | {goal.id: timedelta() for goal in graph.goals()}
    for node in graph.in_order():
        here = found.get(node, timedelta()) + _patience(graph.steps[node])
        for there in graph.drawn.successors(node):
            found[there] = max(found.get(there, timedelta()), here)
    return {node: found.get(node, timedelta()) for node in graph.steps}


def _patience(step: Step) -> timedelta:
    return step.patience if isinstance(step, Wait | WaitFor | Task | Webhook) else timedelta()
