"""Start a simulation, work it off in the background, and keep what it came to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from contacts.models import Contact
from workflows import lint
from workflows.brakes import tally
from workflows.graph import parse
from workflows.models import Workflow
from workflows.problems import GraphInvalid, Problem
from workflows.simulate import figures, plan, promises, trying, world
from workflows.simulate.course import Course, newcomers
from workflows.simulate.models import KeptSimulation, Simulation
from workflows.simulate.plan import Plan, PlanInvalid, Synthetic
from workflows.simulate.trying import NobodyThere, Tried
from workflows.steps import Send

AT_ONCE = 300
"""So many people are simulated while somebody waits; more go to the background."""
PATIENCE = 2.0
LOCK = 0x51D0
"""The advisory lock of an organisation's one simulation at a time."""
KEPT, SHOWN = 20, 500
"""Simulations of a workflow that are kept, and people of each whose timeline is."""


def start(
    workflow: Workflow,
    raw_plan: object,
    *,
    number: int | None = None,
    raw_promises: object = (),
    now: datetime,
) -> Simulation:
    """Write the simulation down, or raise GraphInvalid with what is wrong with graph or plan."""
    graph_of = workflow.draft if number is None else workflow.versions.get(number=number).graph
    graph, read = parse(graph_of), plan.read(raw_plan, now=now)
    sends = [one.id for one in graph.steps.values() if isinstance(one, Send)]
    if problems := plan.checked(read, sends):
        raise PlanInvalid(problems)
    asked = promises.read(list(raw_promises or []), graph)  # type: ignore[call-overload]
    kept_plan = dict(raw_plan) if isinstance(raw_plan, Mapping) else {}
    with transaction.atomic():
        made = Simulation.objects.create(
            workflow=workflow,
            number=number,
            graph=graph_of,
            plan={**kept_plan, "starts_at": read.starts_at.isoformat()},
            promises=[one.stored() for one in asked],
            created_at=now,
        )
        old = Simulation.objects.filter(workflow=workflow).values_list("pk", flat=True)[KEPT:]
        Simulation.objects.filter(pk__in=list(old)).delete()
        detail: dict[str, int | str] = {} if number is None else {"version": number}
        trail.record("workflow.simulated", subject=f"workflow:{workflow.pk}", detail=detail)
    return made


def attempt(simulation: Simulation, *, now: datetime) -> None:
    """Simulate a small one at once; what takes longer is left to the background."""
    whom = plan.read(simulation.plan, now=now).whom
    count = len(whom.contacts) if isinstance(whom, plan.Chosen) else whom.count
    if count <= AT_ONCE:
        work(simulation, now=now, patience=PATIENCE)


def run_once(*, now: datetime) -> int:
    """Work off the simulation that waits longest, unless another worker simulates just now.

    No transaction stays open meanwhile: that would hold up the trail's sealer and the triggers.
    """
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", [LOCK, tenancy.current()])
        if not cursor.fetchone()[0]:
            return 0
        try:
            waiting = Simulation.objects.filter(state="waiting").order_by("id").first()
            if waiting is not None:
                work(waiting, now=now)
        finally:
            cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK, tenancy.current()])
    return int(waiting is not None)


def work(simulation: Simulation, *, now: datetime, patience: float | None = None) -> None:
    """Run it to its end, or until the patience is over: it then starts anew in the background."""
    try:
        course = _course(simulation, now=now)
    except (NobodyThere, GraphInvalid) as why:
        simulation.state, simulation.problem = Simulation.State.FAILED, str(why)[:300]
    else:
        if not _run(simulation, course, patience):
            return
        _take(simulation, course)
    simulation.ended_at = now
    simulation.save()


def _course(simulation: Simulation, *, now: datetime) -> Course:
    read = plan.read(simulation.plan, now=now)
    return course_of(tried(simulation), read, now=now)


def tried(simulation: Simulation) -> Tried:
    if simulation.number is not None:
        return trying.of_version(simulation.workflow.versions.get(number=simulation.number))
    graph, problems = lint.check(simulation.graph, workflow_id=simulation.workflow_id)
    if graph is None:
        raise GraphInvalid(problems)
    return trying.of_draft(graph, workflow_id=simulation.workflow_id)


def course_of(tried: Tried, read: Plan, *, now: datetime) -> Course:
    """Return everybody at the start, with all that will be asked read."""
    ids = trying.whom(read, tried.graph)
    try:
        house = world.prepare(tried, read, ids, now=now)
    except ValueError as refused:
        if not isinstance(read.whom, Synthetic):
            raise
        problem = Problem("people", "bad_value", f"a value does not suit its field: {refused}")
        raise PlanInvalid([problem]) from None
    people = newcomers(ids, tried.graph, now=read.starts_at)
    for one in people:
        one.agreed = world.agreed(house, one.contact_id, now=read.starts_at)
    return Course(tried.graph, read, house, people, ceiling=tally.settings().most_a_day)


def _run(simulation: Simulation, course: Course, patience: float | None) -> bool:
    began = told = time.monotonic()
    for share in course.run():
        moment = time.monotonic()
        if patience is not None and moment - began > patience:
            return False
        if moment - told > 1:
            told = moment
            mine = Simulation.objects.filter(pk=simulation.pk)
            mine.update(progress=min(99, int(100 * share)))
    return True


def _take(simulation: Simulation, course: Course) -> None:
    found = promises.check(promises.read(simulation.promises), course.people)
    simulation.result = figures.stored(course) | {"promises": [asdict(one) for one in found]}
    simulation.timelines = _timelines(course)
    simulation.state, simulation.progress = Simulation.State.DONE, 100


def _timelines(course: Course) -> list[dict[str, Any]]:
    shown = course.people[:SHOWN]
    ids = [one.contact_id for one in shown if one.contact_id > 0]
    named = dict(Contact.objects.filter(id__in=ids).values_list("id", "public_id"))
    return [
        {
            "number": one.number,
            "contact": str(named.get(one.contact_id, "")),
            "outcome": one.outcome or ("stuck" if one.held else "inside"),
            "lines": one.told(),
        }
        for one in shown
    ]


def keep(
    workflow: Workflow, raw_plan: Mapping[str, Any], raw_promises: Sequence[Any], *, now: datetime
) -> KeptSimulation:
    """Keep plan and promises with the workflow; the command and the API run them again."""
    plan.read(raw_plan, now=now)
    asked = promises.read(list(raw_promises), parse(workflow.draft))
    with transaction.atomic():
        kept, _ = KeptSimulation.objects.update_or_create(
            workflow=workflow,
            defaults={
                "plan": {key: one for key, one in raw_plan.items() if key != "starts_at"},
                "promises": [one.stored() for one in asked],
                "changed_at": now,
            },
        )
        trail.record("workflow.changed", subject=f"workflow:{workflow.pk}")
    return kept
