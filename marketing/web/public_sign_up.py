"""A sign-up form for other people's web pages: in a frame of theirs, or posted to from their own.

GET shows, POST asks, and only a press on the page behind the mail confirms. The answer is the same
whether the address is known or not. Bots meet limits by network and by address, and no puzzle.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import tenancy, throttle
from accounts.guard import public
from accounts.networks import network_of
from audit.actor import Actor, acting_as
from consent.choices import sign_ups
from consent.choices.sign_ups import Visit
from consent.models import SignUp, SignUpForm
from contacts.canonical import ValueRefused, email_form
from crypto import tokens
from crypto.tokens import TokenRefused
from marketing.security_headers import POLICY
from messaging import outbox
from messaging.words import asked, said
from messaging.words import sign_up as words_of
from messaging.words.showing import page

PURPOSE = "consent.sign_up"
VISITOR = Actor("system", "sign_up")
NETWORK = throttle.Rate("signup.network", burst=20, every=timedelta(minutes=3))
ADDRESS = throttle.Rate("signup.address", burst=3, every=timedelta(hours=8))


def address_of(form: SignUpForm) -> str:
    """Return where the form is, below this installation's origin."""
    token = tokens.issue(
        {"f": form.id.hex},
        purpose=PURPOSE,
        now=form.made_at,
        lifetime=None,
        organisation_id=form.organisation_id,
    )
    return f"/m/j/{token}"


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    try:
        read = tokens.read(token, purpose=PURPOSE, now=now)
    except TokenRefused:
        raise Http404 from None
    with tenancy.acting_for(read.organisation_id), acting_as(VISITOR):
        form = SignUpForm.objects.filter(id=UUID(read.payload["f"]), archived_at=None).first()
        if form is None:
            raise Http404
        state, fault = "form", ""
        if request.method == "POST":
            fault = _ask(request, form)
            state = "form" if fault else "asked"
        return _page(request, form, state, fault)


def _ask(request: HttpRequest, form: SignUpForm) -> str:
    """Take what was filled in; return the key of the words that say what is wrong."""
    now, email = timezone.now(), request.POST.get("email", "").strip()[:254]
    if not request.POST.get("agree"):
        return "agree_needed"
    try:
        known = email_form(email)
    except ValueRefused:
        return "email_wrong"
    if "@" not in known.strip("@"):
        return "email_wrong"
    if not throttle.spend(NETWORK, network_of(request), now=now):
        return "too_many"
    if not throttle.spend(ADDRESS, f"{tenancy.current()}:{known}", now=now):
        return ""  # the same answer: whoever asks too often learns nothing, and no mail goes out
    visit = visit_of(request)
    version = sign_ups.wording(form, asked(request))
    with transaction.atomic():
        _send(sign_ups.ask(form, version, email, visit=visit, now=now))
    return ""


def _send(row: SignUp) -> None:
    """Ask by mail; the gate is asked, too, so that nobody who said no is written to."""
    order = outbox.Order(
        contact_id=row.contact_id,
        template_version=row.form.confirmation,
        purpose="service_notice",
        source=row.id,
        step="confirm",
        visit=1,
        occurrence="",
        due_at=row.asked_at,
        not_after=row.asked_at + sign_ups.LASTS,
    )
    outbox.enqueue([order], now=row.asked_at)


def visit_of(request: HttpRequest) -> Visit:
    return Visit(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("User-Agent", ""),
        request.headers.get("Sec-GPC", "") == "1",
    )


def _page(request: HttpRequest, form: SignUpForm, state: str, fault: str) -> HttpResponse:
    language = asked(request)
    words = said(words_of.WORDS, language)
    context: dict[str, Any] = {
        "wording": sign_ups.wording(form, language),
        "state": state,
        "fault": words.get(fault, ""),
        "field": "agree" if fault == "agree_needed" else "email",
        "email": request.POST.get("email", "")[:254] if fault else "",
    }
    status = {"": 200, "too_many": 429}.get(fault, 422)
    answer = page(
        request,
        "public/sign_up.html",
        words_of.WORDS,
        language=language,
        status=status,
        **context,
    )
    answer["Content-Security-Policy"] = framed_by(form.sites)
    return answer


def framed_by(sites: list[str]) -> str:
    """Return the policy of our pages, with these sites as the only ones that may frame it."""
    ancestors = " ".join(sites) or "'none'"
    return POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {ancestors}")
