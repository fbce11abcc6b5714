"""Tasks that workflows ask of staff: what is to be done, by when, and what became of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from workflows import staff_tasks

PAGE = 50
OUTCOMES = {"done": "Noted as done.", "failed": "Noted as not done."}


@require_safe
@requires(Permission.TASKS_HANDLE)
def tasks(request: HttpRequest) -> HttpResponse:
    """The open tasks whose people the reader may know, the most urgent first."""
    given = request.GET.get("after", "")
    after = int(given) if given.isdecimal() and len(given) < 19 else 0
    found, beyond = staff_tasks.open_for(staff_of(request).data_classes, after=after, limit=PAGE)
    trail.record("contact.listed", detail={"count": len(found)})
    context = {
        "tasks": found,
        "beyond": beyond,
        "now": timezone.now(),
        "next": f"?after={found[-1].id}" if len(found) == PAGE else "",
    }
    return render(request, "workflows/tasks.html", context)


@require_POST
@requires(Permission.TASKS_HANDLE)
def outcome(request: HttpRequest, task_id: int) -> HttpResponse:
    """Say what became of a task; whoever waits for it goes on."""
    said = request.POST.get("outcome", "")
    if said not in OUTCOMES:
        messages.error(request, "Say whether the task was done or not done.")
        return redirect("tasks")
    classes = staff_tasks.classes_of(task_id)
    if classes is None:
        raise Http404
    if not classes <= staff_of(request).data_classes:
        raise PermissionDenied
    if staff_tasks.end(task_id, outcome=said, now=timezone.now()):
        messages.success(request, OUTCOMES[said])
    else:
        messages.error(request, "The task was over before; what was said first stands.")
    return redirect("tasks")
