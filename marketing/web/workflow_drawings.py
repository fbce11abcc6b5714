"""A version's drawing again and again: as it stands now, how long people stay, beside a simulation.

The canvas on a workflow's page asks for it while it is looked at, and the tables beside it follow,
so the counts move there together.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.reports import figures as counted
from marketing.reports.cohort import Cohort
from marketing.web import canvas, simulations, workflow_figures, workflow_tables, workflows
from marketing.web.workflow_figures import COMPARED, TIME, last_simulation
from marketing.web.workflow_report_told import ENOUGH
from workflows.models import WorkflowVersion


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def drawing(request: HttpRequest, workflow_id: UUID, number: int) -> JsonResponse:
    """The plan of one version as JSON; `show` is `time` or `compared`, or left out."""
    found, user = workflows.by_id(workflow_id), staff_of(request)
    version = next((one for one in found.versions.all() if one.number == number), None)
    show = request.GET.get("show", "")
    if version is None or show not in ("", TIME, COMPARED):
        raise Http404
    funnel = workflows.figures_of(version, user).funnel
    plan = canvas.plan_of(version, names=canvas.names(user), funnel=funnel, reader=user)
    if show == TIME:
        _put_times(plan, version, funnel)
    elif show == COMPARED:
        _put_simulated(plan, version, funnel, user)
    answer = JsonResponse(plan)
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def tables(request: HttpRequest, workflow_id: UUID, number: int) -> HttpResponse:
    """The tables as they stand now; only the time, where `seen` marks what stands already."""
    found, user = workflows.by_id(workflow_id), staff_of(request)
    version = next((one for one in found.versions.all() if one.number == number), None)
    if version is None:
        raise Http404
    figures = workflows.figures_of(version, user)
    plan = canvas.plan_of(version, names=canvas.names(user), funnel=figures.funnel, reader=user)
    context = workflow_tables.told(found, version, figures.funnel, figures.fates, plan)
    same = request.GET.get("seen") == context["mark"]
    context |= {"oob": True, "same": same, "as_of": timezone.now()}
    answer = HttpResponse(render_to_string("workflows/_figures_again.html", context))
    answer["Cache-Control"] = "no-store"
    if same:
        answer["HX-Reswap"] = "none"  # what is read, marked or scrolled stays as it is
    return answer


def _put_times(plan: dict[str, Any], version: WorkflowVersion, funnel: canvas.Funnel) -> None:
    """Half of the people were in a step at most so long, and nine in ten."""
    spells = {one.node: one.spell for one in counted.steps(Cohort(version))}
    exact = funnel.tell.reader.exact
    for box in plan["steps"]:
        spell, count = spells.get(box["id"]), funnel.steps.get(box["id"])
        passed = funnel.tell(box["id"], "passed", count.passed).number if count else None
        box["bar"] = None
        if spell is None or not (exact or (passed or 0) >= ENOUGH):
            box["figures"] = []
            continue
        box["figures"] = [
            {"label": "half", "value": workflow_figures.lasted(spell.median)},
            {"label": "9 of 10", "value": workflow_figures.lasted(spell.p90)},
        ]


def _put_simulated(
    plan: dict[str, Any], version: WorkflowVersion, live: canvas.Funnel, user: User
) -> None:
    """Put the shares of those who came and went, live and simulated, side by side."""
    made = last_simulation(version)
    if made is None:
        raise Http404
    other = simulations.funnel_of(made, user)
    for box in plan["steps"]:
        pair = (_came(live, box["id"]), _came(other, box["id"]))
        labels = ("live", "simulated")
        box["figures"] = [
            {"label": label, "value": told} for label, told in zip(labels, pair, strict=True)
        ]
        box["bar"] = None
    for way in plan["ways"]:
        if way["from"] != canvas.ENTRY:
            shares = " / ".join(_went(one, way["from"], way["branch"]) for one in (live, other))
            way["label"] = f"{canvas.way_label(way['branch'])} {shares}".strip()


def _came(funnel: canvas.Funnel, node: str) -> str:
    entered = funnel.tell("", "entered", funnel.entered).number
    if node == canvas.ENTRY:
        return str(funnel.tell("", "entered", funnel.entered))
    count = funnel.steps.get(node)
    return _share(funnel.tell(node, "arrived", count.arrived).number if count else None, entered)


def _went(funnel: canvas.Funnel, node: str, way: str) -> str:
    count = funnel.steps[node]
    went = funnel.tell(node, f"way {way}", count.ways[way]).number
    return _share(went, funnel.tell(node, "arrived", count.arrived).number)


def _share(part: int | None, whole: int | None) -> str:
    return f"{min(1.0, part / whole):.0%}" if whole and part is not None else "–"
