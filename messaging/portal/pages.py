"""The pages of the portal: who is there, the message, the reply, the person's own key, the way out.

No view checks for cross-site forgery: every address holds a secret of the mail that it stands in,
and the pass lies in a cookie that no other site's request carries (SameSite).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import date
from functools import wraps
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import public
from accounts.networks import network_of
from audit.actor import acting_as
from crypto.tokens import TokenRefused
from messaging import evidence
from messaging.answers import letters, reading, taking
from messaging.answers.taking import AnswerRefused
from messaging.attachments import Given
from messaging.models import Pickup
from messaging.portal import carriers, codes, holding, identity, own_key, pickup
from messaging.portal.frame import framed
from messaging.portal.identity import Claim
from messaging.portal.uploads import PatientUpload
from messaging.protection.keys.reading import KeyRefused
from messaging.words import asked, said, showing
from messaging.words import pickup as words_of
from messaging.words.showing import private

LARGEST: Final = 56 * 1024 * 1024
"""Bytes of one request: five files of ten megabytes, and what a form adds."""
Page = Callable[..., HttpResponse]


def _cookie() -> str:
    return "__Secure-pickup" if settings.SESSION_COOKIE_SECURE else "pickup"


def _at(view: Page) -> Page:
    """Give the view its pickup; what is not ours is not there, what is too large is not read."""

    @wraps(view)
    def found(request: HttpRequest, token: str, **more: Any) -> HttpResponse:
        if _too_large(request):
            return private(HttpResponse(status=413))
        try:
            with pickup.at(token, now=timezone.now()) as waiting:
                return view(request, token, waiting, **more)
        except TokenRefused:
            raise Http404 from None

    return found


def _too_large(request: HttpRequest) -> bool:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST
    except ValueError:
        return True


def _admitted(view: Page) -> Page:
    """Let in who holds a pass, with new time on it; send everybody else to the door."""

    @_at
    @wraps(view)
    def found(request: HttpRequest, token: str, waiting: Pickup, **more: Any) -> HttpResponse:
        held = request.COOKIES.get(_cookie(), "")
        try:
            permit = identity.admitted(waiting, held, now=timezone.now())
        except TokenRefused:
            return _to_the_door(request, token, waiting)
        if request.content_type == "multipart/form-data":
            request.upload_handlers = [PatientUpload(request)]
        with acting_as(pickup.patient(waiting)):
            response = view(request, token, waiting, **more)
        if _cookie() not in response.cookies:
            _give(response, token, permit)
        return response

    return found


def _to_the_door(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    """Send them to show who they are; a reply whose session ended waits for them meanwhile.

    Its files are passed over: they are taken from whoever was let in alone.
    """
    door, secret = f"/m/p/{token}", request.COOKIES.get(_holds()) or secrets.token_urlsafe(24)
    if request.method != "POST":
        return private(HttpResponseRedirect(door, status=303))
    words = request.POST.get("words", "")
    if not holding.hold(waiting, words, secret=secret, now=timezone.now()):
        return private(HttpResponseRedirect(door, status=303))
    response = private(HttpResponseRedirect(f"{door}?held=1", status=303))
    response.set_cookie(
        _holds(),
        secret,
        max_age=int(holding.LASTS.total_seconds()),
        path="/m/p/",
        httponly=True,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _holds() -> str:
    return "__Secure-held" if settings.SESSION_COOKIE_SECURE else "held"


def _give(response: HttpResponse, token: str, permit: str) -> None:
    response.set_cookie(
        _cookie(),
        permit,
        max_age=int(identity.IDLE.total_seconds()),
        path=f"/m/p/{token}",
        httponly=True,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _language(request: HttpRequest, waiting: Pickup) -> str:
    """Return the page's language; one that was chosen and sent with a form is kept."""
    language = asked(request, otherwise=waiting.language)
    if request.method == "POST" and language != waiting.language:
        Pickup.objects.filter(id=waiting.id).update(language=language)
        waiting.language = language
    return language


