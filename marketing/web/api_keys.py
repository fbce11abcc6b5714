"""API keys: what machines may do here, until when."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import api_keys, guard
from accounts.models import ApiKey
from accounts.roles import SCOPES, Permission
from audit import trail

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


class NewKey(forms.Form):
    name = forms.CharField(
        max_length=80, label="Name", help_text="The machine that will use it, and where it runs."
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=[(scope.value, scope.label.capitalize()) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label="Valid for",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "one year")],
        initial=90,
    )


@guard.requires(Permission.KEYS_MANAGE)
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    rows = [
        {"key": key, "state": key.state(now=now)}
        for key in ApiKey.objects.select_related("created_by")
    ]
    rows.sort(key=lambda row: row["state"] != "active")
    return render(request, "integrations/keys.html", {"rows": rows})


@guard.requires(Permission.KEYS_MANAGE, fresh=True)
@get_and_post
def new(request: HttpRequest) -> HttpResponse:
    form = NewKey(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        scopes = [Permission(scope) for scope in data["scopes"]]
        with transaction.atomic():
            key, raw = api_keys.issue(
                data["name"],
                scopes=scopes,
                expires_at=now + timedelta(days=data["days"]),
                now=now,
                created_by=guard.staff_of(request),
            )
            trail.record(
                "api_key.created",
                subject=f"api_key:{key.pk}",
                detail={
                    "scopes": sorted(data["scopes"]),
                    "prefix": _begins(key),
                    "expires_days": data["days"],
                },
            )
        return render(request, "integrations/key_made.html", {"key": key, "raw": raw})
    return render(request, "integrations/new_key.html", {"form": form})


@guard.requires(Permission.KEYS_MANAGE)
@require_POST
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=key_id)
    with transaction.atomic():
        if api_keys.revoke(key.pk, now=timezone.now()):
            trail.record(
                "api_key.revoked", subject=f"api_key:{key.pk}", detail={"prefix": _begins(key)}
            )
    messages.success(request, "The key is revoked and opens nothing any more.")
    return redirect("api-keys")


def _begins(key: ApiKey) -> str:
    """Return how the key begins, as a code: one key in sixty-four begins with a hyphen."""
    return f"key:{key.prefix}"
