"""A workflow as JSON, and as a checked graph. Pure; what only the database knows, lint checks.

    {"trigger": {"kind": "segment", "segment": ID, "present": true}
              | {"kind": "event", "event": "appointment.missed", "again": "each"} | {"kind": "api"},
     "start": "welcome",
     "nodes": [{"id": "welcome", "kind": "send", "template": ID, "next": "clicked"},
               {"id": "clicked", "kind": "wait_for", "event": "message.clicked", "of": "welcome",
                "up_to": {"days": 3}, "heard": "invite", "unheard": "remind"}, ...]}

Nothing is guessed: an unknown key is a problem like a missing one, and all problems are named at
once, each with the step that it belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from workflows.entry import Trigger, read_trigger
from workflows.problems import GraphInvalid, Problem
from workflows.reading import read_step
from workflows.steps import (
    Exit,
    Goal,
    Happened,
    Send,
    Step,
    Until,
    WriteBack,
    conditions,
    ways,
)

if TYPE_CHECKING:
    import networkx

MOST_STEPS = 200


def algorithms() -> ModuleType:
    """Import it where a graph is drawn: 10 MB that a process that only sends does without."""
    import networkx

    return networkx


@dataclass(frozen=True)
class Graph:
    """A checked graph: acyclic, every way leads to a step, every way ends in an exit."""

    trigger: Trigger
    start: str
    steps: Mapping[str, Step]
    drawn: networkx.DiGraph[str] = field(repr=False, compare=False)

    def before(self, node: str) -> frozenset[str]:
        """Return every step that may lie on a way to this one; a goal is jumped to from any."""
        found = algorithms().ancestors(self.drawn, node)
        for goal in self.goals():
            if goal.then != "count" and goal.id in found | {node}:
                found |= (
                    self.steps.keys() - algorithms().descendants(self.drawn, goal.id) - {goal.id}
                )
        return frozenset(found) - {node}

    def goals(self) -> tuple[Goal, ...]:
        return tuple(step for step in self.steps.values() if isinstance(step, Goal))

    def in_order(self) -> list[str]:
        """Return the steps so that none comes before what leads to it."""
        place = {node: at for at, node in enumerate(self.steps)}
        return list(
            algorithms().lexicographical_topological_sort(self.drawn, key=place.__getitem__)
        )

    def enters(self) -> frozenset[UUID]:
        """Return the workflows that this one sends people on to."""
        exits = (step for step in self.steps.values() if isinstance(step, Exit))
        return frozenset(step.enter for step in exits if step.enter is not None)


def parse(raw: object) -> Graph:
    """Return the graph, or raise GraphInvalid with every problem there is."""
    problems: list[Problem] = []
    if not isinstance(raw, dict):
        raise GraphInvalid([Problem("", "not_an_object", "a workflow is a JSON object")])
    problems += [
        Problem("", "unknown_key", f"{key} is not known here; remove it or mend its spelling")
        for key in sorted(set(raw) - {"trigger", "start", "nodes"})
    ]
    trigger = read_trigger(raw.get("trigger"), problems=problems)
    steps, named = _steps(raw.get("nodes"), problems=problems)
    graph = Graph(trigger, str(raw.get("start") or ""), steps, _draw(steps))
    problems += [*_start(graph, named), *_loose_ways(graph, named)]
    problems += [*_cycles(graph), *_exits(graph), *_abouts(graph), *_objects(graph)]
    if graph.start in steps:
        problems += _unreachable(graph)
    if problems:
        order = {node: at for at, node in enumerate(steps)}
        raise GraphInvalid(sorted(problems, key=lambda one: (order.get(one.node, -1), one)))
    return graph


def _steps(raw: Any, *, problems: list[Problem]) -> tuple[dict[str, Step], set[str]]:
    """Return the readable steps, and the names of all, readable or not."""
    if not isinstance(raw, list) or not raw:
        problems.append(Problem("", "no_steps", "nodes is empty: a workflow needs steps"))
        return {}, set()
    if len(raw) > MOST_STEPS:
        problems.append(Problem("", "too_many_steps", f"more than {MOST_STEPS} steps"))
        return {}, set()
    steps: dict[str, Step] = {}
    named: set[str] = set()
    for place, one in enumerate(raw):
        if not isinstance(one, dict):
            problems.append(Problem(f"nodes[{place}]", "not_an_object", "a step is a JSON object"))
            continue
        step = read_step(one, problems=problems, place=place)
        name = str(one.get("id") or "")
        if name and name in named:
            problems.append(Problem(name, "same_id", "two steps have this id; rename one of them"))
        named.add(name)
        if step is not None:
            steps.setdefault(step.id, step)
    return steps, named


def _draw(steps: Mapping[str, Step]) -> networkx.DiGraph[str]:
    drawn: networkx.DiGraph[str] = algorithms().DiGraph()
    drawn.add_nodes_from(steps)
    for step in steps.values():
        drawn.add_edges_from((step.id, there) for there in ways(step).values() if there in steps)
    return drawn


def _start(graph: Graph, named: Collection[str]) -> Iterator[Problem]:
    if not graph.start:
        yield Problem("", "no_start", "start is missing: name the first step")
    elif graph.start not in named:
        yield Problem("", "no_start", f"start names {graph.start}, and there is no such step")


def _loose_ways(graph: Graph, named: Collection[str]) -> Iterator[Problem]:
    for step in graph.steps.values():
        for way, there in ways(step).items():
            if there not in named:
                message = f"{way} leads to {there}, and there is no such step"
                yield Problem(step.id, "missing_next", message)


def _cycles(graph: Graph) -> Iterator[Problem]:
    """Name one cycle in each knot, step by step; mending it shows the next."""
    for knot in algorithms().strongly_connected_components(graph.drawn):
        inside = graph.drawn.subgraph(knot)
        if len(knot) == 1 and not inside.number_of_edges():
            continue
        first = next(node for node in graph.steps if node in knot)
        cycle = [edge[0] for edge in algorithms().find_cycle(inside, source=first)]
        named = " → ".join([*cycle, cycle[0]])
        yield Problem(cycle[0], "cycle", f"people would go round for ever: {named}")


def _exits(graph: Graph) -> Iterator[Problem]:
    if graph.steps and not any(isinstance(step, Exit) for step in graph.steps.values()):
        yield Problem("", "no_exit", "there is no exit: add a step of kind exit")


def _unreachable(graph: Graph) -> Iterator[Problem]:
    reached: set[str] = set()
    for root in (graph.start, *(goal.id for goal in graph.goals())):
        reached |= algorithms().descendants(graph.drawn, root) | {root}
    for node in graph.steps:
        if node not in reached:
            message = "no way from the start leads here; connect the step or remove it"
            yield Problem(node, "unreachable", message)


def _abouts(graph: Graph) -> Iterator[Problem]:
    """A step that asks about a message comes after the step that sends it."""
    for step in graph.steps.values():
        for asked in conditions(step):
            if isinstance(asked, Happened) and asked.of:
                yield from _about(graph, step.id, asked)
        if isinstance(step, WriteBack) and step.about:
            yield from _about(graph, step.id, Happened("message.sent", step.about), key="about")


def _about(graph: Graph, node: str, asked: Happened, *, key: str = "of") -> Iterator[Problem]:
    if not isinstance(graph.steps.get(asked.of), Send):
        yield Problem(node, "unknown_message", f"{key} names {asked.of}, which sends nothing")
    elif asked.of not in graph.before(node):
        message = f"{key} names {asked.of}, which comes on no way before this step"
        yield Problem(node, "unknown_message", message)
    elif not asked.event.startswith("message."):
        message = f"of belongs to message events such as message.clicked, not {asked.event}"
        yield Problem(node, "bad_value", message)


def _objects(graph: Graph) -> Iterator[Problem]:
    """Only an entry by an object with a date gives a step such a date to wait for."""
    for step in graph.steps.values():
        if isinstance(step, Until) and step.of_object and not graph.trigger.date:
            message = "people do not come in by an object with a date: give key and date there"
            yield Problem(step.id, "no_object", message)
    for goal in graph.goals():
        if goal.id == graph.start or graph.drawn.in_degree(goal.id):
            message = "a goal is reached from anywhere, by its event: lead no way to it"
            yield Problem(goal.id, "bad_value", message)
