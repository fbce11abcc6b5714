"""The public pages behind the links of a mail. GET shows, POST acts (W14); no cookie is needed.

No view checks for cross-site forgery: every address holds a secret of the mail that it stands in,
and RFC 8058 forbids asking a mail program for more.
"""

from __future__ import annotations

import base64
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import public
from consent.choices import preferences
from crypto.tokens import TokenRefused
from messaging import feedback, links
from messaging.hearing.visits import Came
from messaging.models import Message
from messaging.words import asked
from messaging.words import unsubscribe as unsubscribing
from messaging.words.showing import page, private

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


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
    return private(response)


@public
@require_safe
def clicked(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """Go where the author of this version wrote, and nowhere else (TR-07)."""
    try:
        destination = feedback.clicked(token, number, visit=visit_of(request), now=timezone.now())
    except TokenRefused:
        raise Http404 from None
    return private(HttpResponseRedirect(destination))


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
            return page(
                request,
                "messaging/unsubscribe.html",
                unsubscribing.WORDS,
                language=asked(request, otherwise=_spoken(message, now=now)),
                scope=feedback.scope(message),
                done=done,
                choices=f"/m/u/{token}/choices",
            )
    except TokenRefused:
        raise Http404 from None


def _spoken(message: Message, *, now: datetime) -> str:
    return preferences.of(message.contact_id, now=now).language


@public
@csrf_exempt
@require_http_methods(["POST"])
def tracking(request: HttpRequest, token: str) -> HttpResponse:
    """Stop measuring opens and clicks; mails go on."""
    now = timezone.now()
    try:
        feedback.decline_tracking(token, now=now)
        with feedback.message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message:
            return page(
                request,
                "messaging/untracked.html",
                unsubscribing.WORDS,
                language=asked(request, otherwise=_spoken(message, now=now)),
            )
    except TokenRefused:
        raise Http404 from None


def _from_page(request: HttpRequest) -> bool:
    """Say whether our own button was pressed; a body that cannot be read is a mail program's."""
    try:
        return request.POST.get("from") == "page"
    except Exception:  # any body at all must unsubscribe: malformed, too large, cut off
        return False
