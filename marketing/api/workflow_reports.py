"""A workflow's report, the people behind it, and where one contact is, for other systems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organisation
from accounts.roles import Permission
from audit import trail
from contacts.segments.counts import Shown
from contacts.segments.definition import DefinitionInvalid
from marketing.api import people as named
from marketing.api.contacts import classes_of
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Problem, not_found
from marketing.reports import goals, people
from marketing.reports.cohort import Cohort
from marketing.web import workflow_reports
from marketing.web.workflow_figures import classes_of as classes_of_version
from marketing.web.workflow_report_told import Rate, ToldTotals
from marketing.web.workflow_reports import GOALS, SINCE, UNITS, Reading, ReportForm
from workflows import whereabouts
from workflows.models import Workflow, WorkflowVersion

COUNT = "A number; null where it is small and the key does not see what decides it."


class ReportAsked(Form):
    """Everything may be left out."""

    version = serializers.IntegerField(required=False, help_text="The live one if left out.")
    since = serializers.ChoiceField(
        required=False, choices=[one for one, _ in SINCE if one], help_text="Entered in these days."
    )
    segment = serializers.UUIDField(required=False, help_text="Only who is in it now.")
    goal = serializers.ChoiceField(
        required=False, choices=GOALS, help_text="Kind of an event; the workflow's own if left out."
    )
    days = serializers.ChoiceField(required=False, choices=[str(one) for one in goals.WITHIN])
    unit = serializers.ChoiceField(required=False, choices=[one for one, _ in UNITS])


class ReportRecord(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    exact = serializers.BooleanField(help_text="False: counts are blurred to the nearest ten.")
    totals = serializers.DictField(help_text=COUNT)
    messages = serializers.ListField(child=serializers.DictField())
    steps = serializers.ListField(child=serializers.DictField())
    over_time = serializers.ListField(child=serializers.DictField())
    by_segment = serializers.ListField(child=serializers.DictField())
    goal = serializers.DictField(allow_null=True)


class PeopleAsked(Form):
    version = serializers.IntegerField(required=False)
    who = serializers.ChoiceField(required=False, choices=[one for one in people.WHO if one])
    step = serializers.CharField(required=False, max_length=40)
    after = serializers.IntegerField(required=False, min_value=0, default=0)


class PeopleRecord(serializers.Serializer[Any]):
    people = serializers.ListField(child=serializers.DictField())
    next = serializers.IntegerField(allow_null=True, help_text="Send it as `after`.")


class WhereaboutsRecord(serializers.Serializer[Any]):
    workflows = serializers.ListField(child=serializers.DictField())


class Reports(MachineView):
    """What a workflow did."""

    scopes: ClassVar[Scopes] = {"GET": Permission.WORKFLOWS_VIEW}

    @extend_schema(
        operation_id="read_workflow_report",
        summary="Read the report on a workflow",
        description="Who was reached, what people and programs did with each message, where "
        "people left and how long they stayed, over time, by segment, and how many came to the "
        "goal beside those held out, with 95 % intervals. Counts are blurred where the key does "
        "not see what decides them.",
        parameters=[ReportAsked],
        responses=ReportRecord,
    )
    def get(self, request: Request, workflow_id: UUID) -> Response:
        found = _workflow(workflow_id)
        asked = ReportAsked(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        key = self.key()
        granted = {kind.value for kind in classes_of(key)}
        given = QueryDict(mutable=True)
        given.update({name: str(value) for name, value in asked.validated_data.items()})
        form = ReportForm(given, found, granted)
        if form.chosen is None or not form.is_valid():
            raise not_found("segment" if "segment" in form.errors else "version")
        zone = Organisation.objects.get(pk=key.organisation_id).zone
        try:
            wanted = workflow_reports.asked_of(form, now=self.now, zone=zone)
        except DefinitionInvalid:
            detail = "The segment is broken or not approved: mend it first."
            raise Problem(409, "conflict", detail) from None
        reading = workflow_reports.read(wanted, granted=granted, asker=key.id, zone=zone)
        return Response(_record(reading))


class ReportPeople(MachineView):
    """The people behind the figures."""

    scopes: ClassVar[Scopes] = {"GET": Permission.MESSAGES_VIEW}

    @extend_schema(
        operation_id="list_workflow_people",
        summary="List who got which message, and what they did with it",
        description=f"{people.PAGE} at a time. The key needs the scopes that open all that the "
        "workflow's steps ask; every reading is in the trail.",
        parameters=[PeopleAsked],
        responses=PeopleRecord,
    )
    def get(self, request: Request, workflow_id: UUID) -> Response:
        asked = PeopleAsked(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        given, key = asked.validated_data, self.key()
        version = _version(_workflow(workflow_id), given.get("version"))
        granted = frozenset(kind.value for kind in classes_of(key))
        beyond = classes_of_version(version) - granted
        if beyond or not key.allows(Permission.CONTACTS_VIEW):
            detail = "To list people, a key needs contacts.view and must see what the steps ask"
            raise Problem(403, "scope-missing", f"{detail}: {', '.join(sorted(beyond))}.")
        cohort = Cohort(version)
        rows = people.page(
            cohort, who=given.get("who", ""), step=given.get("step", ""), after=given["after"]
        )
        trail.record("contact.listed", detail={"count": len(rows), "page": "workflow_report"})
        last = rows[-1].id if len(rows) == people.PAGE else None
        return Response({"people": [_person(one, granted) for one in rows], "next": last})


class ContactWorkflows(MachineView):
    """Where one contact is."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="read_contact_workflows",
        summary="Read where a contact is, across all workflows",
        description="Where the contact is now first, then where it was. Workflows whose steps ask "
        "more of a person than the key sees are left out. Every reading is in the trail.",
        responses=WhereaboutsRecord,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = named.one(public_id)
        granted = {kind.value for kind in classes_of(self.key())}
        rows = whereabouts.of_person(contact_id, within=granted)
        trail.record(
            "contact.viewed", subject=f"contact:{contact_id}", detail={"purpose": "workflows"}
        )
        return Response({"workflows": [_place(one) for one in rows]})


