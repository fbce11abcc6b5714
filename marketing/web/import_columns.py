"""What the columns of a file mean, and how the file is read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.fields import DataClass
from contacts.importing import asking, dates, jobs, mapping, sheets, shown
from contacts.importing.asking import ReadingInvalid
from contacts.importing.csv_form import DELIMITERS
from contacts.importing.encodings import ENCODINGS
from contacts.importing.jobs import NotNow, State
from contacts.importing.mapping import RECORD_NUMBER, Column, MappingInvalid, Meaning
from contacts.importing.models import ImportJob


@require_http_methods(["GET", "POST"])
@requires(Permission.IMPORTS_RUN)
def columns(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Ask what each column means; then have the whole file checked."""
    job = get_object_or_404(ImportJob.objects.select_related("run"), pk=run_id)
    if job.run.form == sheets.FHIR or job.run.state not in (State.MAPPING, State.CHECKED):
        if request.method == "POST":
            now = job.run.get_state_display().lower()
            messages.error(request, f"The columns stay as they were chosen: the import is {now}.")
        return redirect("import", run_id)
    problems: list[str] = []
    meaning = _present(job)
    if request.method == "POST":
        meaning = _chosen(request, job)
        try:
            remember = "remember" in request.POST
            jobs.choose(run_id, meaning, remember=remember, now=timezone.now())
            return redirect("import", run_id)
        except (MappingInvalid, NotNow) as invalid:
            problems = [str(invalid)[:1].upper() + str(invalid)[1:] + "."]
    return render(request, "imports/columns.html", _context(request, job, meaning, problems))


@require_POST
@requires(Permission.IMPORTS_RUN)
def reading(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Read the kept file another way."""
    get_object_or_404(ImportJob.objects.exclude(run__form=sheets.FHIR), pk=run_id)
    said = {name: request.POST.get(name) for name in ("encoding", "delimiter", "sheet", "head")}
    try:
        asking.read_again(run_id, said)
    except (ReadingInvalid, NotNow) as refused:
        messages.error(request, f"{str(refused)[:1].upper()}{str(refused)[1:]}.")
    return redirect("import", run_id)


def _present(job: ImportJob) -> Meaning:
    if job.mapping:
        return mapping.unpacked(job.mapping)
    return mapping.guessed(job.header, job.samples, jobs.saved_mapping(job.run.source))


def _chosen(request: HttpRequest, job: ImportJob) -> Meaning:
    given = request.POST
    return Meaning(
        tuple(
            Column(place, title.strip(), key, f"clears-{place}" in given)
            for place, title in enumerate(job.header)
            if (key := given.get(f"means-{place}", ""))
        ),
        given.get("dates", ""),
        "comma" in given,
        given.get("marker", "").strip()[:100],
    )


def _context(
    request: HttpRequest, job: ImportJob, meaning: Meaning, problems: list[str]
) -> dict[str, Any]:
    read = sheets.unpacked(job.reading)
    return {
        "job": job,
        "run": job.run,
        "problems": problems,
        "meaning": meaning,
        "columns": _shown(staff_of(request), job, meaning),
        "fields": [(RECORD_NUMBER, "Record number"), *_field_choices()],
        "dates": dates.ORDERS.items(),
        "saved": jobs.saved_mapping(job.run.source) is not None and not job.mapping,
        "reading": read,
        "offered": [(key, ENCODINGS[key], letters) for key, letters in read.letters],
        "above": read.head - 1 if read.head > 1 else 0,
        "encodings": ENCODINGS.items(),
        "delimiters": DELIMITERS.items(),
        "lost_zeros": [column.letter for column in meaning.columns if column.place in read.numeric],
    }


def _field_choices() -> list[tuple[str, str]]:
    return [(key, one.label) for key, one in mapping.fields().items()]


def _shown(user: User, job: ImportJob, meaning: Meaning) -> list[shown.ShownColumn]:
    """Return the columns; showing a value of a person goes into the trail."""
    may_see = frozenset(map(DataClass, user.data_classes))
    found = list(
        shown.columns(
            job.header,
            job.samples,
            meaning,
            may_see=may_see,
        )
    )
    if any(column.samples and not column.masked for column in found):
        detail = {"classes": sorted(kind.value for kind in may_see)}
        trail.record("import.sampled", subject=jobs.subject(job.pk), detail=detail)
    return found
