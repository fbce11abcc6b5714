"""A workflow's draft: drawn and edited on the canvas, or as JSON; what keeps it from going live."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web import canvas_forms
from marketing.web.canvas_forms import faults
from marketing.web.canvas_forms.entering import TRIGGERS
from messaging.making import naming
from workflows import lint, publishing
from workflows.models import Enrolment, Workflow
from workflows.problems import Problem

LONGEST = 200_000
TAKEN = "Another workflow has this name. Choose another."
START = {
    "trigger": {"kind": "api"},
    "start": "end",
    "nodes": [{"id": "end", "kind": "exit"}],
}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def new(request: HttpRequest) -> HttpResponse:
    """Ask for a name; the steps are drawn on the next page."""
    if request.method != "POST":
        return render(request, "workflows/new.html", {"name": ""})
    name = request.POST.get("name", "").strip()[:120]
    if not any(character.isalnum() for character in name):
        return _unnamed(request, name, "Give the workflow a name with letters or figures.")
    if Workflow.objects.filter(name=name).exists():
        return _unnamed(request, name, TAKEN)
    try:
        with transaction.atomic():
            slug, now = _slug_of(name), timezone.now()
            made = publishing.create(name, slug=slug, draft=START, now=now)
    except IntegrityError:
        return _unnamed(request, name, TAKEN)
    return redirect("workflow-edit", made.id)


def _slug_of(name: str) -> str:
    """Return a short name that is free; a name without Latin letters gives none of its own."""
    return naming.free(slugify(name) or "workflow", Workflow.objects.all())


def _unnamed(request: HttpRequest, name: str, fault: str) -> HttpResponse:
    return render(request, "workflows/new.html", {"name": name, "fault": fault}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WORKFLOWS_EDIT)
def edit(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """The draft, drawn; a POST saves it as JSON, for who would rather write."""
    found = _workflow(workflow_id)
    if request.method == "POST":
        return _save_text(request, found, request.POST.get("graph", "")[:LONGEST])
    problems = lint.check(found.draft, workflow_id=found.id)[1]
    return _page(request, found, problems)


def refused(request: HttpRequest, found: Workflow, problems: Sequence[Problem]) -> HttpResponse:
    """Show the draft that could not be published, with why."""
    return _page(request, found, problems, status=422)


@require_POST
@requires(Permission.WORKFLOWS_EDIT)
def check(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Say what keeps this draft from going live; nothing is saved."""
    given = _given(request)
    if given is None:
        return JsonResponse({"detail": "Send JSON with a draft."}, status=400)
    problems = lint.check(given["draft"], workflow_id=_workflow(workflow_id).id)[1]
    return JsonResponse({"problems": _plain(problems, given["draft"])})


@require_POST
@requires(Permission.WORKFLOWS_EDIT)
def save(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Keep the draft, unless somebody changed it since the editor read it."""
    given, now = _given(request), timezone.now()
    if given is None:
        return JsonResponse({"detail": "Send JSON with a draft."}, status=400)
    seen = parse_datetime(str(given.get("seen", "")))
    with transaction.atomic():
        found = Workflow.objects.select_for_update().filter(id=workflow_id).first()
        if found is None:
            raise Http404
        if seen != found.changed_at:
            return JsonResponse({"detail": "The draft was changed meanwhile."}, status=409)
        problems = publishing.save_draft(found, given["draft"], now=now)
    return JsonResponse({"problems": _plain(problems, given["draft"]), "seen": _stamp(now)})


def _given(request: HttpRequest) -> dict[str, Any] | None:
    raw = request.read(LONGEST + 1)
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return given if len(raw) <= LONGEST and isinstance(given, dict) and "draft" in given else None


def _workflow(workflow_id: UUID) -> Workflow:
    found = Workflow.objects.select_related("live").filter(id=workflow_id).first()
    if found is None:
        raise Http404
    return found


def _save_text(request: HttpRequest, found: Workflow, text: str) -> HttpResponse:
    try:
        draft = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        where = f"line {getattr(wrong, 'lineno', 1)}, column {getattr(wrong, 'colno', 1)}"
        fault = Problem("", "unreadable", f"this is not JSON: look at {where}")
        return _page(request, found, [fault], text=text, status=422)
    if publishing.save_draft(found, draft, now=timezone.now()):
        messages.warning(request, "Saved. The draft cannot go live yet; see below.")
        return redirect("workflow-edit", found.id)
    messages.success(request, "Saved. Nothing keeps the draft from going live.")
    return redirect("workflow", found.id)


def _page(
    request: HttpRequest,
    found: Workflow,
    problems: Sequence[Problem],
    *,
    text: str | None = None,
    status: int = 200,
) -> HttpResponse:
    user = staff_of(request)
    drawn = text is None and canvas_forms.drawable(found.draft)
    context = {
        "workflow": found,
        "graph": json.dumps(found.draft, indent=2, ensure_ascii=False) if text is None else text,
        "faults": problems,
        "editor": _editor(found, problems, canvas_forms.forms(user)) if drawn else None,
        "inside": _inside(found),
        "may_publish": user.may(Permission.WORKFLOWS_PUBLISH),
    }
    return render(request, "workflows/edit.html", context, status=status)


def _editor(found: Workflow, problems: Sequence[Problem], forms: dict[str, Any]) -> dict[str, Any]:
    return {
        "draft": {"start": ""} | found.draft,
        "forms": forms,
        "problems": _plain(problems, found.draft),
        "seen": _stamp(found.changed_at),
        "check": reverse("workflow-check", args=[found.id]),
        "save": reverse("workflow-save", args=[found.id]),
    }


def _inside(found: Workflow) -> int:
    waiting = Enrolment.objects.filter(workflow_id=found.id, state=Enrolment.State.WAITING)
    return waiting.count() if found.live else 0


def _plain(problems: Sequence[Problem], draft: object) -> list[dict[str, str]]:
    forms = (*canvas_forms.KINDS, *TRIGGERS)
    return [asdict(faults.in_words(one, draft, forms)) for one in problems]


def _stamp(moment: datetime) -> str:
    return moment.isoformat()
