"""Settings of who is told what workflows write back, and how far each has come."""

from __future__ import annotations

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
from workflows.models import Endpoint, WriteBackReader, WriteBackReceiver, WriteBackSetAside
from workflows.webhooks import endpoints
from workflows.webhooks.words import in_words
from workflows.writing_back import receivers

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE
MOST = 50
Form = WriteBackReceiver.Form


class ReceiverForm(forms.Form):
    """How one endpoint is told."""

    form = forms.ChoiceField(
        label="As",
        choices=Form.choices,
        help_text="HL7 goes over HTTP (application/hl7-v2), and the receiver's acknowledgement "
        "counts.",
    )
    source = forms.CharField(
        label="Record numbers of",
        required=False,
        max_length=60,
        help_text="The source system whose numbers the receiver knows, such as ehr. Empty tells "
        "all. Numbers go only to endpoints that may be told identity.",
    )
    application = forms.CharField(
        label="Receiving application (MSH-5)", required=False, max_length=60
    )
    facility = forms.CharField(label="Receiving facility (MSH-6)", required=False, max_length=60)
    document = forms.CharField(
        label="Document type (TXA-2)",
        required=False,
        max_length=20,
        help_text="The code that the receiver has for such notes; MDM^T02 needs it.",
    )

    def __init__(self, *given: Any, endpoint: Endpoint | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self.endpoint = endpoint

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("form") == Form.MDM and not given.get("document"):
            self.add_error("document", "Write the code of the document type, such as PN.")
        if self.endpoint and (lacking := receivers.missing(self.endpoint, given.get("form", ""))):
            self.add_error(
                "form",
                f"{self.endpoint.name} may not be told {' and '.join(lacking)}: "
                "allow it under Settings, Endpoints, first.",
            )
        return given


class NewReceiverForm(ReceiverForm):
    """Which endpoint, how, and from where on."""

    endpoint_id = forms.ModelChoiceField(
        label="Endpoint",
        queryset=Endpoint.objects.none(),
        empty_label="Choose one",
        help_text="Its address, secret and agreement stand under Settings, Endpoints.",
    )
    start = forms.ChoiceField(
        label="Begin",
        choices=[("now", "with what comes from now on"), ("first", "with all there is")],
    )
    field_order = ("endpoint_id", "form", "start")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        told = {one.receiver.endpoint_id for one in receivers.standing()}
        free = [one.pk for one in endpoints.in_use() if one.pk not in told]
        chosen = self.fields["endpoint_id"]
        assert isinstance(chosen, forms.ModelChoiceField)
        chosen.queryset = Endpoint.objects.filter(pk__in=free).order_by("name")

    def clean(self) -> dict[str, Any]:
        self.endpoint = self.cleaned_data.get("endpoint_id")
        return super().clean()


@requires(SEE)
@require_safe
def write_backs(request: HttpRequest) -> HttpResponse:
    """List who is told, and who reads."""
    context = {
        "rows": [
            {"standing": one, "reason": in_words(one.receiver.reason)}
            for one in receivers.standing()
        ],
        "readers": [
            {"reader": one, "behind": receivers.behind(one.position)}
            for one in WriteBackReader.objects.order_by("name")
        ],
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "settings/write_backs.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(CHANGE, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    """Let an endpoint be told."""
    form = NewReceiverForm(request.POST or None, auto_id="receiver_%s")
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "settings/new_write_back.html", {"form": form}, status=status)
    given = form.cleaned_data
    endpoint, from_now = given["endpoint_id"], given["start"] == "now"
    made = receivers.add(endpoint, given, from_now=from_now, now=timezone.now())
    messages.success(request, f"{endpoint.name} is told what workflows write back.")
    return redirect("write-back-receiver", made.pk)


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def receiver(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Show and change one."""
    found = _found(receiver_id)
    if request.method != "POST":
        initial = {name: getattr(found, name) for name in receivers.SETTINGS}
        return _show(request, found, ReceiverForm(initial=initial, auto_id="receiver_%s"))
    form = ReceiverForm(request.POST, endpoint=found.endpoint, auto_id="receiver_%s")
    if not form.is_valid():
        return _show(request, found, form, status=422)
    changed = receivers.change(found, form.cleaned_data, now=timezone.now())
    messages.success(request, "Saved." if changed else "Nothing was different.")
    return redirect("write-back-receiver", receiver_id)


@require_POST
@requires(CHANGE)
def pass_over(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Set aside the one that does not go through, and go on behind it."""
    if receivers.pass_over(_found(receiver_id), now=timezone.now()):
        messages.success(request, "One was set aside; the others go on.")
    else:
        messages.error(request, "Nothing is in the way now.")
    return redirect("write-back-receiver", receiver_id)


@require_POST
@requires(CHANGE)
def again(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Try what was set aside once more."""
    many = receivers.send_again(_found(receiver_id), now=timezone.now())
    messages.success(request, f"{many} of those set aside go out again.")
    return redirect("write-back-receiver", receiver_id)


@require_POST
@requires(CHANGE)
def archive(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Tell it nothing more."""
    found = _found(receiver_id)
    receivers.archive(found, now=timezone.now())
    messages.success(request, f"{found.endpoint.name} is told nothing more.")
    return redirect("write-backs")


def _found(receiver_id: UUID) -> WriteBackReceiver:
    there = WriteBackReceiver.objects.select_related("endpoint")
    return get_object_or_404(there, pk=receiver_id, archived_at=None)


def _show(
    request: HttpRequest, found: WriteBackReceiver, form: ReceiverForm, *, status: int = 200
) -> HttpResponse:
    aside = WriteBackSetAside.objects.filter(receiver=found)
    context = {
        "receiver": found,
        "form": form,
        "reason": in_words(found.reason),
        "waiting": receivers.behind(found.position),
        "aside": [
            {"row": one, "reason": in_words(one.reason)}
            for one in aside.order_by("position")[:MOST]
        ],
        "aside_count": aside.count(),
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "settings/write_back.html", context, status=status)
