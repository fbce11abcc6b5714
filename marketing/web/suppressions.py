"""The suppression list: what stands, in and out as a file, one address looked up and released."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from consent import addresses, suppression
from consent.choices import suppression_files
from consent.models import Suppression
from marketing.web.list_files import TOLD, TakesFile, download, taken
from marketing.web.sending import CHANNELS


class Taking(TakesFile):
    file = forms.FileField(
        label="CSV file",
        help_text="Columns: address or hash; and channel (email, sms), reason, purpose, topic, "
        "from, until, where they matter.",
    )


class Finding(forms.Form):
    channel = forms.ChoiceField(label="Channel", choices=CHANNELS)
    address = forms.CharField(label="Address or number", max_length=254)


@requires(Permission.CONSENT_VIEW)
@require_safe
def suppressions(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    standing = Suppression.objects.filter(released_at=None)
    user = staff_of(request)
    context = {
        "counted": standing.values("channel", "reason").annotate(n=Count("id")).order_by("-n"),
        "names": dict(CHANNELS),
        "may_record": user.may(Permission.CONSENT_RECORD),
        "may_reveal": user.may(Permission.CONTACTS_REVEAL_IDENTITY),
        "take_form": Taking(),
        "find_form": Finding(auto_id="find_%s"),
        "as_of": timezone.now(),
    } | more
    return render(request, "consent/suppressions.html", context, status=status)


@requires(Permission.CONSENT_RECORD)
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    form = Taking(request.POST, request.FILES)
    now = timezone.now()
    took = taken(form, lambda data: suppression_files.take(data, received_by="file", now=now))
    if took is not None:
        return _show(request, took=took, told=took.faults[:TOLD])
    return _show(request, status=422, take_form=form)


@requires(Permission.CONSENT_RECORD)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """Give the list as CSV; addresses only to whom the role lets see them."""
    shown = "addresses" in request.POST and staff_of(request).may(
        Permission.CONTACTS_REVEAL_IDENTITY
    )
    out = io.StringIO()
    csv.writer(out).writerows(suppression_files.export(with_addresses=shown))
    return download(out.getvalue(), "suppressions.csv")


@requires(Permission.CONSENT_RECORD)
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Say what stands against one address; that it was asked is in the trail."""
    form = Finding(request.POST, auto_id="find_%s")
    if not form.is_valid():
        return _show(request, status=422, find_form=form)
    given = form.cleaned_data
    found = Suppression.objects.filter(
        address_hash=addresses.hash_of(given["address"], channel=given["channel"]),
        channel=given["channel"],
        released_at=None,
    )
    trail.record("contact.searched", detail={"kind": "suppression", "found": found.count()})
    return _show(request, find_form=form, found=found, looked=True)


@requires(Permission.CONSENT_RECORD)
@require_POST
def release(request: HttpRequest, suppression_id: UUID) -> HttpResponse:
    if suppression.release(suppression_id, received_by="staff", now=timezone.now()):
        messages.success(request, "Released. Who released it, and when, stands on record.")
    return redirect("suppressions")
