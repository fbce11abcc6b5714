"""Settings of the pools: each with its relay, its address, its limits and its hours."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import actions, trail
from marketing.web.pool_forms import DestinationForm, PoolForm, TextPoolForm, form_of
from messaging import sender
from messaging.models import PURPOSES, DestinationLimit, Pool
from messaging.pools import facts, lanes, warm_up

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.ORGANISATION_MANAGE

actions.register("sending.pool_changed", ("pool", "changed"))
actions.register("sending.destination_limited", ("pool", "provider", "per_minute", "connections"))
actions.register("sending.destination_freed", ("pool", "provider"))


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
        return _show(request, kind, _unsent(row))
    standing = bool(row.secret) and request.POST.get("carrier") == row.carrier
    form = form_of(kind)(request.POST, auto_id="pool_%s", standing=standing)
    if not form.is_valid():
        return _show(request, kind, form, status=422)
    _save(row, form.cleaned_data)
    messages.success(request, "Saved. It counts for what is handed over from now on.")
    return redirect("pool", kind)


def _in_words(kind: str) -> str:
    names = dict(PURPOSES)
    return ", ".join(names[one].lower() for one in lanes.purposes_of(kind))


def _known(kind: str) -> None:
    if kind not in lanes.POOLS:
        raise Http404


def _unsent(row: Pool) -> PoolForm | TextPoolForm:
    form = form_of(row.kind)
    given = {name: getattr(row, name) for name in form.base_fields if name != "secret"}
    return form(initial=given, auto_id="pool_%s", standing=bool(row.secret))


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
    request: HttpRequest,
    kind: str,
    form: PoolForm | TextPoolForm,
    *,
    status: int = 200,
    **more: Any,
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
    if kind in lanes.OF_TEXTS:
        context |= {"reports": sender.reports(known), "ready": sender.has_carrier(known)}
        return render(request, "settings/text_pool.html", context, status=status)
    if known.carrier == Pool.Carrier.WEBHOOK:
        context["reports"] = sender.reports(known)
    return render(request, "settings/pool.html", context, status=status)


@requires(CHANGE)
@require_POST
def add_limit(request: HttpRequest, kind: str) -> HttpResponse:
    """Limit what one provider gets from the pool; a second time changes the first."""
    _known(kind)
    form = DestinationForm(request.POST, auto_id="limit_%s")
    if not form.is_valid():
        row = Pool.objects.filter(kind=kind).first() or Pool(kind=kind)
        return _show(request, kind, _unsent(row), status=422, limit_form=form)
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
