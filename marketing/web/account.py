"""My own account: password, authenticator, recovery codes, where I am signed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import guard, mfa, passwords, sessions
from accounts.models import Authenticator, Session
from audit import trail
from marketing.web.sign_in import WRONG_CODE, Code, NewPassword, picture

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


class ChangePassword(NewPassword):
    current = forms.CharField(
        label="Current password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password")

    def clean_current(self) -> str:
        if not passwords.matches(self.user, self.cleaned_data["current"]):
            raise forms.ValidationError("This is not your current password.")
        return ""


@guard.signed_in
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    session, user = guard.session_of(request), guard.staff_of(request)
    confirmed = Authenticator.objects.filter(user=user, confirmed_at__isnull=False)
    context = {
        "person": user,
        "session": session,
        "sessions": Session.objects.filter(user=user).order_by("-seen_at"),
        "authenticator": confirmed.first(),
        "codes_left": mfa.recovery_codes_left(user),
        "data_classes": sorted(user.data_classes),
    }
    return render(request, "account/account.html", context)


@guard.signed_in_lately
@sensitive_post_parameters("password", "current")
@get_and_post
def password(request: HttpRequest) -> HttpResponse:
    user = guard.staff_of(request)
    form = ChangePassword(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        passwords.choose(
            user,
            form.cleaned_data["password"],
            now=timezone.now(),
            but=guard.session_of(request),
        )
        messages.success(request, "Your password is changed; your other sessions are ended.")
        return redirect("account")
    return _form(request, form, "Change your password", "Change password")


@guard.signed_in_lately
@get_and_post
def authenticator(request: HttpRequest) -> HttpResponse:
    """Move to another authenticator: the old one works until the new one's first code."""
    user = guard.staff_of(request)
    waiting = Authenticator.objects.filter(user=user, confirmed_at=None).first()
    if request.method != "POST":
        return render(request, "account/authenticator.html", _scanned(waiting, Code()))
    if waiting is None:
        mfa.start(user, now=timezone.now())
        return redirect("account-authenticator")
    form = Code(request.POST)
    if form.is_valid() and mfa.confirm(waiting, form.cleaned_data["code"], now=timezone.now()):
        trail.record("staff.mfa_enrolled", subject=f"staff:{user.pk}", detail={"method": "totp"})
        sessions.end_all(user, but=guard.session_of(request))
        messages.success(request, "Your new authenticator is set up; the old one is forgotten.")
        return redirect("account")
    form.add_error("code", WRONG_CODE)
    return render(request, "account/authenticator.html", _scanned(waiting, form))


@guard.signed_in_lately
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make ten new codes and show them once."""
    user = guard.staff_of(request)
    codes = mfa.new_recovery_codes(user)
    trail.record(
        "staff.recovery_codes_made", subject=f"staff:{user.pk}", detail={"count": len(codes)}
    )
    return render(request, "account/recovery_codes.html", {"codes": codes})


@guard.signed_in
@require_POST
def end_session(request: HttpRequest, session_id: UUID) -> HttpResponse:
    user = guard.staff_of(request)
    session = get_object_or_404(Session, pk=session_id, user=user)
    sessions.end(session)
    trail.record("session.ended", subject=f"staff:{user.pk}", detail={"reason": "self", "count": 1})
    return redirect("account")


def _scanned(waiting: Authenticator | None, form: Code) -> dict[str, Any]:
    return {"form": form, "waiting": waiting, **(picture(waiting) if waiting else {})}


def _form(request: HttpRequest, form: forms.Form, title: str, action: str) -> HttpResponse:
    return render(request, "account/form.html", {"form": form, "title": title, "action": action})