def _workflow(workflow_id: UUID) -> Workflow:
    found = Workflow.objects.select_related("live").filter(pk=workflow_id).first()
    if found is None:
        raise not_found("workflow")
    return found


def _version(found: Workflow, number: int | None) -> WorkflowVersion:
    version = found.versions.filter(number=number).first() if number else found.live
    if version is None:
        raise not_found("version")
    return version


def _record(reading: Reading) -> dict[str, Any]:
    told, asked = reading.told, reading.asked
    return {
        "version": asked.version.number,
        "exact": told.exact,
        "totals": _totals(told.totals),
        "messages": [
            {
                "step": one.step,
                "states": _counts(one.states),
                "people": _counts(one.people),
                "programs": _counts(one.programs),
                "links": _counts(one.links),
            }
            for one in told.messages
        ],
        "steps": [
            {
                "step": one.node,
                "came": one.arrived.number,
                "went_on": one.passed.number,
                "here": one.inside.number,
                "left": one.left.number,
                "left_because": _counts(one.reasons),
                "median_seconds": one.spell.median if one.spell else None,
                "p90_seconds": one.spell.p90 if one.spell else None,
            }
            for one in told.steps
        ],
        "over_time": [{"from": one.day, **_totals(one)} for one in told.periods],
        "by_segment": [{"people": one.label, **_totals(one)} for one in told.segments],
        "goal": _goal(reading),
    }


def _goal(reading: Reading) -> dict[str, Any] | None:
    told, asked = reading.told, reading.asked
    if told.conversion is None:
        return None
    return {
        "event": asked.goal,
        "days": asked.days,
        "everybody": _rate(told.conversion),
        "arms": [
            {"split": one.node, "arm": one.way, "hold_out": one.hold, **_rate(one.rate)}
            for one in told.arms
        ],
        "effects": [
            {
                "split": one.node,
                "difference": one.effect.gap if one.effect else None,
                "interval": [one.effect.interval.low, one.effect.interval.high]
                if one.effect
                else None,
            }
            for one in told.effects
        ],
    }


def _rate(one: Rate) -> dict[str, Any]:
    interval = [one.interval.low, one.interval.high] if one.interval else None
    return {"of": one.of.number, "came": one.did.number, "share": one.share, "interval": interval}


def _totals(one: ToldTotals) -> dict[str, int | None]:
    return {
        "entered": one.entered.number,
        "reached": one.reached.number,
        "engaged": one.engaged.number,
        "came": one.came.number,
    }


def _counts(told: Mapping[str, Shown]) -> dict[str, int | None]:
    return {name: one.number for name, one in told.items()}


def _person(one: people.Person, granted: frozenset[str]) -> dict[str, Any]:
    return {
        "contact": str(one.public_id),
        "entered_at": one.entered_at,
        "state": one.state,
        "step": one.node,
        "outcome": one.outcome,
        "ended_at": one.ended_at,
        "messages": [
            {
                "id": str(got.message.public_id),
                "step": got.message.step,
                "state": got.message.state,
                "refusal": got.message.refusal_code,
                "sent_at": got.message.sent_at,
                "people": got.people,
                "programs": got.programs,
            }
            for got in one.got
            if set(got.message.classes) <= granted
        ],
    }


def _place(one: whereabouts.Whereabouts) -> dict[str, Any]:
    enrolment = one.enrolment
    return {
        "workflow": str(one.workflow.id),
        "name": one.workflow.name,
        "version": one.version.number,
        "state": enrolment.state,
        "step": enrolment.node,
        "outcome": enrolment.outcome,
        "entered_at": enrolment.entered_at,
        "arrived_at": enrolment.arrived_at,
        "due_at": enrolment.due_at,
        "ended_at": enrolment.ended_at,
        "object_at": enrolment.object_at,
    }
