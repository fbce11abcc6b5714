"""The brakes on workflows over HTTP: how hard they are set, which they hold, going on after one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from marketing.api.askers import Machine
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from marketing.web.workflow_figures import classes_of, teller
from workflows.brakes import tally
from workflows.models import Pause, Workflow
from workflows.moving import pausing


class BrakesForm(Form):
    """Each is kept as it is where it is left out."""

    most_a_day = serializers.IntegerField(
        min_value=1, max_value=1_000, required=False,
        help_text="Messages of all workflows for one person within 24 hours.",
    )  # fmt: skip
    factor = serializers.IntegerField(
        min_value=2, max_value=1_000, required=False,
        help_text="More than so many times the normal hour pauses a workflow.",
    )  # fmt: skip
    floor = serializers.IntegerField(
        min_value=1, max_value=10_000_000, required=False,
        help_text="An hour with no more entries, or messages, than this is never too much.",
    )  # fmt: skip


class HeldRow(serializers.Serializer[Any]):
    workflow = serializers.UUIDField()
    name = serializers.CharField()
    why = serializers.CharField(help_text="entry_rate or message_rate.")
    most = serializers.IntegerField(help_text="What one hour may bring; more was asked for.")
    since = serializers.DateTimeField()


class BrakesBody(serializers.Serializer[Any]):
    most_a_day = serializers.IntegerField()
    factor = serializers.IntegerField()
    floor = serializers.IntegerField()
    held = HeldRow(many=True, help_text="The workflows that a brake holds now.")


class OverdueRow(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    step = serializers.CharField()
    people = serializers.IntegerField(
        allow_null=True, help_text="Blurred, or null for few, where the key does not see the facts."
    )


class PauseBody(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Workflow.State.values)
    since = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField(help_text="The brake that pulled; empty where a person paused it.")
    overdue = OverdueRow(many=True, help_text="Who waits at a step whose time is over.")


class ResumeForm(Form):
    overdue = serializers.ChoiceField(
        choices=Pause.Choice.values,
        help_text="What becomes of what is overdue: send it, skip those messages, or shift "
        "everybody by the length of the pause.",
    )


class Brakes(MachineView):
    """How hard the organisation's brakes are set."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.WORKFLOWS_VIEW,
        "PATCH": Permission.WORKFLOWS_PUBLISH,
    }

    @extend_schema(
        operation_id="read_brakes",
        summary="Read the brakes on workflows, and which they hold",
        responses=BrakesBody,
    )
    def get(self, request: Request) -> Response:
        return Response(_brakes())

    @extend_schema(
        operation_id="set_brakes",
        summary="Set the brakes on workflows",
        description="Holds from the next turn on. A workflow that is held stays held: resume it.",
        request=BrakesForm,
        responses=BrakesBody,
        examples=[OpenApiExample("A higher ceiling", value={"most_a_day": 12}, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        form = BrakesForm(data=request.data)
        form.is_valid(raise_exception=True)
        held = tally.settings()
        given = {"most_a_day": held.most_a_day, "factor": held.factor, "floor": held.floor}
        tally.set_to(tally.Settings(**(given | form.validated_data)))
        return Response(_brakes())


class PauseOfWorkflow(MachineView):
    """Why a workflow stands still, and who is overdue in it."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_VIEW}

    @extend_schema(
        operation_id="read_pause",
        summary="Read why a workflow stands still, and what is overdue in it",
        responses=PauseBody,
    )
    def get(self, request: Request, workflow_id: UUID) -> Response:
        found = _found(workflow_id)
        stood = found.pauses.filter(resumed_at=None).first()
        return Response(
            {
                "state": found.state,
                "since": stood.paused_at if stood else None,
                "why": stood.why if stood else "",
                "overdue": self._overdue(found) if stood else [],
            }
        )

    def _overdue(self, found: Workflow) -> list[dict[str, Any]]:
        machine = Machine(self.key())
        tellers = {
            one.number: teller(classes_of(one), machine, "workflow", str(one.id))
            for one in found.versions.all()
        }
        return [
            {
                "version": one.number,
                "step": one.node,
                "people": tellers[one.number](one.node, "overdue", one.people).number,
            }
            for one in pausing.overdue(found.id, now=self.now)
        ]


class Resumptions(MachineView):
    """A paused workflow goes on."""

    scopes: ClassVar[Scopes] = {"POST": Permission.WORKFLOWS_PUBLISH}

    @extend_schema(
        operation_id="resume_workflow",
        summary="Let a paused workflow go on",
        description="After a brake this also says that so many are right: as many are expected "
        "from then on. Read what is overdue first.",
        request=ResumeForm,
        responses=PauseBody,
        examples=[OpenApiExample("Send it late", value={"overdue": "send"}, request_only=True)],
    )
    def post(self, request: Request, workflow_id: UUID) -> Response:
        found = _found(workflow_id)
        form = ResumeForm(data=request.data)
        form.is_valid(raise_exception=True)
        choice = form.validated_data["overdue"]
        return self.once(lambda: self._resume(found, choice), f"resume {found.id}", request.data)

    def _resume(self, found: Workflow, choice: str) -> Response:
        if not pausing.resume(found.id, choice=choice, now=self.now):
            raise Problem(409, "conflict", "The workflow is not paused.")
        return Response({"state": Workflow.State.LIVE, "since": None, "why": "", "overdue": []})


def _found(workflow_id: UUID) -> Workflow:
    found = Workflow.objects.filter(pk=workflow_id).first()
    if found is None:
        raise not_found("workflow")
    return found


def _brakes() -> dict[str, Any]:
    held = tally.settings()
    rows = Pause.objects.filter(resumed_at=None).exclude(why="").select_related("workflow")
    return {
        "most_a_day": held.most_a_day,
        "factor": held.factor,
        "floor": held.floor,
        "held": [
            {
                "workflow": one.workflow_id,
                "name": one.workflow.name,
                "why": one.why,
                "most": one.most,
                "since": one.paused_at,
            }
            for one in rows
        ],
    }
