"""Let contacts into a workflow by name, and try a workflow before."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from contacts.fields import DataClass
from marketing.api import contacts, people
from marketing.api.forms import Enrolled, EnrolmentForm, SimulationForm, SimulationRecord
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from marketing.web.workflow_figures import real_classes
from workflows import enrol
from workflows.models import Simulation, Workflow
from workflows.problems import GraphInvalid
from workflows.simulate import keeping


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
        return self.once(
            lambda: self._enrol(workflow_id, form.validated_data),
            f"enrol {workflow_id}",
            request.data,
        )

    def _enrol(self, workflow_id: UUID, given: dict[str, Any]) -> Response:
        contacts = set(people.every(given["contacts"], pointer="/contacts"))
        try:
            entered = enrol.enrol(
                workflow_id,
                contacts,
                occurrence=given.get("occurrence", ""),
                object_at=given.get("object_at"),
                now=self.now,
            )
        except enrol.NeedsObject as why:
            raise Problem(422, "invalid", str(why)) from None
        except enrol.NotLive as why:
            raise Problem(409, "conflict", str(why)) from None
        return Response({"enrolled": entered, "already_inside": len(contacts) - entered})


class Simulations(MachineView):
    """A workflow is tried under a virtual clock; nobody is touched."""

    scopes: ClassVar[Scopes] = {"POST": Permission.WORKFLOWS_ENROL}

    @extend_schema(
        operation_id="simulate_workflow",
        summary="Simulate a workflow",
        description="Runs a version, or the draft, under a virtual clock. Nothing is sent or "
        "changed. A large simulation is still waiting when it answers: ask for it again.",
        request=SimulationForm,
        responses=SimulationRecord,
        examples=[
            OpenApiExample(
                "A hundred invented people",
                value={
                    "plan": {"people": {"kind": "synthetic", "count": 100}, "days": 90},
                    "promises": [{"kind": "all_exit", "days": 60}],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, workflow_id: UUID) -> Response:
        found = Workflow.objects.filter(pk=workflow_id).first()
        if found is None:
            raise not_found("workflow")
        form = SimulationForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        number = given.get("version")
        if number is not None and not found.versions.filter(number=number).exists():
            raise not_found("version")
        try:
            made = keeping.start(
                found, given["plan"], number=number, raw_promises=given["promises"], now=self.now
            )
        except GraphInvalid as invalid:
            raise Problem(422, "invalid", str(invalid)) from None
        keeping.attempt(made, now=self.now)
        return Response(_told(made, self.key()), status=201 if made.state == "done" else 202)


class OneSimulation(MachineView):
    """What a simulation came to."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_ENROL}

    @extend_schema(
        operation_id="read_simulation",
        summary="Read a simulation",
        responses=SimulationRecord,
    )
    def get(self, request: Request, workflow_id: UUID, simulation_id: UUID) -> Response:
        made = Simulation.objects.filter(pk=simulation_id, workflow_id=workflow_id).first()
        if made is None:
            raise not_found("simulation")
        return Response(_told(made, self.key()))


def _told(made: Simulation, key: ApiKey) -> dict[str, Any]:
    """Counts only: whose way it was stays inside. Of chosen people counts say as much as the
    ways: they are for keys that see what the steps ask."""
    granted = {kind.value for kind in contacts.classes_of(key)}
    beyond = {kind.value for kind in DataClass} & real_classes(made) - granted
    if beyond:
        detail = (
            f"A simulation of real people says {', '.join(sorted(beyond))} facts of them, which "
            "this key does not see. Simulate invented people."
        )
        raise Problem(403, "scope-missing", detail)
    return {
        "id": made.id,
        "version": made.number,
        "state": made.state,
        "progress": made.progress,
        "problem": made.problem,
        "result": made.result,
    }
