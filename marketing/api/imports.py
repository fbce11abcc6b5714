"""Files of people by HTTP: behind the scenes, but for a FHIR bundle that is wanted at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.canonical import ValueRefused
from contacts.importing import accepting, asking, csv_files, sheets
from contacts.importing.asking import ReadingInvalid
from contacts.importing.broken import FileBroken
from contacts.importing.encodings import ENCODINGS
from contacts.importing.jobs import After
from contacts.importing.models import ImportJob
from contacts.models import ImportRun
from marketing.api.forms import ImportRow
from marketing.api.idempotency import header_of
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.intake import arriving, fhir_files

CHUNK = 1 << 20
READ = ("encoding", "delimiter", "head", "sheet")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FileParser(BaseParser):
    """Hand the body on unread: the importer reads it as a file."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return iter(lambda: stream.read(CHUNK), b"")


class FhirParser(FileParser):
    media_type = "application/fhir+json"


class CsvParser(FileParser):
    media_type = "text/csv"


class WorkbookParser(FileParser):
    media_type = WORKBOOK


class Imports(MachineView):
    """Bring a file of patients."""

    scopes: ClassVar[Scopes] = {"POST": Permission.IMPORTS_RUN}
    parser_classes = [FhirParser, CsvParser, WorkbookParser]

    @extend_schema(
        operation_id="import_file",
        summary="Import a FHIR R4 bundle, a CSV file or an Excel workbook",
        description="A file is kept, sealed, and answered with 202: it is read and checked behind "
        "the scenes, and what follows says `then`. Only FHIR sent without `then` is checked and "
        "stored within the request, answered with 201, and refused whole where anything is wrong "
        "with it: for a patient or a few; bring bulk exports with `then`. Without an "
        "Idempotency-Key a file may have up to 512 MB, with one 256 MB. Importing the same again "
        "changes nothing.",
        parameters=[
            OpenApiParameter("source", OpenApiTypes.STR, description="The system it comes from."),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL, description="The same as then=check."),
            OpenApiParameter(
                "then",
                OpenApiTypes.STR,
                enum=[*After.values],
                description="Wait for a mapping (CSV and workbooks), check, or check and import. "
                "The mapping is the one saved for the source, or is guessed from the headers. "
                "CSV files and workbooks are checked where nothing is said.",
            ),
            OpenApiParameter(
                "strict", OpenApiTypes.BOOL, description="One refused row refuses the file."
            ),
            OpenApiParameter(
                "dates",
                OpenApiTypes.STR,
                description="How dates are written: iso, mdy, dmy or compact.",
            ),
            OpenApiParameter(
                "encoding",
                OpenApiTypes.STR,
                enum=[*ENCODINGS],
                description="How a CSV file is encoded, where its letters may be read in more than "
                "one way. What is not said is found by looking, or refused where it is unclear.",
            ),
            OpenApiParameter("delimiter", OpenApiTypes.STR, description="tab or one of , ; | ^ ~"),
            OpenApiParameter(
                "head",
                OpenApiTypes.INT,
                description="The line of the header; 0 where the file has none, and then the "
                "columns are called Column A, Column B ...",
            ),
            OpenApiParameter("sheet", OpenApiTypes.STR, description="The sheet of a workbook."),
        ],
        request={
            "application/fhir+json": OpenApiRequest(OpenApiTypes.OBJECT),
            "text/csv": OpenApiRequest(OpenApiTypes.BINARY),
            WORKBOOK: OpenApiRequest(OpenApiTypes.BINARY),
        },
        responses={201: ImportRow, 202: ImportRow},
    )
    def post(self, request: Request) -> Response:
        parts = cast(Iterable[bytes], request.data)
        asked = {name: request.query_params.get(name, "") for name in sorted(request.query_params)}
        try:
            if not asked.get("then") and self._form_of(request) == sheets.FHIR:
                with arriving.held(parts) as path:
                    return self._take_bundle(request, path)
            if header_of(request.headers) is None:
                return self._accept(asked, parts, self._form_of(request))
            with arriving.held(parts) as path:
                return self._take_once(request, asked, path)
        except arriving.TooLarge:
            raise _too_large(arriving.LARGEST) from None
        except accepting.TooLarge:
            raise _too_large(accepting.MAX_BYTES) from None

    def _form_of(self, request: Request) -> str:
        """Return what the file is where its type says so; a table shows what it is."""
        is_fhir = (request.content_type or "").startswith(FhirParser.media_type)
        return sheets.FHIR if is_fhir else ""

    def _take_bundle(self, request: Request, path: Path) -> Response:
        report = fhir_files.import_files(
            [path],
            now=self.now,
            source=request.query_params.get("source", fhir_files.SOURCE)[:60],
            dry_run=request.query_params.get("dry_run") == "true",
            names=["bundle.json"],
        )
        if report.problems:
            raise invalid([Fault(one.place, one.message) for one in report.problems])
        return Response(described(ImportRun.objects.get(pk=cast(UUID, report.run))), status=201)

    def _take_once(self, request: Request, asked: Mapping[str, str], path: Path) -> Response:
        digest = hashlib.sha256()
        for part in csv_files.parts(path):
            digest.update(part)
        return self.once(
            lambda: self._accept(asked, csv_files.parts(path), self._form_of(request)),
            "import_file",
            [asked, digest.hexdigest()],
        )

    def _accept(self, asked: Mapping[str, str], parts: Iterable[bytes], form: str) -> Response:
        then = "check" if asked.get("dry_run") == "true" else asked.get("then") or "check"
        if then not in After.values:
            raise invalid([Fault("?then", "Say wait, check or run.")])
        try:
            run = accepting.accept(
                parts,
                name="bundle.json" if form else "",
                source=asked.get("source", fhir_files.SOURCE if form else ""),
                now=self.now,
                after=After(then),
                strict=asked.get("strict") == "true",
                choice={"dates": asked["dates"]} if asked.get("dates") else None,
                form=form,
                reading=None if form else asking.checked({name: asked.get(name) for name in READ}),
            )
        except accepting.TooLarge:
            raise
        except ReadingInvalid as refused:
            raise invalid([Fault(f"?{refused.name}", f"It {refused.reason}.")]) from None
        except FileBroken as broken:
            raise invalid([Fault("", broken.reason)]) from None
        except ValueRefused as refused:
            raise invalid([Fault("?source", refused.reason)]) from None
        return Response(described(run), status=202)


