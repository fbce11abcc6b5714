"""Start, pause, go on with, give up and undo an import; take its refused rows back."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires
from accounts.roles import Permission
from contacts.importing import jobs, refused_file, undoing
from contacts.importing.jobs import NotNow
from contacts.importing.models import ImportJob
from contacts.models import ImportRun


@require_POST
@requires(Permission.IMPORTS_RUN)
def begin(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _act(request, run_id, lambda: jobs.begin(run_id, seen=request.POST.get("seen", "")))


@require_POST
@requires(Permission.IMPORTS_RUN)
def pause(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _act(request, run_id, lambda: jobs.pause(run_id))


@require_POST
@requires(Permission.IMPORTS_RUN)
def resume(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _act(request, run_id, lambda: jobs.resume(run_id))


@require_POST
@requires(Permission.IMPORTS_RUN)
def give_up(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return _act(request, run_id, lambda: jobs.give_up(run_id, now=timezone.now()))


@require_http_methods(["GET", "POST"])
@requires(Permission.IMPORTS_RUN)
def undo(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Say what undoing would do, with counts; then do it."""
    run = get_object_or_404(ImportRun.objects.select_related("job"), pk=run_id)
    if request.method == "POST":
        return _act(request, run_id, lambda: undoing.begin(run_id, now=timezone.now()))
    job = ImportJob.objects.select_related("run").filter(pk=run_id).first()
    if job is None or not undoing.is_possible(job):
        return redirect("import", run_id)
    context = {"run": run, "would": undoing.foresee(run_id), "stopped": undoing.is_stopped(job)}
    return render(request, "imports/undo.html", context)


@require_POST
@requires(Permission.IMPORTS_DOWNLOAD)
def refused(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """Give the refused rows as they came, each with its reason; the trail says who took them."""
    job = get_object_or_404(ImportJob, pk=run_id)
    given = refused_file.download(job, as_workbook=request.POST.get("as") == "workbook")
    answer = StreamingHttpResponse(given.parts, content_type=given.content_type)
    answer["Content-Disposition"] = f'attachment; filename="refused-{run_id}.{given.ending}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _act(request: HttpRequest, run_id: UUID, act: Callable[[], None]) -> HttpResponse:
    get_object_or_404(ImportRun, pk=run_id)
    try:
        act()
    except NotNow as late:
        messages.error(request, str(late)[:1].upper() + str(late)[1:] + ".")
    return redirect("import", run_id)
