"""Providers that report by webhook: which there are, when each was last heard, a new one."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from messaging.hearing import reported
from messaging.hearing.feeds import PROVIDERS, USER
from messaging.models import ProviderFeed


class NewFeed(forms.Form):
    """Who reports, and by what it is known."""

    provider = forms.ChoiceField(
        label="Provider", choices=[(key, one.name) for key, one in PROVIDERS.items()]
    )
    signing_key = forms.CharField(
        required=False,
        max_length=400,
        label="Signing key",
        help_text="Of Mailgun and MailerSend, which sign what they send: copy it from their "
        "settings. The others get a password of ours.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, str]:
        data = super().clean() or {}
        known = PROVIDERS.get(data.get("provider", ""))
        if known and known.signs and not data.get("signing_key", "").strip():
            self.add_error("signing_key", f"{known.name} signs what it sends: give its key.")
        return data


@require_safe
@requires(Permission.DELIVERY_VIEW)
def feeds(request: HttpRequest) -> HttpResponse:
    """List the providers that report."""
    rows = ProviderFeed.objects.order_by("ended_at", "-created_at").defer("secret")
    context = {
        "rows": [
            {"feed": one, "name": PROVIDERS[one.provider].name}
            for one in rows
            if one.provider in PROVIDERS
        ],
        "may_change": staff_of(request).may(Permission.ORGANISATION_MANAGE),
    }
    return render(request, "messaging/feeds.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ORGANISATION_MANAGE, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    """Add one; its address and password are shown once."""
    form = NewFeed(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return render(request, "messaging/new_feed.html", {"form": form}, status=status)
    now, data = timezone.now(), form.cleaned_data
    added = reported.add(data["provider"], signing_key=data["signing_key"].strip(), now=now)
    origin = settings.ATTUNE_PUBLIC_ORIGIN.rstrip("/")
    context = {
        "name": PROVIDERS[data["provider"]].name,
        "address": f"{origin}{reported.path_of(added.feed, now=now)}",
        "user": USER,
        "secret": added.secret,
    }
    return render(request, "messaging/feed_made.html", context)


@require_POST
@requires(Permission.ORGANISATION_MANAGE)
def end(request: HttpRequest, feed_id: UUID) -> HttpResponse:
    """Hear a provider no more."""
    if reported.end(feed_id, now=timezone.now()):
        messages.success(request, "Its address opens nothing any more.")
    return redirect("provider-feeds")
