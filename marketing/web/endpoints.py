"""Settings of the endpoints that workflows call: each with its address, its secret, a test."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts.fields import DataClass
from messaging import outside
from workflows import dependants
from workflows.models import Endpoint, WebhookCall
from workflows.webhooks import delivering, tending
from workflows.webhooks.client import Answered
from workflows.webhooks.words import in_words
from workflows.writing_back import receivers

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE
MOST = 50
CLASSES = [(one.value, one.value.replace("_", " ").capitalize()) for one in DataClass]


class EndpointForm(forms.Form):
    """Where the calls go, who receives them, and what they may say."""

    name = forms.CharField(label="Name", max_length=80, help_text="As workflows call it.")
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="Begins with https://. Kept sealed.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    authorization = forms.CharField(
        label="Authorization header",
        required=False,
        max_length=400,
        help_text="If the receiver wants one, such as Bearer and a token. Kept sealed and never "
        "shown; empty keeps the one there is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    own = forms.BooleanField(
        label="It is our own system: nobody else sees what is sent", required=False
    )
    recipient = forms.CharField(
        label="Recipient",
        required=False,
        max_length=120,
        help_text="Who receives, for the record of disclosures.",
    )
    address = forms.CharField(label="Address of the recipient", required=False, max_length=200)
    agreement_from = forms.DateField(
        label="Business associate agreement from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    agreement_until = forms.DateField(
        label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    classes = forms.MultipleChoiceField(
        label="It may be told",
        required=False,
        choices=CLASSES,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing chosen: it is called without a word of whom it is about.",
    )
    paused = forms.BooleanField(label="Paused: no calls until this is off again", required=False)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        if problem := outside.problem(url, outside.hosts()):
            raise forms.ValidationError(problem)
        return url

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        begun, ends = given.get("agreement_from"), given.get("agreement_until")
        if begun and ends and ends < begun:
            self.add_error("agreement_until", "It ends before it begins.")
        if given.get("classes") and not given.get("own"):
            self._check_recipient(given)
        given["classes"] = sorted(given.get("classes") or ())
        return given

    def _check_recipient(self, given: dict[str, Any]) -> None:
        if not given.get("agreement_from"):
            self.add_error(
                "agreement_from", "Say since when the recipient's agreement counts, or that the "
                "system is your own, or let it be told nothing."
            )  # fmt: skip
        for name in ("recipient", "address"):
            if not given.get(name):
                self.add_error(name, "Disclosures name who receives, and where.")


@requires(SEE)
@require_safe
def endpoints(request: HttpRequest) -> HttpResponse:
    """List the endpoints."""
    rows = Endpoint.objects.order_by("archived_at", "name")
    context = {
        "rows": [{"endpoint": one, "host": _host(one)} for one in rows],
        "today": timezone.now().date(),
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "settings/endpoints.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(CHANGE, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    """Add one; its secret is shown once."""
    form = EndpointForm(request.POST or None, auto_id="endpoint_%s")
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "settings/new_endpoint.html", {"form": form}, status=status)
    given = form.cleaned_data
    given["authorization"] = given["authorization"] or None
    made = tending.add(given, random=secrets.token_bytes, now=timezone.now())
    return render(request, "settings/endpoint_made.html", {"endpoint": made, "secret": made.secret})


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Show and change one."""
    found = get_object_or_404(Endpoint, pk=endpoint_id, archived_at=None)
    if request.method != "POST":
        initial = {name: getattr(found, name) for name in EndpointForm.base_fields}
        shown = EndpointForm(initial=initial | {"authorization": ""}, auto_id="endpoint_%s")
        return _show(request, found, shown)
    form = EndpointForm(request.POST, auto_id="endpoint_%s")
    if not form.is_valid():
        return _show(request, found, form, status=422)
    given = form.cleaned_data
    if not given["authorization"]:
        given.pop("authorization")
    changed = tending.change(found, given)
    messages.success(request, "Saved." if changed else "Nothing was different.")
    return redirect("endpoint", endpoint_id)


@require_POST
@requires(CHANGE)
def test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Make one signed call that is about nobody, and say what came of it."""
    found = get_object_or_404(Endpoint, pk=endpoint_id, archived_at=None)
    tried = tending.test(found, post=delivering.usual(), now=timezone.now())
    if isinstance(tried.said, Answered):
        sentence = f"It answered with status {tried.said.status}."
    else:
        sentence = f"No answer: {in_words(tried.said.code)}."
    (messages.success if tried.good else messages.error)(request, sentence)
    return redirect("endpoint", endpoint_id)


@require_POST
@requires(CHANGE, fresh=True)
def renew(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Make another secret and show it once."""
    found = get_object_or_404(Endpoint, pk=endpoint_id, archived_at=None)
    secret = tending.renew_secret(found, random=secrets.token_bytes, now=timezone.now())
    context = {"endpoint": found, "secret": secret, "renewed": True}
    return render(request, "settings/endpoint_made.html", context)


@require_POST
@requires(CHANGE)
def archive(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Put it away, unless a live workflow calls it."""
    found = get_object_or_404(Endpoint, pk=endpoint_id, archived_at=None)
    leaning = dependants.of_endpoint(endpoint_id)
    if leaning:
        names = ", ".join(one.title for one in leaning)
        messages.error(request, f"Workflows call it: {names}. Change or close them first.")
        return redirect("endpoint", endpoint_id)
    if receivers.of_endpoint(endpoint_id):
        messages.error(
            request, "It is told what workflows write back: end that under Write-backs first."
        )
        return redirect("endpoint", endpoint_id)
    tending.archive(found, now=timezone.now())
    messages.success(request, f"{found.name} is called no more.")
    return redirect("endpoints")


def _host(one: Endpoint) -> str:
    return str(one.url).split("/")[2].rpartition("@")[2]


def _show(
    request: HttpRequest, found: Endpoint, form: EndpointForm, *, status: int = 200
) -> HttpResponse:
    calls = WebhookCall.objects.filter(endpoint_id=found.pk)
    waiting = calls.filter(state=WebhookCall.State.OPEN).count()
    context = {
        "endpoint": found,
        "host": _host(found),
        "form": form,
        "calls": [
            {"call": one, "reason": in_words(one.reason) if one.reason else ""}
            for one in calls.order_by("-id")[:MOST]
        ],
        "waiting": waiting,
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "settings/endpoint.html", context, status=status)