def _shown(
    request: HttpRequest, waiting: Pickup, template: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    language = _language(request, waiting)
    return showing.page(request, template, words_of.WORDS, language=language, status=status, **more)


def _words(request: HttpRequest, waiting: Pickup) -> Mapping[str, str]:
    return said(words_of.WORDS, _language(request, waiting))


# ---- The door -------------------------------------------------------------------------------


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_at
def door(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    """Ask who is there; on the right answer hand out a pass and go on to the message."""
    now, act = timezone.now(), request.POST.get("act", "") if request.method == "POST" else ""
    if act == "renew":
        _language(request, waiting)
        return _door(request, waiting, renewed=pickup.renew(waiting, now=now))
    if not act or pickup.shut(waiting, now=now):
        return _door(request, waiting)
    if act == "code":
        _language(request, waiting)
        come = codes.ask(waiting, carriers.usual(), network=network_of(request), now=now)
        return _door(request, waiting, come=come)
    return _enter(request, token, waiting)


def _enter(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    now, network = timezone.now(), network_of(request)
    if identity.slow(waiting, network, now=now):
        return _door(request, waiting, slow=True, status=429)
    code = "".join(request.POST.get("code", "")[:40].split())
    born = born_in(request.POST)
    if not (code.isascii() and code.isdigit() and len(code) == codes.DIGITS) or born is None:
        return _door(request, waiting, fault="incomplete", status=422)
    permit = identity.enter(waiting, Claim(code, born, network), now=now)
    if permit is None:
        return _door(request, waiting, fault="wrong", status=422)
    response = HttpResponseRedirect(f"/m/p/{token}/message", status=303)
    _give(response, token, permit)
    return private(response)


def born_in(given: Mapping[str, Any]) -> date | None:
    try:
        parts = [str(given.get(part, "")).strip() for part in ("year", "month", "day")]
        if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
            return None
        return date(*map(int, parts))
    except ValueError:
        return None


def _door(
    request: HttpRequest,
    waiting: Pickup,
    *,
    come: str = "",
    fault: str = "",
    slow: bool = False,
    renewed: bool | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    waiting.refresh_from_db(fields=["attempts", "expires_at", "code_asked_at", "code_by"])
    words = _words(request, waiting)
    shut = "slow" if slow else pickup.shut(waiting, now=now) or ""
    standing = waiting.code_asked_at is not None and now < waiting.code_asked_at + codes.LASTS
    parts = [(part, words[part]) for part in ("month", "day", "year")]
    given = {part: request.POST.get(part, "")[:4] for part, _ in parts} if fault else {}
    return _shown(
        request,
        waiting,
        "messaging/pickup.html",
        status=status,
        shut=shut,
        shut_words=words.get(f"shut_{shut}", ""),
        calls=shut in ("recalled", "slow"),
        renewed=renewed,
        held="held" in request.GET or bool(request.COOKIES.get(_holds())),
        come=words.get(f"code_{come}", "") if come else "",
        come_calls=come in ("many", "none"),
        asking=standing or come in ("coming", "wait"),
        carried=words[f"code_{waiting.code_by or 'email'}"],
        fault=words.get(fault, ""),
        left=Pickup.MOST_ATTEMPTS - waiting.attempts if waiting.attempts else 0,
        parts=[(part, name, given.get(part, "")) for part, name in parts],
    )


# ---- The message ----------------------------------------------------------------------------


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_admitted
def message(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    """Show the message; POST takes a reply."""
    if request.method != "POST":
        held = holding.held(waiting, request.COOKIES.get(_holds(), ""), now=timezone.now())
        return _message(request, token, waiting, sent="sent" in request.GET, kept=held, held=held)
    _language(request, waiting)
    words = request.POST.get("words", "")
    given = [
        Given(one.name or "", one.read()) for one in request.FILES.getlist("files")[:10] if one.size
    ]
    try:
        taking.from_portal(waiting.message, words, given, now=timezone.now())
    except AnswerRefused as refused:
        return _message(request, token, waiting, fault=refused.why, kept=words, status=422)
    if waiting.held:
        holding.drop(waiting)
    return private(HttpResponseRedirect(f"/m/p/{token}/message?sent=1", status=303))


def _message(
    request: HttpRequest,
    token: str,
    waiting: Pickup,
    *,
    fault: str = "",
    kept: str = "",
    held: str = "",
    sent: bool = False,
    status: int = 200,
) -> HttpResponse:
    try:
        rendered = pickup.read(waiting, now=timezone.now())
    except evidence.Gone:
        return _gone(request, waiting)
    words = _words(request, waiting)
    before = letters.answered_by(waiting.message)
    return _shown(
        request,
        waiting,
        "messaging/message.html",
        status=status,
        said=rendered,
        here=f"/m/p/{token}",
        files=[(name, row.size, row.pk) for row, name in pickup.files(waiting)],
        before=reading.opened([before], []) if before else [],
        yours=reading.of_message(waiting.message),
        fault=words.get(f"reply_{fault}", ""),
        fault_calls=fault == "many",
        kept=kept[: taking.LONGEST],
        held=bool(held),
        sent=sent,
        longest=taking.LONGEST,
    )


def _gone(request: HttpRequest, waiting: Pickup) -> HttpResponse:
    words = _words(request, waiting)
    return _shown(
        request,
        waiting,
        "messaging/pickup.html",
        status=410,
        shut="gone",
        shut_words=words["shut_gone"],
        calls=True,
    )


@public
@require_safe
@_admitted
def body(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    try:
        return private(framed(evidence.read(waiting.message).html))
    except evidence.Gone:
        raise Http404 from None


@public
@require_safe
@_admitted
def file(request: HttpRequest, token: str, waiting: Pickup, *, number: UUID) -> HttpResponse:
    """Give a file, to be saved and never shown in our own pages' name."""
    found = pickup.file(waiting, number)
    if found is None:
        raise Http404
    response = HttpResponse(found.content, content_type=found.media_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return private(response)


# ---- The person's own key, and the way out --------------------------------------------------


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@_admitted
def key(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    """Show what mail to this person is encrypted to; POST adds the person's own, or removes it."""
    done, fault = "", ""
    if request.method == "POST":
        done, fault = _changed(request, waiting)
    words = _words(request, waiting)
    return _shown(
        request,
        waiting,
        "messaging/own_key.html",
        status=422 if fault else 200,
        here=f"/m/p/{token}",
        keys=own_key.shown(waiting.message),
        done=words.get(f"key_{done}", ""),
        fault=words.get(f"key_{fault}", ""),
    )


def _changed(request: HttpRequest, waiting: Pickup) -> tuple[str, str]:
    """Do what was asked; return the keys of the words that say so, or that say why not."""
    now = timezone.now()
    if request.POST.get("act") == "remove":
        gone = own_key.remove(waiting.message, request.POST.get("key", ""), now=now)
        return ("removed" if gone else ""), ""
    given = request.FILES.get("file")
    raw = given.read() if given else request.POST.get("text", "").encode()
    try:
        own_key.add(waiting.message, raw, now=now)
    except KeyRefused as refused:
        return "", refused.code
    return "kept", ""


@public
@csrf_exempt
@require_POST
@_admitted
def leave(request: HttpRequest, token: str, waiting: Pickup) -> HttpResponse:
    """End the session, here and wherever its pass is kept."""
    identity.leave(waiting)
    response = _shown(request, waiting, "messaging/left.html")
    response.delete_cookie(_cookie(), path=f"/m/p/{token}", samesite="Strict")
    return response
