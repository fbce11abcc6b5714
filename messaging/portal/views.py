"""The public pages behind the links of a mail. GET shows, POST acts (W14); no cookie is needed.

No view checks for cross-site forgery: every address holds a secret of the mail that it stands in,
and RFC 8058 forbids asking a mail program for more.
"""

from __future__ import annotations

import base64
from datetime import date
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts import tenancy
from accounts.guard import public
from accounts.models import Organisation
from crypto.tokens import TokenRefused
from messaging import evidence, feedback, links, pickup
from messaging.hearing.visits import Came
from messaging.models import Pickup
from messaging.portal.frame import framed

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
COOKIE = "pickup"


def visit_of(request: HttpRequest) -> Came:
    """Return what the verdict on person or program needs of a request."""
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose", "")
    return Came(request.headers.get("User-Agent", ""), request.method or "", purpose)


@public
@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    try:
        feedback.opened(token, visit=visit_of(request), now=timezone.now())
    except TokenRefused:
        raise Http404 from None
    response = HttpResponse(PIXEL, content_type="image/gif")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it stands in other people's pages
    return _private(response)


@public
@require_safe
def clicked(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """Go where the author of this version wrote, and nowhere else (TR-07)."""
    try:
        destination = feedback.clicked(token, number, visit=visit_of(request), now=timezone.now())
    except TokenRefused:
        raise Http404 from None
    return _private(HttpResponseRedirect(destination))


def _private(response: HttpResponse) -> HttpResponse:
    """Let the address, which holds a token, travel no further."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a button and changes nothing; POST, with whatever body, unsubscribes (RFC 8058)."""
    now = timezone.now()
    try:
        done = request.method == "POST"
        if done:
            feedback.unsubscribe(token, one_click=not _from_page(request), now=now)
        with feedback.message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message:
            context = {
                "organisation": Organisation.objects.get(id=tenancy.current()),
                "scope": feedback.scope(message),
                "done": done,
                "choices": f"/m/u/{token}/choices",
            }
    except TokenRefused:
        raise Http404 from None
    return _private(render(request, "messaging/unsubscribe.html", context))


@public
@csrf_exempt
@require_http_methods(["POST"])
def tracking(request: HttpRequest, token: str) -> HttpResponse:
    """Stop measuring opens and clicks; mails go on."""
    now = timezone.now()
    try:
        feedback.decline_tracking(token, now=now)
        with feedback.message_of(token, purpose=links.UNSUBSCRIBE, now=now):
            context = {"organisation": Organisation.objects.get(id=tenancy.current())}
    except TokenRefused:
        raise Http404 from None
    return _private(render(request, "messaging/untracked.html", context))


def _from_page(request: HttpRequest) -> bool:
    """Say whether our own button was pressed; a body that cannot be read is a mail program's."""
    try:
        return request.POST.get("from") == "page"
    except Exception:  # any body at all must unsubscribe: malformed, too large, cut off
        return False


class BirthDate(forms.Form):
    """A date in three fields: the way that most people can type it."""

    month = forms.IntegerField(min_value=1, max_value=12, label="Month")
    day = forms.IntegerField(min_value=1, max_value=31, label="Day")
    year = forms.IntegerField(min_value=1850, max_value=2200, label="Year")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        for name, field in self.fields.items():
            field.widget = forms.TextInput(
                attrs={"inputmode": "numeric", "autocomplete": f"bday-{name}", "size": 4}
            )

    def born(self) -> date | None:
        try:
            return date(*(self.cleaned_data[name] for name in ("year", "month", "day")))
        except (KeyError, ValueError):
            return None


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def picked_up(request: HttpRequest, token: str) -> HttpResponse:
    """Ask who is there; on the right answer hand out a pass and go on to the message."""
    now = timezone.now()
    try:
        with pickup.at(token, now=now) as waiting:
            if request.method == "POST" and request.POST.get("act") == "renew":
                return _page(request, waiting, renewed=pickup.renew(waiting, now=now))
            form = BirthDate(request.POST if request.method == "POST" else None)
            if request.method == "POST" and form.is_valid():
                permit = pickup.identify(waiting, form.born(), now=now)
                if permit is not None:
                    return _let_in(token, permit)
                form.add_error(None, "This is not the date of birth that we know.")
            return _page(request, waiting, form=form)
    except TokenRefused:
        raise Http404 from None


def _page(request: HttpRequest, waiting: Pickup, **more: object) -> HttpResponse:
    waiting.refresh_from_db(fields=["attempts", "expires_at"])
    shut = pickup.shut(waiting, now=timezone.now())
    context = {
        "organisation": Organisation.objects.get(id=tenancy.current()),
        "shut": shut.why if shut else "",
        "left": Pickup.MOST_ATTEMPTS - waiting.attempts,
    }
    return _private(render(request, "messaging/pickup.html", context | more))


def _let_in(token: str, permit: str) -> HttpResponse:
    response = HttpResponseRedirect(f"/m/p/{token}/message", status=303)
    response.set_cookie(
        COOKIE,
        permit,
        max_age=int(pickup.PASS_LASTS.total_seconds()),
        path=f"/m/p/{token}",
        httponly=True,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return _private(response)


@public
@require_safe
def message(request: HttpRequest, token: str) -> HttpResponse:
    """Show the message to who holds a pass; send everybody else back to the question."""
    return _read(request, token, framing=False)


@public
@require_safe
def message_body(request: HttpRequest, token: str) -> HttpResponse:
    return _read(request, token, framing=True)


def _read(request: HttpRequest, token: str, *, framing: bool) -> HttpResponse:
    now = timezone.now()
    try:
        with pickup.at(token, now=now) as waiting:
            said = pickup.read(waiting, request.COOKIES.get(COOKIE, ""), now=now)
            if framing:
                return framed(said.html)
            context = {
                "organisation": Organisation.objects.get(id=tenancy.current()),
                "said": said,
                "body": f"/m/p/{token}/body",
                "files": [
                    (name, row.size, f"/m/p/{token}/files/{row.pk}")
                    for row, name in pickup.files(waiting, request.COOKIES.get(COOKIE, ""), now=now)
                ],
            }
            return _private(render(request, "messaging/message.html", context))
    except (TokenRefused, evidence.Gone):
        return _private(HttpResponseRedirect(f"/m/p/{token}"))


@public
@require_safe
def file(request: HttpRequest, token: str, number: UUID) -> HttpResponse:
    """Give a file to who holds a pass, to be saved and never shown in our own pages' name."""
    now = timezone.now()
    try:
        with pickup.at(token, now=now) as waiting:
            found = pickup.file(waiting, request.COOKIES.get(COOKIE, ""), number, now=now)
    except TokenRefused:
        return _private(HttpResponseRedirect(f"/m/p/{token}"))
    if found is None:
        raise Http404
    response = HttpResponse(found.content, content_type=found.media_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return _private(response)
