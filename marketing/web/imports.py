"""Imports: bring a file, follow it, and see what became of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts.canonical import ValueRefused
from contacts.importing import accepting, jobs, refused_file, undoing
from contacts.importing.broken import FileBroken
from contacts.importing.models import ImportJob
from contacts.models import ImportRun
from marketing.intake import arriving

MOST = 50
PART = 1 << 20
State = ImportRun.State
KINDS = {
    State.DONE: "ok",
    State.REFUSED: "bad",
    State.FAILED: "bad",
    State.PAUSED: "warn",
    State.MAPPING: "warn",
    State.CHECKED: "info",
}


class Bringing(forms.Form):
    """A file, and whose it is."""

    file = forms.FileField(
        label="File",
        help_text="CSV or an Excel workbook, the header first; or FHIR R4 (a bundle or NDJSON).",
    )
    source = forms.CharField(
        max_length=60,
        label="Source system",
        help_text="Whose record numbers these are. The same source and number is the same person.",
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > arriving.LARGEST_UPLOAD:
            limit = arriving.LARGEST_UPLOAD // 1024 // 1024
            raise forms.ValidationError(f"Over {limit} MB: use manage.py import_csv for it.")
        return file


@require_http_methods(["GET", "POST"])
@requires(Permission.IMPORTS_VIEW, changing=Permission.IMPORTS_RUN)
def imports(request: HttpRequest) -> HttpResponse:
    """List the runs; take a file."""
    form = Bringing(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("import", _take(form.cleaned_data))
        except FileBroken as broken:
            form.add_error("file", broken.reason[:1].upper() + broken.reason[1:] + ".")
        except ValueRefused as refused:
            form.add_error("source", refused.reason[:1].upper() + refused.reason[1:] + ".")
    context = {
        "form": form,
        "runs": [_row(run) for run in ImportRun.objects.order_by("-started_at")[:MOST]],
        "may_run": staff_of(request).may(Permission.IMPORTS_RUN),
    }
    return render(request, "imports/list.html", context)


@require_safe
@requires(Permission.IMPORTS_VIEW)
def one(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show how far an import has come, or what became of it, with every problem and its place."""
    run = get_object_or_404(ImportRun, pk=run_id)
    user = staff_of(request)
    told = progress_of(run)
    job: ImportJob | None = told["job"]
    context = {
        **told,
        "seen": jobs.checked_as(job) if job and run.state == State.CHECKED else "",
        "may_undo": job is not None and undoing.is_possible(job),
        "refused_rows": refused_file.count(job) if job else 0,
        "problems": run.problems.order_by("id")[:100],
        "may_run": user.may(Permission.IMPORTS_RUN),
        "may_download": user.may(Permission.IMPORTS_DOWNLOAD),
    }
    return render(request, "imports/one.html", context)


@require_safe
@requires(Permission.IMPORTS_VIEW)
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Give the progress alone; where a person is waited for, or it is over, have the page anew."""
    run = get_object_or_404(ImportRun, pk=run_id)
    if run.state not in jobs.WORKING:
        asks = run.state == State.MAPPING and staff_of(request).may(Permission.IMPORTS_RUN)
        where = reverse("import-columns" if asks else "import", args=[run.pk])
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return render(request, "imports/_progress.html", progress_of(run))


def progress_of(run: ImportRun) -> dict[str, Any]:
    job = ImportJob.objects.select_related("run").filter(pk=run.pk).first()
    return {
        "run": run,
        "job": job,
        "kind": KINDS.get(State(run.state), "plain"),
        "working": job is not None and run.state in jobs.WORKING,
        "percent": _percent(run, job) if job else 0,
        "of_rows": job.rows if job and run.state != State.READING else 0,
    }


def _percent(run: ImportRun, job: ImportJob) -> int:
    if run.state == State.UNDOING:
        total = run.created + run.updated
        return min(100, 100 * sum(job.undone.values()) // total) if total else 0
    if run.state == State.READING or not job.chunks:
        return 0
    return 100 * job.next_chunk // job.chunks


def _row(run: ImportRun) -> dict[str, Any]:
    return {"run": run, "kind": KINDS.get(State(run.state), "plain")}


def _take(given: dict[str, Any]) -> UUID:
    """Keep the file for the loop."""
    file: UploadedFile = given["file"]
    parts = _parts(file)
    name, source = file.name or "", given["source"]
    return accepting.accept(parts, name=name, source=source, now=timezone.now()).pk


def _parts(file: UploadedFile) -> Iterator[bytes]:
    while part := file.read(PART):
        yield part
