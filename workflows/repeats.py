"""Goals that would send somebody through a step a second time. Pure.

A goal may be heard wherever people rest. Whoever was at a step, and has not been where the goal
jumps to, goes on from there; if a way leads from there to that step, it would be taken twice, and
at run time such a person leaves instead. Who has been where the goal jumps to is only counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workflows.graph import Graph, algorithms
from workflows.problems import Problem
from workflows.steps import Exit, Goal, ListChange, Split, Update, WriteBack

if TYPE_CHECKING:
    import networkx

PASSED_AT_ONCE = (Update, ListChange, WriteBack, Split, Goal, Exit)
"""Kinds of step at which nobody ever stands when a goal is heard."""


def problems(graph: Graph) -> Iterator[Problem]:
    for goal in graph.goals():
        if goal.then == "jump":
            yield from _of_goal(graph, goal)


def _of_goal(graph: Graph, goal: Goal) -> Iterator[Problem]:
    ahead = algorithms().descendants(graph.drawn, goal.next)
    elsewhere = graph.drawn.subgraph(graph.steps.keys() - {goal.next})
    seen = _reached(graph, goal, elsewhere)
    for node in graph.in_order():
        if node in ahead & seen and _rests(graph, node, elsewhere):
            said = (
                f"{goal.id} goes on at {goal.next}, which leads to {node}: who has been there "
                "already would come to it twice. Go on after it, or end the way by another"
            )
            yield Problem(goal.id, "step_twice", said)
            return


def _reached(graph: Graph, goal: Goal, elsewhere: networkx.DiGraph[str]) -> set[str]:
    """Return the steps that people may have been at without the one that the goal jumps to."""
    jumps = (one.next for one in graph.goals() if one.then == "jump" and one != goal)
    roots = {graph.start, *jumps} & elsewhere.nodes
    return roots.union(*(algorithms().descendants(elsewhere, root) for root in roots))


def _rests(graph: Graph, node: str, elsewhere: networkx.DiGraph[str]) -> bool:
    """Say whether people stand at the step, or at one after it, when the goal is heard."""
    after = {node} | algorithms().descendants(elsewhere, node)
    return any(not isinstance(graph.steps[one], PASSED_AT_ONCE) for one in after)
