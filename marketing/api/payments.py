"""Who pays for what a campaign or a workflow sends: stated once, never taken back (PR-02)."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from consent.purposes import Remuneration
from marketing.api.campaign_forms import PaymentForm, PaymentRow, PaymentRows
from marketing.api.campaigns import by_id
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found
from marketing.web import payments
from messaging.paying import stating
from messaging.paying.models import SendPayment
from messaging.paying.stating import PaymentInvalid
from workflows.models import Workflow

PAID = {
    "payer": "Acme Pharma",
    "product_of": "Acme Pharma",
    "kind": "cash",
    "amount": 150,
    "cost": 20,
}


class _Payments(MachineView):
    scopes: ClassVar[Scopes] = {
        "GET": Permission.WORKFLOWS_VIEW,
        "POST": Permission.WORKFLOWS_PUBLISH,
    }

    def told(self, source: UUID) -> Response:
        rows = SendPayment.objects.filter(source=source).order_by("id")
        return Response({"payments": [_row(one) for one in rows]})

    def stated(self, request: Request, sources: list[UUID], given: dict[str, Any]) -> Response:
        """Write the payment for the first source and for its runs."""

        def state() -> Response:
            step = given["step"]
            paid = Remuneration(**{name: given[name] for name in given if name != "step"})
            try:
                made, *_ = (stating.state(one, paid, step=step, now=self.now) for one in sources)
            except PaymentInvalid as why:
                field, _, said = str(why).partition(": ")
                raise invalid([Fault(f"/{field}", said)]) from None
            return Response(_row(made), status=201)

        return self.once(state, f"state_payment {sources[0]}", request.data)


class CampaignPayments(_Payments):
    """Who pays for a campaign."""

    @extend_schema(
        operation_id="read_campaign_payments",
        summary="Read who pays for a campaign",
        responses=PaymentRows,
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        return self.told(by_id(campaign_id).id)

    @extend_schema(
        operation_id="state_campaign_payment",
        summary="State who pays for a campaign",
        description="It counts from now on, for the runs under way too, and is never taken back.",
        request=PaymentForm,
        responses={201: PaymentRow},
        examples=[OpenApiExample("The maker pays", value=PAID, request_only=True)],
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        found = by_id(campaign_id)
        given = _given(request)
        if given["step"]:
            raise invalid([Fault("/step", "A campaign has no steps: leave it out.")])
        runs = list(found.runs.values_list("id", flat=True))
        return self.stated(request, [found.id, *runs], given)


class WorkflowPayments(_Payments):
    """Who pays for a workflow, or one of its steps."""

    @extend_schema(
        operation_id="read_workflow_payments",
        summary="Read who pays for a workflow",
        responses=PaymentRows,
    )
    def get(self, request: Request, workflow_id: UUID) -> Response:
        return self.told(_workflow(workflow_id).id)

    @extend_schema(
        operation_id="state_workflow_payment",
        summary="State who pays for a workflow or a step",
        request=PaymentForm,
        responses={201: PaymentRow},
        examples=[
            OpenApiExample("For one step", value=PAID | {"step": "invite"}, request_only=True)
        ],
    )
    def post(self, request: Request, workflow_id: UUID) -> Response:
        found = _workflow(workflow_id)
        given = _given(request)
        if given["step"] and given["step"] not in payments.sends_of(found):
            raise invalid([Fault("/step", "No step of that name sends a message.")])
        return self.stated(request, [found.id], given)


def _given(request: Request) -> dict[str, Any]:
    form = PaymentForm(data=request.data)
    form.is_valid(raise_exception=True)
    given: dict[str, Any] = form.validated_data
    return given


def _workflow(workflow_id: UUID) -> Workflow:
    found = Workflow.objects.filter(pk=workflow_id).select_related("live").first()
    if found is None:
        raise not_found("workflow")
    return found


def _row(made: SendPayment) -> dict[str, Any]:
    paid = Remuneration.read(made.paid)
    assert paid is not None
    return {
        "step": made.step,
        "payer": paid.payer,
        "product_of": paid.product_of,
        "on_behalf": paid.on_behalf,
        "kind": paid.kind,
        "amount": paid.amount,
        "cost": paid.cost,
        "stated_at": made.stated_at,
    }
