"""Settings of sending: quiet hours, frequency caps, how far STOP reaches, and who carries it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.addresses import EMAIL, SMS
from consent.ledger import ConsentInvalid
from consent.models import Carrier, FrequencyCap, QuietTime, StopScope
from consent.sending import terms
from marketing.web.purposes import DAYS, days_in_words
from messaging.models import PURPOSES

CHANNELS = [(EMAIL, "E-mail"), (SMS, "Text message")]
SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE


def _boxes(label: str, choices: list[tuple[Any, str]], hint: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        help_text=hint,
        widget=forms.CheckboxSelectMultiple,
    )


class Quiet(forms.Form):
    begins = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}))
    ends = forms.TimeField(
        label="To",
        widget=forms.TimeInput(attrs={"type": "time"}),
        help_text="Where it is earlier than the begin, it is on the next day.",
    )
    days = _boxes(
        "Beginning on", [(at + 1, day) for at, day in enumerate(DAYS)], "None means every day."
    )
    channels = _boxes("Channels", CHANNELS, "None means all.")
    purposes = _boxes("Purposes", PURPOSES, "None means all that quiet hours hold.")

    def clean_days(self) -> list[int]:
        return [int(one) for one in self.cleaned_data["days"]]


class Capping(forms.Form):
    most = forms.IntegerField(label="At most", min_value=1, max_value=1000)
    days = forms.IntegerField(label="In how many days", min_value=1, max_value=terms.MOST_DAYS)
    when_full = forms.ChoiceField(label="When it is full", choices=FrequencyCap.WhenFull.choices)
    channels = _boxes("Channels", CHANNELS, "None means all of them together.")
    purposes = _boxes("Purposes", PURPOSES, "None means all of them together.")


class Carrying(forms.Form):
    channel = forms.ChoiceField(label="Channel", choices=CHANNELS)
    name = forms.CharField(label="Who carries it", max_length=120)
    own = forms.BooleanField(
        label="It is our own machine: no vendor sees the messages", required=False
    )
    agreement_from = forms.DateField(
        label="Business associate agreement from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    agreement_until = forms.DateField(
        label="Until", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    services = _boxes("Services that the agreement names", CHANNELS, "Others are out of scope.")


class Stopping(forms.Form):
    everything_from = forms.DateField(
        label="STOP ends every message of its channel from",
        required=False,
        help_text="Until that day, or with no day, it ends the kind of message that it answered.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )


@requires(SEE)
@require_safe
def sending(request: HttpRequest) -> HttpResponse:
    """Show the terms on which this organisation's messages go."""
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    quiet = QuietTime.objects.filter(removed_at=None).order_by("id")
    scope = StopScope.objects.order_by("-id").first()
    context = {
        "quiet": [(one, days_in_words(one.days)) for one in quiet],
        "caps": FrequencyCap.objects.filter(removed_at=None).order_by("id"),
        "carriers": _carriers(terms.read(now=now), now=now),
        "stop_from": scope.everything_from if scope else None,
        "may_see_rules": staff_of(request).may(Permission.CONSENT_VIEW),
        "may_change": staff_of(request).may(CHANGE),
        "quiet_form": Quiet(auto_id="quiet_%s"),
        "cap_form": Capping(auto_id="cap_%s"),
        "carrier_form": Carrying(auto_id="carrier_%s"),
        "stop_form": Stopping(auto_id="stop_%s"),
        "names": dict(PURPOSES),
        "as_of": now,
    } | more
    return render(request, "settings/sending.html", context, status=status)


def _carriers(agreed: terms.Terms, *, now: Any) -> list[tuple[str, Carrier | None, bool]]:
    known = terms.carriers()
    return [(name, known.get(one), agreed.route(one).may_carry(now)) for one, name in CHANNELS]


def _done(request: HttpRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("sending")


@requires(CHANGE)
@require_POST
def add_quiet(request: HttpRequest) -> HttpResponse:
    form = Quiet(request.POST, auto_id="quiet_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            terms.add_quiet(given.pop("begins"), given.pop("ends"), **given, now=timezone.now())
        except ConsentInvalid as wrong:
            form.add_error("ends", str(wrong))
        else:
            return _done(request, "These hours are quiet from now on, for queued messages too.")
    return _show(request, status=422, quiet_form=form)


@requires(CHANGE)
@require_POST
def remove_quiet(request: HttpRequest, quiet_id: UUID) -> HttpResponse:
    terms.remove_quiet(quiet_id, now=timezone.now())
    return _done(request, "The hours are no longer quiet. What waited for their end still waits.")


@requires(CHANGE)
@require_POST
def add_cap(request: HttpRequest) -> HttpResponse:
    form = Capping(request.POST, auto_id="cap_%s")
    if not form.is_valid():
        return _show(request, status=422, cap_form=form)
    given = form.cleaned_data
    terms.add_cap(given.pop("most"), given.pop("days"), **given, now=timezone.now())
    return _done(request, "The cap counts from now on, what was sent before included.")


@requires(CHANGE)
@require_POST
def remove_cap(request: HttpRequest, cap_id: UUID) -> HttpResponse:
    terms.remove_cap(cap_id, now=timezone.now())
    return _done(request, "The cap is gone.")


@requires(CHANGE, fresh=True)
@require_POST
def record_carrier(request: HttpRequest) -> HttpResponse:
    form = Carrying(request.POST, auto_id="carrier_%s")
    if form.is_valid():
        given = form.cleaned_data
        try:
            terms.record_carrier(given.pop("channel"), **given, now=timezone.now())
        except ConsentInvalid as wrong:
            form.add_error("agreement_until", str(wrong))
        else:
            return _done(request, "Recorded. It counts for every message from now on.")
    return _show(request, status=422, carrier_form=form)


@requires(CHANGE)
@require_POST
def set_stop_scope(request: HttpRequest) -> HttpResponse:
    form = Stopping(request.POST, auto_id="stop_%s")
    if not form.is_valid():
        return _show(request, status=422, stop_form=form)
    terms.set_stop_scope(form.cleaned_data["everything_from"], now=timezone.now())
    return _done(request, "Recorded.")
