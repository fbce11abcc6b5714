"""Workflows: where everybody is, where they leave, and whether the draft is safe to publish."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from marketing.web import (
    canvas,
    payments,
    workflow_drafts,
    workflow_figures,
    workflow_outlook,
    workflow_tables,
)
from workflows import funnel, lint, publishing
from workflows.graph import parse
from workflows.models import Enrolment, Workflow, WorkflowVersion
from workflows.problems import GraphInvalid, Problem

PAGE = 50


@dataclass(frozen=True)
class _Row:
    workflow: Workflow
    number: int | None
    inside: str
    entered: str


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def workflows(request: HttpRequest) -> HttpResponse:
    found = Workflow.objects.select_related("live").order_by("name")[:200]
    user, counts = staff_of(request), _counts()
    counted = {one.id: counts.get(one.id, (0, 0)) for one in found}
    told = workflow_figures.in_all(counted, _classes(), user)
    rows = [_Row(one, one.live.number if one.live else None, *told[one.id]) for one in found]
    may_edit = user.may(Permission.WORKFLOWS_EDIT)
    context = {
        "rows": rows,
        "may_edit": may_edit,
        "may_do": user.may(Permission.TASKS_HANDLE),
        "may_find": user.may(Permission.CONTACTS_SEARCH),
    }
    return render(request, "workflows/list.html", context)


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def workflow(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """One version, the live one unless asked for another: the drawing, the figures, the losses."""
    user, found = staff_of(request), by_id(workflow_id)
    versions = list(found.versions.all())
    version = _asked_for(request.GET.get("version", ""), versions) or found.live
    names = canvas.names(user)
    figures = figures_of(version, user) if version else None
    plan = (
        canvas.plan_of(version, names=names, funnel=figures.funnel, reader=user)
        if version and figures
        else _draft_plan(found, names)
    )
    if plan and version:
        plan["modes"] = workflow_figures.modes(version)
    context = {
        "workflow": found,
        "version": version,
        "versions": versions,
        "plan": plan,
        "braked": found.pauses.filter(resumed_at=None).exclude(why="").first(),
        "exact": figures is None or figures.funnel.tell.reader.exact,
        **_told(found, version, figures, plan),
        "problems": _problems(found),
        "payments": payments.of_workflow(found, now=timezone.now()),
        "changed": version is None or version != found.live or version.graph != found.draft,
        "may_edit": user.may(Permission.WORKFLOWS_EDIT),
        "may_publish": user.may(Permission.WORKFLOWS_PUBLISH),
        "may_enrol": user.may(Permission.WORKFLOWS_ENROL),
        "empty": _empty(versions, found),
        "as_of": timezone.now(),
    }
    return render(request, "workflows/page.html", context)


@require_safe
@requires(Permission.CONTACTS_VIEW)
def people(request: HttpRequest, workflow_id: UUID, number: int, node: str) -> HttpResponse:
    """Who waits at one step of one version, a page at a time."""
    found = by_id(workflow_id)
    version = next((one for one in found.versions.all() if one.number == number), None)
    if version is None or node not in parse(version.graph).steps:
        raise Http404
    if not canvas.may_list(version, node, staff_of(request)):
        raise PermissionDenied
    after = request.GET.get("after", "0")
    seen = int(after) if after.isdecimal() and len(after) < 19 else 0
    inside = funnel.people(version.id, node, after=seen, limit=PAGE)
    trail.record("contact.listed", detail={"count": len(inside)})
    context = {
        "workflow": found,
        "version": version,
        "title": canvas.title(parse(version.graph).steps[node], canvas.names(staff_of(request))),
        "people": inside,
        "next": f"?after={inside[-1].enrolment_id}" if len(inside) == PAGE else "",
    }
    return render(request, "workflows/people.html", context)


@require_POST
@requires(Permission.WORKFLOWS_PUBLISH)
def publish(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    found = by_id(workflow_id)
    if request.POST.get("seen") != "yes" and _troubled(found):
        messages.warning(request, "Some would be refused: look at who, then publish.")
        return redirect("workflow-outlook", found.id)
    try:
        version = publishing.publish(found.id, now=timezone.now())
    except GraphInvalid as invalid:
        found.refresh_from_db()
        return workflow_drafts.refused(request, found, invalid.problems)
    messages.success(request, f"Version {version.number} is live. Who is inside stays on theirs.")
    return redirect("workflow", found.id)


def _troubled(found: Workflow) -> bool:
    looked = workflow_outlook.looked_at(found)
    return looked is not None and looked[1].troubled


def _told(
    found: Workflow,
    version: WorkflowVersion | None,
    figures: Figures | None,
    plan: dict[str, Any] | None,
) -> dict[str, Any]:
    if version is None or figures is None or plan is None:
        return {"rows": workflow_tables.table_of(plan) if plan else []}
    return workflow_tables.told(found, version, figures.funnel, figures.fates, plan)


@dataclass(frozen=True)
class Figures:
    funnel: canvas.Funnel
    fates: dict[str, str]


def figures_of(version: WorkflowVersion, user: User) -> Figures:
    tell = workflow_figures.of_version(version, user)
    steps, fates = funnel.counts(version.id), funnel.fates(version.id)
    tell.steps(steps)
    told = tell.fates(fates)
    return Figures(canvas.Funnel(fates.enrolled, {one.node: one for one in steps}, tell), told)


def by_id(workflow_id: UUID) -> Workflow:
    found = Workflow.objects.select_related("live").filter(id=workflow_id).first()
    if found is None:
        raise Http404
    return found


def _empty(versions: list[WorkflowVersion], found: Workflow) -> set[int]:
    """Return the numbers of versions that nobody is in and nobody comes into: retired."""
    waiting = Enrolment.objects.filter(workflow_id=found.id, state=Enrolment.State.WAITING)
    inside = set(waiting.values_list("version_id", flat=True).distinct())
    return {one.number for one in versions if one.id not in inside and one.id != found.live_id}


def _counts() -> dict[UUID, tuple[int, int]]:
    """Return how many are inside and how many ever entered, for every workflow at once."""
    rows = Enrolment.objects.values_list("workflow_id").annotate(
        inside=Count("id", filter=Q(state=Enrolment.State.WAITING)), entered=Count("id")
    )
    return {workflow_id: (inside, entered) for workflow_id, inside, entered in rows}


def _classes() -> defaultdict[UUID, set[str]]:
    """Return what the ways through each workflow say of people, over all its versions."""
    found: defaultdict[UUID, set[str]] = defaultdict(set)
    for workflow_id, said in WorkflowVersion.objects.values_list("workflow_id", "path_classes"):
        found[workflow_id].update(name for names in said.values() for name in names)
    return found


def _asked_for(number: str, versions: list[WorkflowVersion]) -> WorkflowVersion | None:
    return next((one for one in versions if str(one.number) == number), None)


def _draft_plan(found: Workflow, names: canvas.Names) -> dict[str, Any] | None:
    try:
        return canvas.plan(parse(found.draft), names=names)
    except GraphInvalid:
        return None


def _problems(found: Workflow) -> list[Problem]:
    """Return what keeps the draft from going live, where it says something new."""
    if found.live is not None and found.live.graph == found.draft:
        return []
    return lint.check(found.draft, workflow_id=found.id)[1]
