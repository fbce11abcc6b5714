"""What a simulation came to: counts by step, refusals with their reasons, warnings. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from consent.reasons import REASONS
from workflows.funnel import StepCount
from workflows.graph import Graph
from workflows.simulate.answering import BROKEN, UNFORESEEN
from workflows.simulate.course import Course
from workflows.simulate.people import Person
from workflows.steps import Exit

HELD = {
    UNFORESEEN: "no way there is known: invented people, or a receiver not looked up yet",
    BROKEN: "the segment it asks is broken, gone or not approved; mend or approve it",
    "not_simulated": "the simulator has no answer for this kind of step",
}
OTHER = {
    "too_late": "It could not go out before its time was over.",
    "template_not_approved": "No version of the template is approved.",
}


def steps(graph: Graph, people: Sequence[Person]) -> list[StepCount]:
    """Return every step's figures as the live funnel has them, in the order of the graph."""
    found = {
        node: StepCount(node, type(graph.steps[node]).__name__.lower()) for node in graph.in_order()
    }
    for person in people:
        for passed in person.passed:
            found[passed.node].ways[passed.way] += 1
        if person.inside:
            found[person.place.node].inside += 1
        else:
            found[person.place.node].left[person.outcome] += 1
        for mail in person.mails.values():
            found[mail.node].mail[mail.state] += 1
            if mail.code and mail.state in ("refused", "failed"):
                found[mail.node].refusals[mail.code] += 1
    return list(found.values())


def stored(course: Course) -> dict[str, Any]:
    """Return the result as JSON."""
    people, counted = course.people, steps(course.graph, course.people)
    mails = Counter(mail.state for one in people for mail in one.mails.values())
    return {
        "people": len(people),
        "inside": sum(one.inside for one in people),
        "finished": sum(one.outcome == "finished" for one in people),
        "outcomes": dict(Counter(one.outcome for one in people if not one.inside)),
        "mails": dict(mails),
        "onward": {str(workflow): many for workflow, many in course.onward.items()},
        "steps": [_stored(one) for one in counted],
        "refusals": _refusals(counted),
        "warnings": _warnings(course, counted),
    }


def _stored(one: StepCount) -> dict[str, Any]:
    counters = {name: dict(getattr(one, name)) for name in ("ways", "left", "mail", "refusals")}
    return {"node": one.node, "kind": one.kind, "inside": one.inside, **counters}


def read_step(raw: dict[str, Any]) -> StepCount:
    counters = {name: Counter(raw[name]) for name in ("ways", "left", "mail", "refusals")}
    return StepCount(raw["node"], raw["kind"], raw["inside"], **counters)


def _refusals(counted: Sequence[StepCount]) -> list[dict[str, Any]]:
    return [
        {
            "node": step.node,
            "code": code,
            "people": many,
            "reason": REASONS[code][0] if code in REASONS else OTHER.get(code, code),
            "remedy": REASONS[code][1] if code in REASONS else "",
        }
        for step in counted
        for code, many in step.refusals.most_common()
    ]


def _warnings(course: Course, counted: Sequence[StepCount]) -> list[dict[str, str]]:
    found: list[tuple[str, str]] = []
    ends = [one for one in counted if isinstance(course.graph.steps[one.node], Exit)]
    if not any(one.arrived for one in ends):
        found.append(("", "Nobody reached an exit."))
    stuck = Counter((one.place.node, one.held) for one in course.people if one.held)
    for (node, why), many in stuck.items():
        found.append((node, f"{many:,} stay here for ever: {HELD[why]}."))
    waiting = Counter(one.place.node for one in course.people if one.inside and not one.held)
    for node, many in waiting.items():
        found.append((node, f"{many:,} still wait here at the end; simulate a longer time."))
    found += [(one.node, "Nobody came here.") for one in counted if not one.arrived]
    for one in counted:
        if late := one.refusals["too_late"]:
            found.append((one.node, f"{late:,} messages were held back until too late."))
        if one.refusals["template_not_approved"]:
            found.append((one.node, "The template has no approved version: nobody gets it."))
    return [{"node": node, "message": message} for node, message in found]
