"""Files of patients by HTTP: a FHIR bundle is checked whole, then stored whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any, ClassVar, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts.models import ImportRun
from marketing.api.forms import ImportRow
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.intake import arriving, fhir_files

CHUNK = 1 << 20


class FhirParser(BaseParser):
    """Hand the body on unread: the importer reads it as a file."""

    media_type = "application/fhir+json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return iter(lambda: stream.read(CHUNK), b"")


class Imports(MachineView):
    """Bring a bundle of patients."""

    scopes: ClassVar[Scopes] = {"POST": Permission.IMPORTS_RUN}
    parser_classes = [FhirParser]

    @extend_schema(
        operation_id="import_fhir",
        summary="Import a FHIR R4 bundle",
        description="The whole bundle is checked before anything is written. Importing it again "
        "changes nothing. With dry_run nothing is written at all.",
        parameters=[
            OpenApiParameter("source", OpenApiTypes.STR, description="The system it comes from."),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL),
        ],
        request={"application/fhir+json": OpenApiRequest(OpenApiTypes.OBJECT)},
        responses={201: ImportRow},
    )
    def post(self, request: Request) -> Response:
        try:
            with arriving.held(cast(Iterable[bytes], request.data)) as path:
                report = fhir_files.import_files(
                    [path],
                    now=self.now,
                    source=request.query_params.get("source", fhir_files.SOURCE)[:60],
                    dry_run=request.query_params.get("dry_run") == "true",
                    names=["bundle.json"],
                )
        except arriving.TooLarge:
            limit = arriving.LARGEST // 1024 // 1024
            detail = f"Send at most {limit} MB, or import the file with manage.py import_fhir."
            raise Problem(413, "too-large", detail) from None
        if report.problems:
            raise invalid([Fault(one.place, one.message) for one in report.problems])
        return Response(_described(ImportRun.objects.get(pk=cast(UUID, report.run))), status=201)


class OneImport(MachineView):
    """What became of an import."""

    scopes: ClassVar[Scopes] = {"GET": Permission.IMPORTS_RUN}

    @extend_schema(operation_id="read_import", summary="Read an import", responses=ImportRow)
    def get(self, request: Request, run_id: UUID) -> Response:
        run = ImportRun.objects.filter(pk=run_id).first()
        if run is None:
            raise not_found("import")
        return Response(_described(run))


def _described(run: ImportRun) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "state": run.state,
        "read": run.read,
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "read_past": run.ignored,
        "problems": [{"place": one.place, "detail": one.message} for one in run.problems.all()],
    }
