"""Let contacts into a workflow by name."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from marketing.api import people
from marketing.api.forms import Enrolled, EnrolmentForm
from marketing.api.idempotency import header_of, once
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from workflows import enrol
from workflows.models import Workflow


class Enrolments(MachineView):
    """Who is let in by another system."""

    scopes: ClassVar[Scopes] = {"POST": Permission.WORKFLOWS_ENROL}

    @extend_schema(
        operation_id="enrol_contacts",
        summary="Enrol contacts in a workflow",
        description="Who has been inside before stays where they are. Consent is asked at every "
        "message as always.",
        request=EnrolmentForm,
        responses=Enrolled,
        examples=[
            OpenApiExample(
                "One contact",
                value={"contacts": ["0199f0a0-0000-7000-8000-000000000001"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, workflow_id: UUID) -> Response:
        if not Workflow.objects.filter(pk=workflow_id).exists():
            raise not_found("workflow")
        form = EnrolmentForm(data=request.data)
        form.is_valid(raise_exception=True)
        return once(
            lambda: self._enrol(workflow_id, form.validated_data),
            key=header_of(request.headers),
            machine=self.key(),
            request=(f"enrol {workflow_id}", request.data),
            now=self.now,
        )

    def _enrol(self, workflow_id: UUID, given: dict[str, Any]) -> Response:
        contacts = set(people.every(given["contacts"], pointer="/contacts"))
        try:
            entered = enrol.enrol(
                workflow_id, contacts, occurrence=given.get("occurrence", ""), now=self.now
            )
        except enrol.NotLive as why:
            raise Problem(409, "conflict", str(why)) from None
        return Response({"enrolled": entered, "already_inside": len(contacts) - entered})
