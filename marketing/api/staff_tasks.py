"""What workflows ask of staff, over HTTP: the open tasks, and what became of one.

A key sees a task where it may see every fact that led a person to it: to be asked for says them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from marketing.api.askers import Machine
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from workflows import staff_tasks

PAGE = 100
OUTCOMES = ("done", "failed")


class TaskRow(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    contact = serializers.UUIDField()
    workflow = serializers.UUIDField()
    due_at = serializers.DateTimeField()


class TaskPage(serializers.Serializer[Any]):
    tasks = TaskRow(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`after` of the next page, if any.")
    beyond = serializers.BooleanField(
        help_text="There are others, about facts that the key does not see."
    )


class OutcomeForm(Form):
    outcome = serializers.ChoiceField(choices=OUTCOMES, help_text="Was it done, or not?")


class OutcomeNoted(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=OUTCOMES)


class StaffTasks(MachineView):
    """The open tasks."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TASKS_HANDLE}

    @extend_schema(
        operation_id="read_tasks",
        summary="Read what workflows ask of staff",
        description="The most urgent first.",
        parameters=[
            OpenApiParameter("after", OpenApiTypes.INT, description="`next` of the page before.")
        ],
        responses=TaskPage,
    )
    def get(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 18:
            raise invalid([Fault("?after", "Give the number that stood in `next`.")])
        granted = Machine(self.key()).data_classes
        found, beyond = staff_tasks.open_for(granted, after=int(after), limit=PAGE)
        trail.record("contact.listed", detail={"count": len(found)})
        rows = [
            {
                "id": one.id,
                "title": one.title,
                "contact": one.public_id,
                "workflow": one.workflow_id,
                "due_at": one.due_at,
            }
            for one in found
        ]
        following = found[-1].id if len(found) == PAGE else None
        return Response({"tasks": rows, "next": following, "beyond": beyond})


class TaskOutcomes(MachineView):
    """What became of a task."""

    scopes: ClassVar[Scopes] = {"POST": Permission.TASKS_HANDLE}

    @extend_schema(
        operation_id="end_task",
        summary="Say what became of a task",
        description="Whoever waits for it in the workflow goes on. What is said first stands.",
        request=OutcomeForm,
        responses=OutcomeNoted,
        examples=[OpenApiExample("It was done", value={"outcome": "done"}, request_only=True)],
    )
    def post(self, request: Request, number: int) -> Response:
        says = staff_tasks.classes_of(number)
        if says is None or not says <= Machine(self.key()).data_classes:
            raise not_found("task")
        form = OutcomeForm(data=request.data)
        form.is_valid(raise_exception=True)
        outcome = form.validated_data["outcome"]
        return self.once(lambda: self._end(number, outcome), f"end task {number}", request.data)

    def _end(self, number: int, outcome: str) -> Response:
        if not staff_tasks.end(number, outcome=outcome, now=self.now):
            raise Problem(409, "conflict", "The task was over before; what was said first stands.")
        return Response({"id": number, "outcome": outcome})
