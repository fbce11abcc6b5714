"""Pages for what went wrong. They say what to do, and nothing of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from accounts.models import Session
from messaging.words import by_browser, frame, said
from messaging.words import errors as error_words


@dataclass(frozen=True)
class Fault:
    status: int
    title: str
    text: str


BAD = Fault(400, "This request cannot be read", "Go back, reload the page, and try again.")
FORBIDDEN = Fault(
    403,
    "Your role does not open this page",
    "The refusal is in the trail. If your work needs it, ask an administrator for another role.",
)
STALE = Fault(
    403,
    "This form is no longer valid",
    "It was opened too long ago, or in another session. Go back, reload the page, and send again.",
)
MISSING = Fault(
    404,
    "There is nothing here",
    "The address may be mistyped, or what was here belongs to someone else or is gone.",
)
BROKEN = Fault(
    500,
    "Something broke on our side",
    "Nothing was half done: an act that fails is undone as a whole. Try again; if it stays, tell an"
    " administrator the time shown here.",
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, BAD)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, FORBIDDEN)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, MISSING)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer for a form whose token (CSRF) does not fit."""
    return _page(request, STALE)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer without the database or the visitor: either may be what broke."""
    context = _words(BROKEN) | (_to_patient(request, BROKEN) if _is_public(request) else {})
    return HttpResponse(render_to_string("errors/broken.html", context), status=500)


def _page(request: HttpRequest, fault: Fault) -> HttpResponse:
    session: Session | None = getattr(request, "staff_session", None)
    inside = session is not None and session.is_complete
    if "HX-Request" in request.headers:
        template = "errors/_part.html"
    else:
        template = "errors/staff.html" if inside else "errors/public.html"
    context = _words(fault)
    if not inside and _is_public(request):
        context |= _to_patient(request, fault)
    return render(request, template, context, status=fault.status)


def _is_public(request: HttpRequest) -> bool:
    return request.path.startswith("/m/")


def _to_patient(request: HttpRequest, fault: Fault) -> dict[str, Any]:
    """Say the same in words for patients, in what the browser prefers: a form may be broken."""
    language = by_browser(request)
    words = said(error_words.WORDS, language)
    told = Fault(fault.status, words[f"title_{fault.status}"], words[f"text_{fault.status}"])
    return {
        "fault": told,
        "language": language,
        "words": said(frame.WORDS, language),
    }


def _words(fault: Fault) -> dict[str, Any]:
    from django.utils import timezone

    return {"fault": fault, "at": timezone.now()}
