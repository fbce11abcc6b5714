"""Who pays for what a campaign or a step of a workflow sends, shown where one publishes (PR-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts import guard
from accounts.roles import Permission
from consent.purposes import Remuneration
from consent.rules import shelf
from marketing.campaigns.models import Campaign, Run
from messaging.models import Template, TemplateVersion
from messaging.paying import stating
from workflows.graph import parse
from workflows.models import Workflow
from workflows.problems import GraphInvalid
from workflows.steps import Send

ALL = "Everything that it sends"


class Stating(forms.Form):
    """A payment that was agreed; it is stated once and never taken back."""

    step = forms.ChoiceField(label="For", required=False)
    payer = forms.CharField(label="Who pays", max_length=120)
    product_of = forms.CharField(
        label="Whose product or service it describes",
        max_length=120,
        help_text="Payment by that party makes it marketing, whatever its purpose.",
    )
    on_behalf = forms.BooleanField(required=False, label="The payer acts for that party")
    kind = forms.ChoiceField(choices=[("cash", "Cash"), ("in_kind", "In kind")], label="Paid in")
    amount = forms.IntegerField(
        min_value=0, required=False, label="Payment for each message, in cents"
    )
    cost = forms.IntegerField(min_value=0, required=False, label="Cost of each message, in cents")

    def paid(self) -> Remuneration:
        given = self.cleaned_data
        return Remuneration(
            payer=given["payer"],
            product_of=given["product_of"],
            kind=given["kind"],
            amount=given["amount"] or 0,
            cost=given["cost"] or 0,
            on_behalf=given["on_behalf"],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One message that is sent, what is paid for it, and what that makes it."""

    step: str
    template: Template
    paid: stating.Payments
    becomes: str

    @property
    def changed(self) -> bool:
        return self.becomes != self.template.purpose


def of_workflow(workflow: Workflow, *, now: datetime) -> list[Line]:
    """Return a line for each message that the draft or the live version sends, if anybody pays."""
    stated = stating.of_sources([workflow.id])
    return _paid(_lines(sends_of(workflow).items(), workflow.id, stated, now=now))


def of_the_campaign(campaign: Campaign, *, now: datetime) -> list[Line]:
    stated = stating.of_sources([campaign.id])
    sends = [("", one.template) for one in campaign.variants.select_related("template")]
    return _paid(_lines(sends, campaign.id, stated, now=now))


def of_campaign(campaign: Campaign, version: TemplateVersion) -> stating.Payments:
    """Return all that is paid for a campaign's message."""
    own = Remuneration.read(version.remuneration)
    further = stating.of_sources([campaign.id]).of(campaign.id, "")
    return (*((own,) if own else ()), *further)


def _paid(lines: list[Line]) -> list[Line]:
    return lines if any(one.paid for one in lines) else []


def _lines(
    sends: Iterable[tuple[str, Template]], source: UUID, stated: stating.Stated, *, now: datetime
) -> list[Line]:
    rules, lines = shelf.at(now), []
    for step, template in sends:
        own = Remuneration.read(template.remuneration)
        paid = (*((own,) if own else ()), *stated.of(source, step))
        rule = rules.purposes.get(template.purpose)
        made = rule is not None and any(one.makes_marketing(rule) for one in paid)
        becomes = rule.when_paid if made and rule else template.purpose
        lines.append(Line(step, template, paid, becomes))
    return lines


def sends_of(workflow: Workflow) -> dict[str, Template]:
    """Return the messages of the live version and of the draft, by their steps."""
    found: dict[str, UUID] = {}
    graphs = [workflow.live.graph if workflow.live else None, workflow.draft]
    for raw in graphs:
        try:
            steps: Mapping[str, Any] = parse(raw).steps if raw is not None else {}
        except GraphInvalid:
            continue
        found |= {node: step.template for node, step in steps.items() if isinstance(step, Send)}
    rows = Template.objects.in_bulk(set(found.values()))
    return {node: rows[one] for node, one in found.items() if one in rows}


@guard.requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_PUBLISH)
@require_http_methods(["GET", "HEAD", "POST"])
def workflow(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    found = get_object_or_404(Workflow.objects.select_related("live"), id=workflow_id)
    sends = sends_of(found)
    choices = [("", ALL), *((node, f"{node}: {one.name}") for node, one in sends.items())]
    stated = stating.of_sources([found.id])
    lines = _lines(sends.items(), found.id, stated, now=timezone.now())
    back = reverse("workflow", args=[found.id])
    return _page(request, found.name, [found.id], choices, lines, back)


@guard.requires(Permission.WORKFLOWS_VIEW, changing=Permission.WORKFLOWS_PUBLISH)
@require_http_methods(["GET", "HEAD", "POST"])
def campaign(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """What is stated of a campaign holds for its runs, also for those that are under way."""
    found = get_object_or_404(Campaign, id=campaign_id)
    runs = list(Run.objects.filter(campaign=found).values_list("id", flat=True))
    sends = [("", one.template) for one in found.variants.select_related("template")]
    lines = _lines(sends, found.id, stating.of_sources([found.id]), now=timezone.now())
    back = reverse("campaign", args=[found.id])
    return _page(request, found.name, [found.id, *runs], [("", ALL)], lines, back)


def _page(
    request: HttpRequest,
    name: str,
    sources: list[UUID],
    choices: list[tuple[str, str]],
    lines: list[Line],
    back: str,
) -> HttpResponse:
    may = guard.staff_of(request).may(Permission.WORKFLOWS_PUBLISH)
    form = Stating(request.POST if request.method == "POST" else None)
    form.fields["step"].choices = choices  # type: ignore[attr-defined]
    if form.is_bound and form.is_valid():
        now = timezone.now()
        for source in sources:
            stating.state(source, form.paid(), step=form.cleaned_data["step"], now=now)
        messages.success(request, "The payment is on record and counts from now on.")
        return redirect(request.path)
    context = {"name": name, "form": form, "lines": lines, "back": back, "may_state": may}
    status = 422 if form.is_bound else 200
    return render(request, "messaging/payments.html", context, status=status)
