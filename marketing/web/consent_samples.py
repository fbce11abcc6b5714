"""Samples for audits: drawn by a seed that is kept, so that they can be drawn again."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts import guard
from accounts.roles import Permission
from consent.desk import agreements, sampling
from consent.models import AuditSample, Authorization
from contacts import matching
from marketing.web.consent_agreements import Filters, wanted_of
from marketing.web.consent_tabs import tabs

SHOWN = 50


class Drawing(Filters):
    size = forms.IntegerField(label="How many", min_value=1, max_value=sampling.MOST, initial=25)
    seed = forms.CharField(
        label="Seed",
        max_length=64,
        required=False,
        help_text="Left empty, one is drawn. Whoever knows it can draw the same sample again.",
    )
    before = None  # type: ignore[assignment]  # how Django leaves a field out


@guard.requires(Permission.CONSENT_EXPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def samples(request: HttpRequest) -> HttpResponse:
    """What was drawn before, and a form to draw."""
    form = Drawing(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given, user = form.cleaned_data, guard.staff_of(request)
        made, _ = sampling.draw(
            wanted_of(given),
            size=given["size"],
            seed=given["seed"].strip() or secrets.token_hex(8),
            drawn_by=str(user.pk),
            now=timezone.now(),
            zone=user.organisation.zone,
        )
        return redirect("consent-sample", made.id)
    context = {
        "tabs": tabs("consent-samples"),
        "form": form,
        "samples": AuditSample.objects.order_by("-id")[:SHOWN],
        "as_of": timezone.now(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "consent/samples.html", context, status=status)


@guard.requires(Permission.CONSENT_EXPORT)
@require_GET
def sample(request: HttpRequest, sample_id: UUID) -> HttpResponse:
    """Draw a recorded sample again, and show it."""
    found = get_object_or_404(AuditSample, id=sample_id)
    ids, same = sampling.again(found, zone=guard.staff_of(request).organisation.zone)
    context: dict[str, Any] = {
        "tabs": tabs("consent-samples"),
        "sample": found,
        "checksum": bytes(found.sha256).hex(),
        "same": same,
        "rows": _rows(ids, found),
        "as_of": timezone.now(),
    }
    return render(request, "consent/sample.html", context)


def _rows(ids: list[UUID], found: AuditSample) -> list[dict[str, Any]]:
    rows = Authorization.objects.select_related("form_version").in_bulk(ids)
    kept = [rows[one] for one in ids if one in rows]
    people = matching.public_ids({row.contact_id for row in kept})
    states = agreements.states(kept, now=found.drawn_at)
    return [
        {"row": row, "person": people.get(row.contact_id), "state": states.get(row.id, "")}
        for row in kept
    ]
