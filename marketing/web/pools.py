"""Settings of the pools: each with its relay, its address, its limits and its hours."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import actions, trail
from messaging.hearing import providers
from messaging.models import PURPOSES, DestinationLimit, Pool
from messaging.pools import facts, lanes, warm_up

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE
OTHER = ("other", "Every other domain, together")

actions.register("sending.pool_changed", ("pool", "changed"))
actions.register("sending.destination_limited", ("pool", "provider", "per_minute", "connections"))
actions.register("sending.destination_freed", ("pool", "provider"))


def _date(label: str, hint: str = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(label=label, required=False, help_text=hint, widget=widget)


def _time(label: str, hint: str = "") -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=False, help_text=hint, widget=widget)


class PoolForm(forms.Form):
    mail_from = forms.EmailField(
        label="From address",
        required=False,
        help_text="Empty means the organisation's. An address of its own keeps one pool's "
        "reputation apart from the others'.",
    )
    carrier = forms.ChoiceField(
        label="Carried by", choices=Pool.Carrier.choices, widget=forms.RadioSelect
    )
    host = forms.CharField(label="Relay", required=False, max_length=253)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=587)
    security = forms.ChoiceField(label="Line to the relay", choices=Pool.Security.choices)
    onward = forms.ChoiceField(label="Behind the relay", choices=Pool.Onward.choices)
    user = forms.CharField(label="User name at the relay", required=False, max_length=120)
    secret = forms.CharField(
        label="Password at the relay",
        required=False,
        help_text="Kept sealed and never shown. Empty keeps the one there is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    own = forms.BooleanField(
        label="The relay is our own machine: no vendor sees the messages", required=False
    )
    agreement_from = _date("Business associate agreement from")
    agreement_until = _date("Until")
    connections = forms.IntegerField(label="Connections at once", min_value=1, max_value=32)
    per_minute = forms.IntegerField(
        label="Messages a minute, at most", required=False, min_value=1, help_text="Empty: no limit"
    )
    warm_up_from = _date("Warming up since", "Empty: the address is known to providers.")
    warm_up_first = forms.IntegerField(
        label="To each provider on the first day",
        min_value=1,
        max_value=10_000,
        help_text="It doubles every day.",
    )
    opens = _time("Send window from", "By the recipient's clock. Empty: around the clock.")
    closes = _time("Send window to")
    at_best_hour = forms.BooleanField(
        label="Send at the hour at which the person opened mails before", required=False
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("carrier") == Pool.Carrier.RELAY:
            self._check_relay(given)
        if bool(given.get("opens")) != bool(given.get("closes")):
            self.add_error("closes", "Give both ends of the send window, or none.")
        elif given.get("opens") and given["opens"] == given["closes"]:
            self.add_error("closes", "Begin and end are the same; give two different times.")
        return given

    def _check_relay(self, given: dict[str, Any]) -> None:
        if not given.get("host"):
            self.add_error("host", "Name the relay, such as relay.example.org.")
        local = given.get("host") in ("localhost", "127.0.0.1", "::1")
        if given.get("security") == Pool.Security.SAME_HOST and not local:
            self.add_error("security", "Only for a relay on this machine; use STARTTLS or TLS.")
        begun, ends = given.get("agreement_from"), given.get("agreement_until")
        if not given.get("own") and not begun:
            self.add_error(
                "agreement_from", "Say since when the vendor's agreement counts, or that it is own."
            )
        if begun and ends and ends < begun:
            self.add_error("agreement_until", "It ends before it begins.")


class DestinationForm(forms.Form):
    provider = forms.ChoiceField(
        label="Mailbox provider", choices=[*((n, n.title()) for n in providers.NAMES), OTHER]
    )
    per_minute = forms.IntegerField(label="Messages a minute", required=False, min_value=1)
    connections = forms.IntegerField(label="Connections at once", required=False, min_value=1)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("per_minute") and not given.get("connections"):
            self.add_error("per_minute", "Limit messages a minute, connections, or both.")
        return given


@requires(SEE)
@require_safe
def pools(request: HttpRequest) -> HttpResponse:
    """List the pools."""
    rows = [
        {"kind": kind, "label": lanes.LABELS[kind], "facts": one, "purposes": _in_words(kind)}
        for kind, one in facts.read().items()
    ]
    context = {"rows": rows, "today": timezone.now().date()}
    return render(request, "settings/pools.html", context)


@requires(SEE, changing=CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def pool(request: HttpRequest, kind: str) -> HttpResponse:
    """Show and change one pool."""
    _known(kind)
    row = Pool.objects.filter(kind=kind).first() or Pool(kind=kind)
    if request.method != "POST":
        return _show(request, kind, PoolForm(initial=_initial(row), auto_id="pool_%s"))
    form = PoolForm(request.POST, auto_id="pool_%s")
    if not form.is_valid():
        return _show(request, kind, form, status=422)
    _save(row, form.cleaned_data)
    messages.success(request, "Saved. It counts for what is handed over from now on.")
    return redirect("pool", kind)


def _in_words(kind: str) -> str:
    names = dict(PURPOSES)
    return ", ".join(names[one].lower() for one in lanes.PURPOSES[kind])


def _known(kind: str) -> None:
    if kind not in lanes.POOLS:
        raise Http404


def _initial(row: Pool) -> dict[str, Any]:
    return {name: getattr(row, name) for name in PoolForm.base_fields if name != "secret"}


@transaction.atomic
def _save(row: Pool, given: dict[str, Any]) -> None:
    secret = given.pop("secret")
    changed = sorted(name for name, value in given.items() if getattr(row, name) != value)
    for name, value in given.items():
        setattr(row, name, value)
    if secret:
        row.secret = secret
        changed.append("secret")
    row.changed_at = timezone.now()
    row.save()
    trail.record(
        "sending.pool_changed",
        subject=f"pool:{row.kind}",
        detail={"pool": row.kind, "changed": changed},
    )


def _show(
    request: HttpRequest, kind: str, form: PoolForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    known = facts.of(kind)
    begun = known.warm_up_from
    context = {
        "kind": kind,
        "label": lanes.LABELS[kind],
        "purposes": _in_words(kind),
        "form": form,
        "limits": DestinationLimit.objects.filter(pool=kind).order_by("provider"),
        "limit_form": DestinationForm(auto_id="limit_%s"),
        "plan": warm_up.plan(begun, first=known.warm_up_first) if begun else [],
        "day": (timezone.now().date() - begun).days + 1 if begun else 0,
        "may_change": staff_of(request).may(CHANGE),
    } | more
    return render(request, "settings/pool.html", context, status=status)


@requires(CHANGE)
@require_POST
def add_limit(request: HttpRequest, kind: str) -> HttpResponse:
    """Limit what one provider gets from the pool; a second time changes the first."""
    _known(kind)
    form = DestinationForm(request.POST, auto_id="limit_%s")
    if not form.is_valid():
        row = Pool.objects.filter(kind=kind).first() or Pool(kind=kind)
        shown = PoolForm(initial=_initial(row), auto_id="pool_%s")
        return _show(request, kind, shown, status=422, limit_form=form)
    given = form.cleaned_data
    provider = given.pop("provider")
    with transaction.atomic():
        DestinationLimit.objects.update_or_create(pool=kind, provider=provider, defaults=given)
        trail.record(
            "sending.destination_limited",
            subject=f"pool:{kind}",
            detail={"pool": kind, "provider": provider}
            | {name: value for name, value in given.items() if value is not None},
        )
    messages.success(request, "The limit counts from now on.")
    return redirect("pool", kind)


@requires(CHANGE)
@require_POST
def remove_limit(request: HttpRequest, kind: str, limit_id: UUID) -> HttpResponse:
    row = DestinationLimit.objects.filter(pk=limit_id, pool=kind).first()
    if row is not None:
        with transaction.atomic():
            row.delete()
            trail.record(
                "sending.destination_freed",
                subject=f"pool:{kind}",
                detail={"pool": kind, "provider": row.provider},
            )
        messages.success(request, "The limit is gone.")
    return redirect("pool", kind)
