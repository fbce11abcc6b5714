"""What staff do with people inside: move them between versions, pause, resume, close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.web import canvas, workflow_figures
from marketing.web.workflow_figures import Teller
from marketing.web.workflows import by_id
from workflows.graph import Graph, parse
from workflows.models import Pause, Workflow, WorkflowVersion
from workflows.moving import migrating, pausing
from workflows.moving.migrating import LEAVE, STAY, Line, MigrationRefused, Outcome
from workflows.moving.pausing import Overdue


@dataclass(frozen=True, slots=True)
class Row:
    """A step of the earlier version, where its people would go, and how many there are."""

    node: str
    title: str
    target: str
    inside: str
    passed: str
    decided: bool
    choices: list[tuple[str, str]]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_PUBLISH)
def migrate(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Choose two versions and a map of steps, see the counts, then move everybody at once."""
    found, user = by_id(workflow_id), staff_of(request)
    versions = list(found.versions.all())
    if len(versions) < 2:
        messages.info(request, "There is one version: nobody can be moved anywhere.")
        return redirect("workflow", found.id)
    given = request.POST if request.method == "POST" else request.GET
    old, new = _chosen(given, versions, found)
    before, after = parse(old.graph), parse(new.graph)
    mapping = _mapping(given, before, after, asked=request.method == "POST")
    faults: Mapping[str, str] = {}
    try:
        if request.method == "POST" and given.get("act") == "move":
            return _moved(request, found, old, new, mapping)
        outcome = migrating.dry_run(old, new, mapping)
    except MigrationRefused as refused:
        faults, outcome = refused.faults, Outcome()
    context: dict[str, Any] = {
        **_told(user, old, new, outcome),
        "workflow": found,
        "versions": versions,
        "old": old,
        "new": new,
        "rows": _rows(user, old, after, mapping, outcome),
        "undecided": migrating.unmapped(before, after),
        "faults": faults,
        "past": found.migrations.all()[:10],
        "may_move": user.may(Permission.WORKFLOWS_PUBLISH),
    }
    return render(request, "workflows/migrate.html", context, status=422 if faults else 200)


def _chosen(
    given: Mapping[str, Any], versions: list[WorkflowVersion], found: Workflow
) -> tuple[WorkflowVersion, WorkflowVersion]:
    """Return the two versions; unless said otherwise, from the one before the live one."""
    by_number = {str(one.number): one for one in versions}
    new = by_number.get(str(given.get("to", ""))) or found.live or versions[0]
    earlier = [one for one in versions if one.number < new.number] or versions
    old = by_number.get(str(given.get("from", ""))) or earlier[0]
    return old, new


def _mapping(given: Mapping[str, Any], old: Graph, new: Graph, *, asked: bool) -> dict[str, str]:
    if not asked:
        return migrating.suggested(old, new)
    return {node: str(given.get(f"to-{node}") or STAY)[:40] for node in old.steps}


def _moved(
    request: HttpRequest,
    found: Workflow,
    old: WorkflowVersion,
    new: WorkflowVersion,
    mapping: Mapping[str, str],
) -> HttpResponse:
    outcome = migrating.migrate(found.id, old, new, mapping, now=timezone.now())
    told = _told(staff_of(request), old, new, outcome)
    messages.success(
        request,
        f"Moved to version {new.number}: {told['moved']}. Left the workflow: {told['left']}. "
        f"Stayed: {told['stayed']}.",
    )
    return redirect("workflow", found.id)


def _told(
    user: User, old: WorkflowVersion, new: WorkflowVersion, outcome: Outcome
) -> dict[str, str]:
    """Tell the sums as far as the role is told how many people there are."""
    tell, about = workflow_figures.of_version(old, user), f"to {new.number}"
    sums = {"moved": outcome.moved, "left": outcome.left, "stayed": outcome.stayed}
    tell.ask({(about, name): count for name, count in sums.items()})
    return {name: str(tell(about, name, count)) for name, count in sums.items()}


def _rows(
    user: User, old: WorkflowVersion, new: Graph, mapping: Mapping[str, str], outcome: Outcome
) -> list[Row]:
    names, before = canvas.names(user), parse(old.graph)
    lines = {one.node: one for one in outcome.lines}
    targets = [(node, canvas.title(new.steps[node], names)) for node in new.in_order()]
    choices = [(STAY, "Stay on this version"), (LEAVE, "Leave the workflow"), *targets]
    known, tell = migrating.suggested(before, new), workflow_figures.of_version(old, user)
    tell.ask({(node, "inside"): line.inside for node, line in lines.items()})
    return [
        Row(
            node,
            canvas.title(before.steps[node], names),
            mapping.get(node, STAY),
            str(tell(node, "inside", lines[node].inside)) if node in lines else "",
            _passed(lines.get(node), tell),
            node in known,
            choices,
        )
        for node in before.in_order()
    ]


def _passed(line: Line | None, tell: Teller) -> str:
    if line is None or not line.passed:
        return ""
    return str(tell(line.node, f"passed {line.target}", line.passed))


@require_POST
@requires(Permission.WORKFLOWS_PUBLISH)
def pause(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    if pausing.pause(by_id(workflow_id).id, now=timezone.now()):
        messages.success(request, "Paused. Everybody stays where they are; nobody comes in.")
    return redirect("workflow", workflow_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_PUBLISH)
def resume(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show what is overdue at which step, and ask what shall become of it."""
    found, user, now = by_id(workflow_id), staff_of(request), timezone.now()
    if found.state != Workflow.State.PAUSED:
        return redirect("workflow", found.id)
    if request.method == "POST":
        choice = request.POST.get("choice", "")
        if choice not in Pause.Choice.values:
            messages.error(request, "Choose what shall become of what is overdue.")
            return redirect("workflow-resume", found.id)
        pausing.resume(found.id, choice=choice, now=now)
        messages.success(request, "Live again.")
        return redirect("workflow", found.id)
    waiting = pausing.overdue(found.id, now=now)
    context = {
        "workflow": found,
        "stood": found.pauses.filter(resumed_at=None).first(),
        "rows": _overdue(user, found, waiting),
        "choices": Pause.Choice.choices,
        "may_resume": user.may(Permission.WORKFLOWS_PUBLISH),
    }
    return render(request, "workflows/resume.html", context)


def _overdue(user: User, found: Workflow, waiting: list[Overdue]) -> list[dict[str, Any]]:
    versions = {one.number: one for one in found.versions.all()}
    names, rows = canvas.names(user), []
    for one in waiting:
        version = versions[one.number]
        step = parse(version.graph).steps.get(one.node)
        tell = workflow_figures.of_version(version, user)
        rows.append(
            {
                "number": one.number,
                "title": canvas.title(step, names) if step else one.node,
                "people": str(tell(one.node, "overdue", one.people)),
            }
        )
    return rows


@require_POST
@requires(Permission.WORKFLOWS_PUBLISH)
def close(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Take nobody in any more; those inside go on, or leave now."""
    found = by_id(workflow_id)
    if found.live is None or found.state == Workflow.State.CLOSED:
        raise Http404
    end_inside = request.POST.get("inside") == "end"
    ended = pausing.close(found.id, end_inside=end_inside, now=timezone.now())
    tell = workflow_figures.of_version(found.live, staff_of(request))
    messages.success(
        request,
        f"Closed. Left now: {tell('', 'closed', ended)}."
        if end_inside
        else "Closed. Who is inside goes on to the end.",
    )
    return redirect("workflow", workflow_id)
