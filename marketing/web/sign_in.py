"""Sign-in: password, second factor, enrolment, invitation, the sample's link, and out again."""

from __future__ import annotations

import ipaddress
from typing import Any
from uuid import UUID

import segno
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import guard, links, mfa, passwords, sample, sessions, sign_in, tenancy
from accounts.middleware import cookie_name
from accounts.models import Authenticator, OneTimeLink, Session, User
from accounts.secrets import Secret
from accounts.sign_in import Browser, Refused
from audit import trail
from audit.actor import Actor, acting_as

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


class Password(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class Code(forms.Form):
    code = forms.CharField(
        label="Six-digit code",
        max_length=12,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "class": "code-input",
            }
        ),
    )


class RecoveryCode(forms.Form):
    code = forms.CharField(
        label="Recovery code",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class NewPassword(forms.Form):
    password = forms.CharField(
        label="New password",
        strip=False,
        help_text=f"At least {passwords.SHORTEST} characters. A few words in a row are good.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        name = self.user.organisation.name
        if problems := passwords.problems(password, user=self.user, organisation_name=name):
            raise forms.ValidationError(problems)
        return password


@guard.public
@sensitive_post_parameters("password")
@get_and_post
def start(request: HttpRequest) -> HttpResponseBase:
    """Take the password."""
    form = Password(request.POST or None)
    if request.method == "POST" and form.is_valid():
        browser, now = browser_of(request), timezone.now()
        found = sign_in.by_password(**form.cleaned_data, browser=browser, now=now)
        if isinstance(found, User):
            secret = sign_in.half_way(found, browser=browser, now=now)
            return keep(_onward(request, "sign-in-code"), secret)
        form.add_error(None, _told(found))
    return render(request, "accounts/sign_in.html", {"form": form, "next": _next(request)})


@guard.public
@get_and_post
def code(request: HttpRequest) -> HttpResponseBase:
    """Take the code of the authenticator."""
    session = _half_way(request)
    if session is None:
        return redirect("sign-in")
    if not mfa.enrolled(session.user):
        return _onward(request, "sign-in-enrol")
    form = Code(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if sign_in.by_code(session, form.cleaned_data["code"], now=timezone.now()):
            return _in(request, session, Session.Method.TOTP)
        form.add_error("code", WRONG_CODE)
    return render(request, "accounts/code.html", {"form": form, "next": _next(request)})


@guard.public
@get_and_post
def recovery(request: HttpRequest) -> HttpResponseBase:
    """Take a recovery code in the place of the authenticator's."""
    session = _half_way(request)
    if session is None:
        return redirect("sign-in")
    form = RecoveryCode(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if sign_in.by_recovery_code(session, form.cleaned_data["code"], now=timezone.now()):
            return _in(request, session, Session.Method.RECOVERY)
        form.add_error("code", "This code is not right, or was used before.")
    return render(request, "accounts/recovery.html", {"form": form, "next": _next(request)})


@guard.public
@get_and_post
def enrol(request: HttpRequest) -> HttpResponseBase:
    """Show the QR code at the first sign-in; the first right code confirms it."""
    session = _half_way(request)
    if session is None or mfa.enrolled(session.user):
        return redirect("sign-in")
    authenticator = get_object_or_404(Authenticator, user=session.user, confirmed_at=None)
    form = Code(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        if mfa.confirm(authenticator, form.cleaned_data["code"], now=now):
            trail.record(
                "staff.mfa_enrolled", subject=f"staff:{session.user.pk}", detail={"method": "totp"}
            )
            return _enrolled(request, session)
        form.add_error("code", WRONG_CODE)
    context = {"form": form, "next": _next(request), **picture(authenticator)}
    return render(request, "accounts/enrol.html", context)


@guard.public
@sensitive_post_parameters("password")
@get_and_post
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Let an invited colleague choose a password; the second factor follows."""
    now = timezone.now()
    link = links.look(token, purpose=OneTimeLink.Purpose.INVITATION, now=now)
    if link is None:
        return render(request, "accounts/link_over.html", status=410)
    form = NewPassword(request.POST or None, user=link.user)
    if request.method == "POST" and form.is_valid() and links.use(link, now=now):
        user = link.user
        with (
            tenancy.acting_for(user.organisation_id),
            acting_as(Actor("staff", str(user.pk))),
        ):
            passwords.choose(user, form.cleaned_data["password"], now=now, by="invitation")
        secret = sign_in.half_way(user, browser=browser_of(request), now=now)
        return keep(redirect("sign-in-code"), secret)
    context = {"form": form, "invited": link.user, "organisation": link.organisation}
    return render(request, "accounts/invitation.html", context)


@guard.public
@get_and_post
def sample_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """Let a newcomer to the sample be anyone of its staff. Looking uses nothing up."""
    now = timezone.now()
    link = links.look(token, purpose=OneTimeLink.Purpose.SAMPLE, now=now) if _sample() else None
    if link is None:
        return render(request, "accounts/link_over.html", status=410)
    people = sample.colleagues(link.organisation_id)
    if request.method == "POST" and links.use(link, now=now):
        chosen = _chosen(request, people) or link.user
        secret = sign_in.with_link(chosen, browser=browser_of(request), now=now)
        return keep(redirect("home"), secret)
    context = {"people": people, "suggested": link.user, "organisation": link.organisation}
    return render(request, "accounts/sample_link.html", context)


@guard.signed_in
@require_POST
def sample_switch(request: HttpRequest) -> HttpResponseBase:
    """Become another member of the sample's staff."""
    session = guard.session_of(request)
    if not _sample() or session.method != Session.Method.SAMPLE:
        raise Http404
    chosen = _chosen(request, sample.colleagues(session.organisation_id))
    if chosen is None:
        raise Http404
    sessions.end(session)
    secret = sign_in.with_link(chosen, browser=browser_of(request), now=timezone.now())
    return keep(redirect("home"), secret)


@guard.public
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session on the server."""
    session = getattr(request, "staff_session", None)
    if session is not None:
        trail.record("staff.signed_out", subject=f"staff:{session.user.pk}")
        sessions.end(session)
    response = redirect("sign-in")
    response.delete_cookie(cookie_name(), path="/", samesite="Lax")
    return response


@guard.signed_in
@get_and_post
def confirm(request: HttpRequest) -> HttpResponseBase:
    """Ask for a code again before something that matters."""
    session = guard.session_of(request)
    form = Code(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        if sign_in.by_code(session, form.cleaned_data["code"], now=now):
            sessions.confirm(session, now=now)
            return redirect(_next(request) or "home")
        form.add_error("code", WRONG_CODE)
    return render(request, "accounts/confirm.html", {"form": form, "next": _next(request)})


WRONG_CODE = "This code is not right, or was used before. Wait for the next one and type that."


def browser_of(request: HttpRequest) -> Browser:
    """Return where the request comes from: behind a proxy of ours, what the proxy says."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if forwarded and (not address or not _is_outside(address)):
        address = forwarded
    if not _is_address(address):
        address = ""
    return Browser(address=address, agent=request.headers.get("User-Agent", ""))


def keep(response: HttpResponse, secret: Secret) -> HttpResponse:
    """Give the browser its session: until it closes, to this host alone, to no script."""
    response.set_cookie(
        cookie_name(),
        str(secret),
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
        path="/",
    )
    return response


def picture(authenticator: Authenticator) -> dict[str, Any]:
    """Return the secret as a QR code and as letters to type."""
    organisation = authenticator.organisation.name
    address = mfa.address(authenticator, issuer=f"Attune {organisation}")
    secret = str(authenticator.secret)
    drawn = segno.make(address, error="m").svg_inline(scale=4, border=2, svgclass="qr")
    return {
        "qr": mark_safe(drawn),  # noqa: S308  drawn by segno from our own address
        "letters": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
    }


def _in(request: HttpRequest, session: Session, method: Session.Method) -> HttpResponse:
    secret = sign_in.complete(
        session, method=method, browser=browser_of(request), now=timezone.now()
    )
    return keep(redirect(_next(request) or "home"), secret)


def _enrolled(request: HttpRequest, session: Session) -> HttpResponse:
    codes = mfa.new_recovery_codes(session.user)
    trail.record(
        "staff.recovery_codes_made",
        subject=f"staff:{session.user.pk}",
        detail={"count": len(codes)},
    )
    secret = sign_in.complete(
        session, method=Session.Method.TOTP, browser=browser_of(request), now=timezone.now()
    )
    context = {"codes": codes, "onward": _next(request) or "/"}
    return keep(render(request, "accounts/recovery_codes.html", context), secret)


def _half_way(request: HttpRequest) -> Session | None:
    session = getattr(request, "staff_session", None)
    return session if isinstance(session, Session) and not session.is_complete else None


def _chosen(request: HttpRequest, people: list[User]) -> User | None:
    try:
        wanted = UUID(request.POST.get("as", ""))
    except ValueError:
        return None
    return next((person for person in people if person.pk == wanted), None)


def _told(refused: Refused) -> forms.ValidationError:
    return forms.ValidationError(refused.sentence)


def _next(request: HttpRequest) -> str:
    """Return where the visitor was going, if it is a page of ours."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if safe and address.startswith("/") else ""


def _onward(request: HttpRequest, route: str) -> HttpResponse:
    response = redirect(route)
    if address := _next(request):
        from urllib.parse import urlencode

        response["Location"] += f"?{urlencode({'next': address})}"
    return response


def _sample() -> bool:
    return bool(settings.SAMPLE)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_outside(text: str) -> bool:
    return _is_address(text) and ipaddress.ip_address(text).is_global
