"""Imports: bring a file, see what it would do, see what became of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts.importing import csv_files
from contacts.importing.runs import Report
from contacts.models import ImportRun
from marketing.intake import arriving, fhir_files

MOST = 50


class Bringing(forms.Form):
    """A file, and how to read it."""

    file = forms.FileField(
        label="File", help_text="FHIR R4 (a bundle or NDJSON, also .gz or .xz) or CSV with a head."
    )
    form = forms.ChoiceField(choices=[("fhir", "FHIR R4"), ("csv", "CSV")], label="Form")
    source = forms.CharField(
        max_length=60,
        label="Source system",
        help_text="Whose record numbers these are. The same source and number is the same person.",
    )
    dates = forms.ChoiceField(
        choices=[("iso", "1970-12-31"), ("mdy", "12/31/1970"), ("dmy", "31/12/1970")],
        label="Dates in a CSV file",
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > arriving.LARGEST:
            limit = arriving.LARGEST // 1024 // 1024
            raise forms.ValidationError(f"Over {limit} MB: use manage.py import_fhir for it.")
        return file


@require_http_methods(["GET", "POST"])
@requires(Permission.IMPORTS_VIEW, changing=Permission.IMPORTS_RUN)
def imports(request: HttpRequest) -> HttpResponse:
    """List the runs; check a file, or check and import it."""
    form = Bringing(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        report = _take(form.cleaned_data, dry_run="import" not in request.POST)
        return redirect("import", report.run)
    context = {
        "form": form,
        "runs": ImportRun.objects.order_by("-started_at")[:MOST],
        "may_run": staff_of(request).may(Permission.IMPORTS_RUN),
    }
    return render(request, "imports/list.html", context)


@require_safe
@requires(Permission.IMPORTS_VIEW)
def one(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show what became of one file, with every problem and its place."""
    run = get_object_or_404(ImportRun, pk=run_id)
    context = {"run": run, "problems": run.problems.order_by("id")}
    return render(request, "imports/one.html", context)


def _take(given: dict[str, Any], *, dry_run: bool) -> Report:
    file: UploadedFile = given["file"]
    path, now = _path_of(file), timezone.now()
    if given["form"] == "csv":
        return csv_files.import_file(
            path,
            source=given["source"],
            now=now,
            dates=given["dates"],
            dry_run=dry_run,
            name="file.csv",
        )
    return fhir_files.import_files(
        [path], source=given["source"], now=now, dry_run=dry_run, names=["file"]
    )


def _path_of(file: UploadedFile) -> Path:
    """Return the path of an upload that arriving.MemoryUpload keeps."""
    return arriving.path_of(cast(Any, file.file).fileno())
