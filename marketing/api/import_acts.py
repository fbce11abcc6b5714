"""What a machine can do with an import behind the scenes; each act may be repeated by its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.importing import asking, jobs, refused_file, sheets, undoing
from contacts.importing.asking import ReadingInvalid
from contacts.importing.encodings import ENCODINGS
from contacts.importing.jobs import NotNow
from contacts.importing.mapping import Column, MappingInvalid, Meaning
from contacts.importing.models import ImportJob
from marketing.api.forms import ImportRow
from marketing.api.imports import described, run_of
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found


class MappingForm(serializers.Serializer[Any]):
    """What the columns mean."""

    columns = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=80),
        help_text="The field of each column by its header; record_number is needed once. Columns "
        "that are not named are skipped.",
    )
    blank_clears = serializers.ListField(
        child=serializers.CharField(max_length=500),
        default=list,
        help_text="Headers of columns in which a blank cell clears what is known.",
    )
    dates = serializers.CharField(default="", allow_blank=True, max_length=10)
    decimal_comma = serializers.BooleanField(default=False)
    clear_marker = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=100,
        help_text="Texts of cells that clear what is known, divided by commas.",
    )
    remember = serializers.BooleanField(default=True)


_EXAMPLE = {
    "columns": {"MRN": "record_number", "First name": "given_name", "DOB": "birth_date"},
    "blank_clears": [],
    "dates": "mdy",
}


class ReadingForm(serializers.Serializer[Any]):
    """How the file is written; what is not said is found by looking."""

    encoding = serializers.ChoiceField(choices=[*ENCODINGS], required=False)
    delimiter = serializers.CharField(
        required=False, max_length=3, trim_whitespace=False, help_text="tab or one of , ; | ^ ~"
    )
    head = serializers.IntegerField(
        required=False, min_value=0, max_value=asking.DEEPEST, help_text="The header's line, or 0."
    )
    sheet = serializers.CharField(required=False, max_length=100)


class ImportReadings(MachineView):
    """Read the kept file another way."""

    scopes: ClassVar[Scopes] = {"POST": Permission.IMPORTS_RUN}

    @extend_schema(
        operation_id="read_import_again",
        summary="Say how the file is written, and have it read again",
        request=ReadingForm,
        examples=[OpenApiExample("Its letters", value={"encoding": "cp1250"}, request_only=True)],
        responses=ImportRow,
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        run = run_of(run_id)
        form = ReadingForm(data=request.data)
        form.is_valid(raise_exception=True)
        if run.form == sheets.FHIR:
            raise Problem(409, "conflict", "A FHIR file is read in one way only.")
        try:
            asking.read_again(run_id, form.validated_data)
        except ReadingInvalid as refused:
            raise invalid([Fault(f"/{refused.name}", f"It {refused.reason}.")]) from None
        except NotNow as late:
            raise Problem(409, "conflict", f"{late}.") from None
        return Response(described(run_of(run_id)))


class UndoForeseen(serializers.Serializer[Any]):
    removed = serializers.IntegerField()
    kept = serializers.IntegerField()
    restored = serializers.IntegerField()
    partly = serializers.IntegerField()


class ImportMappings(MachineView):
    """Say what the columns of a file mean."""

    scopes: ClassVar[Scopes] = {"POST": Permission.IMPORTS_RUN}

    @extend_schema(
        operation_id="map_import",
        summary="Say what the columns mean, and have the file checked",
        request=MappingForm,
        examples=[OpenApiExample("Three columns", value=_EXAMPLE, request_only=True)],
        responses=ImportRow,
    )
    def post(self, request: Request, run_id: UUID) -> Response:
        run_of(run_id)
        form = MappingForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        job = ImportJob.objects.filter(pk=run_id).first()
        if job is None:
            raise not_found("import")
        try:
            jobs.choose(run_id, _meaning(job, given), remember=given["remember"], now=self.now)
        except MappingInvalid as refused:
            raise invalid([Fault("/columns", str(refused))]) from None
        except NotNow as late:
            raise Problem(409, "conflict", f"{late}.") from None
        return Response(described(run_of(run_id)))


def _meaning(job: ImportJob, given: dict[str, Any]) -> Meaning:
    titles = [title.strip() for title in job.header]
    unknown = [title for title in given["columns"] if title.strip() not in titles]
    if unknown:
        raise MappingInvalid(f"{len(unknown)} of the headers are not in the file")
    return Meaning(
        tuple(
            Column(titles.index(title.strip()), title.strip(), key, title in given["blank_clears"])
            for title, key in given["columns"].items()
            if key
        ),
        given["dates"],
        given["decimal_comma"],
        given["clear_marker"],
    )


class _Act(MachineView):
    """One act on an import."""

    scopes: ClassVar[Scopes] = {"POST": Permission.IMPORTS_RUN}
    name: ClassVar[str]

    def act(self, run_id: UUID) -> None:
        raise NotImplementedError

    def answer(self, request: Request, run_id: UUID) -> Response:
        def do() -> Response:
            run_of(run_id)
            try:
                self.act(run_id)
            except NotNow as late:
                raise Problem(409, "conflict", f"{late}.") from None
            return Response(described(run_of(run_id)))

        return self.once(do, f"{self.name} {run_id}", None)


def _told(name: str, summary: str) -> Callable[[Any], Any]:
    told: Callable[[Any], Any] = extend_schema(
        operation_id=name, summary=summary, request=None, responses=ImportRow
    )
    return told


class ImportStarts(_Act):
    name = "start_import"

    def act(self, run_id: UUID) -> None:
        jobs.begin(run_id)

    @_told(name, "Import what was checked")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id)


class ImportPauses(_Act):
    name = "pause_import"

    def act(self, run_id: UUID) -> None:
        jobs.pause(run_id)

    @_told(name, "Pause an import")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id)


class ImportResumptions(_Act):
    name = "resume_import"

    def act(self, run_id: UUID) -> None:
        jobs.resume(run_id)

    @_told(name, "Go on with an import that was paused or failed")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id)


class ImportWithdrawals(_Act):
    name = "give_up_import"

    def act(self, run_id: UUID) -> None:
        jobs.give_up(run_id, now=self.now)

    @_told(name, "Delete a file of which nothing was written")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id)


class ImportUndoings(_Act):
    name = "undo_import"
    scopes: ClassVar[Scopes] = {"GET": Permission.IMPORTS_RUN, "POST": Permission.IMPORTS_RUN}

    def act(self, run_id: UUID) -> None:
        undoing.begin(run_id, now=self.now)

    @extend_schema(
        operation_id="foresee_undo",
        summary="Count what undoing an import would do now",
        responses=UndoForeseen,
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        run_of(run_id)
        job = ImportJob.objects.select_related("run").filter(pk=run_id).first()
        if job is None or not undoing.is_possible(job):
            detail = "Only an import that is done, or that stopped midway, can be undone."
            raise Problem(409, "conflict", detail)
        return Response(asdict(undoing.foresee(run_id)))

    @_told(name, "Undo an import")
    def post(self, request: Request, run_id: UUID) -> Response:
        return self.answer(request, run_id)


class ImportRefusals(MachineView):
    """The refused rows, as they came."""

    scopes: ClassVar[Scopes] = {"GET": Permission.IMPORTS_DOWNLOAD}

    @extend_schema(
        operation_id="read_refused_rows",
        summary="Take the refused rows back",
        description="Of a table, CSV: the rows as they came, with their lines and reasons. Of a "
        "FHIR file, a bundle of the entries as they came, each with an OperationOutcome. The trail "
        "says who took them.",
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            (200, "application/fhir+json"): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request, run_id: UUID) -> Any:
        job = ImportJob.objects.filter(pk=run_id).first()
        if job is None:
            raise not_found("import")
        given = refused_file.download(job)
        answer = StreamingHttpResponse(given.parts, content_type=given.content_type)
        answer["Cache-Control"] = "no-store"
        return answer
