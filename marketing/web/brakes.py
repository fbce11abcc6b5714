"""How hard the brakes on workflows are set, and which workflows they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.web import canvas, workflow_figures
from workflows import apart
from workflows.brakes import tally
from workflows.graph import parse
from workflows.models import Pause, WorkflowVersion


class Setting(forms.Form):
    most_a_day = forms.IntegerField(
        label="Messages for one person within 24 hours",
        min_value=1,
        max_value=1_000,
        help_text="Of all workflows together. Who got so many waits until a place is free.",
    )
    factor = forms.IntegerField(
        label="Times what is normal",
        min_value=2,
        max_value=1_000,
        help_text="Normal is the busiest hour of the past 28 days, or what was expected at "
        "publication. More than so many times that within one hour pauses the workflow.",
    )
    floor = forms.IntegerField(
        label="An hour with no more than this is never too much",
        min_value=1,
        max_value=10_000_000,
        help_text="Entries, or messages, of one workflow; what holds for a new one.",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """People at one step whom the same error holds, as the reader may be told."""

    version: WorkflowVersion
    node: str
    title: str
    error: str
    people: str
    next_at: datetime | None


def _stuck(user: User) -> list[Row]:
    found, names = apart.standing(), canvas.names(user)
    versions = WorkflowVersion.objects.select_related("workflow").in_bulk(
        [one.version_id for one in found]
    )
    rows = []
    for one in found:
        version = versions[one.version_id]
        step = parse(version.graph).steps.get(one.node)
        tell = workflow_figures.of_version(version, user)
        rows.append(
            Row(
                version,
                one.node,
                canvas.title(step, names) if step else one.node,
                one.error,
                str(tell(one.node, f"stuck {one.error}", one.people)),
                one.next_at,
            )
        )
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_PUBLISH)
def brakes(request: HttpRequest) -> HttpResponse:
    now = tally.settings()
    held = {"most_a_day": now.most_a_day, "factor": now.factor, "floor": now.floor}
    form = Setting(request.POST) if request.method == "POST" else Setting(initial=held)
    if request.method == "POST" and form.is_valid():
        tally.set_to(tally.Settings(**form.cleaned_data))
        messages.success(request, "Set. It holds from now on.")
        return redirect("workflow-brakes")
    context: dict[str, Any] = {
        "stuck": _stuck(staff_of(request)),
        "form": form,
        "held": held,
        "braked": Pause.objects.filter(resumed_at=None).exclude(why="").select_related("workflow"),
        "may_change": staff_of(request).may(Permission.WORKFLOWS_PUBLISH),
    }
    status = 422 if form.errors else 200
    return render(request, "workflows/brakes.html", context, status=status)