def _too_large(limit: int) -> Problem:
    detail = f"Send at most {limit >> 20} MB, or import the file with manage.py."
    return Problem(413, "too-large", detail)


class OneImport(MachineView):
    """What became of an import, or how far it has come."""

    scopes: ClassVar[Scopes] = {"GET": Permission.IMPORTS_RUN}

    @extend_schema(operation_id="read_import", summary="Read an import", responses=ImportRow)
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(described(run_of(run_id)))


def run_of(run_id: UUID) -> ImportRun:
    run = ImportRun.objects.filter(pk=run_id).first()
    if run is None:
        raise not_found("import")
    return run


def described(run: ImportRun) -> dict[str, Any]:
    job = ImportJob.objects.filter(pk=run.pk).first()
    return {
        "id": str(run.id),
        "state": run.state,
        "read": run.read,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "refused": run.refused,
        "read_past": run.ignored,
        "rows": job.rows if job else run.read,
        "parts": {"done": job.next_chunk, "all": job.chunks} if job else None,
        "columns": job.header if job and run.state == ImportRun.State.MAPPING else [],
        "reading": _reading(run, job),
        "foreseen": job.foreseen if job else {},
        "undone": job.undone if job else {},
        "problems": [{"place": one.place, "detail": one.message} for one in run.problems.all()],
    }


def _reading(run: ImportRun, job: ImportJob | None) -> dict[str, Any] | None:
    """Return how a table is read, and the letters by which to choose where that is asked."""
    if job is None or run.form == sheets.FHIR or "trouble" not in job.reading:
        return None
    read = sheets.unpacked(job.reading)
    return {
        "encoding": read.encoding,
        "delimiter": read.delimiter,
        "head": read.head,
        "sheet": read.sheet,
        "sheets": read.sheets,
        "encodings": dict(read.letters),
    }
