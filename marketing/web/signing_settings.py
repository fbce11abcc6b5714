"""Settings of signing: what encrypted mail is signed with, brought, replaced, given out."""

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
from messaging import sender
from messaging.models import SigningKey
from messaging.pools import facts
from messaging.protection.keys import importing, signing
from messaging.protection.keys.importing import SignerRefused

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.PROTECTION_MANAGE
NEAR = 30
"""Days before its end from which a certificate is warned of."""


class Bringing(forms.Form):
    """A PKCS#12 file and the password that opens it."""

    file = forms.FileField(
        label="File", max_length=200, help_text="PKCS#12 (.p12, .pfx), with the private key."
    )
    password = forms.CharField(
        label="Its password",
        required=False,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Used once, to open the file; it is not kept.",
    )


def senders() -> set[str]:
    """Return the addresses that mail of this organisation goes out from."""
    own = {one.mail_from for one in facts.read().values() if one.mail_from}
    return own | {sender.current().address}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(SEE, changing=CHANGE)
def signing_keys(request: HttpRequest) -> HttpResponse:
    """Show what signs now and until when; POST brings a certificate."""
    form = Bringing(request.POST, request.FILES) if request.method == "POST" else Bringing()
    if request.method == "POST" and form.is_valid() and _brought(form):
        messages.success(request, "Kept. Encrypted mail is signed with it from now on.")
        return redirect("signing")
    now = timezone.now()
    context: dict[str, Any] = {
        "standing": [
            (one, left := one.days_left(now=now), _warns(left)) for one in signing.standing()
        ],
        "retired": SigningKey.objects.exclude(retired_at=None)
        .defer("private")
        .order_by("-retired_at")[:20],
        "senders": sorted(senders()),
        "form": form,
        "may_change": staff_of(request).may(CHANGE),
    }
    status = 422 if form.errors else 200
    return render(request, "settings/signing.html", context, status=status)


def _warns(left: int | None) -> str:
    if left is None or left > NEAR:
        return ""
    return "Ended: not used" if left < 0 else f"Ends in {left} day{'' if left == 1 else 's'}"


def _brought(form: Bringing) -> bool:
    now, given = timezone.now(), form.cleaned_data
    raw = given["file"].read(importing.LARGEST + 1)
    try:
        read = importing.read(raw, given["password"], senders=senders(), now=now)
    except SignerRefused as refused:
        form.add_error("file", str(refused))
        return False
    signing.keep("smime", read.public, read.private, read.fingerprint, read.expires_at, now=now)
    return True


@require_POST
@requires(CHANGE)
def own(request: HttpRequest) -> HttpResponse:
    """Put what signs out of use; one made here takes its place with the next encrypted mail."""
    kind = request.POST.get("kind", "")
    if kind in ("smime", "pgp") and signing.retire(kind, now=timezone.now()):
        messages.success(request, "Out of use. The next encrypted mail makes a new one.")
    else:
        messages.info(request, "It was out of use already.")
    return redirect("signing")


@require_safe
@requires(SEE)
def public_part(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Give the public part, for whoever is to know our signature."""
    row = get_object_or_404(SigningKey.objects.defer("private"), pk=key_id)
    name = "signing.pem" if row.kind == "smime" else "signing.asc"
    response = HttpResponse(row.public, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
