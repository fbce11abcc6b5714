"""The door that every request passes: who is it, for whom, and may they.

Sets `request.user` and `request.staff_session`, the organisation and the actor; keeps what views
declare with `accounts.guard`; and moves the idle time on, except for a page's own polling.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from accounts import guard, secrets, sessions, tenancy
from accounts.guard import Access, Kind
from accounts.models import Session, User
from audit import trail
from audit.actor import Actor, acting_as

POLLING = "Attune-Polling"
"""The header of requests that a page makes by itself; they keep nobody signed in (SR-07)."""


def cookie_name() -> str:
    return "__Host-staff" if settings.SESSION_COOKIE_SECURE else "staff"


class StaffDoor:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = AnonymousUser()
        request.staff_session = None  # type: ignore[attr-defined]
        raw = request.COOKIES.get(cookie_name())
        secret = secrets.parse(raw, label=sessions.LABEL) if raw else None
        if secret is None:
            return self.get_response(request)
        with ExitStack() as stack:
            stack.enter_context(tenancy.acting_for(secret.organisation_id))
            session = sessions.find(secret, now=timezone.now())
            if session is None:
                stack.close()  # whoever this is, it is nobody's
            else:
                request.staff_session = session  # type: ignore[attr-defined]
                if session.is_complete:
                    request.user = session.user
                stack.enter_context(acting_as(Actor("staff", str(session.user.pk))))
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: Any
    ) -> HttpResponse | None:
        """Refuse what the view does not let in; return None to let the view answer."""
        access = guard.declared(view)
        if access is None:
            raise PermissionDenied("undeclared")
        if access.kind in (Kind.PUBLIC, Kind.MACHINE):
            return None
        session: Session | None = request.staff_session  # type: ignore[attr-defined]
        if session is None or not session.is_complete:
            return _send_to(request, "sign-in" if session is None else "sign-in-code")
        if session.method == Session.Method.SAMPLE and not settings.SAMPLE:
            return _send_to(request, "sign-in")
        _admit(request, access, session.user)
        if access.fresh and not session.is_fresh(now=timezone.now()) and not settings.SAMPLE:
            return _send_to(request, "confirm")
        if POLLING not in request.headers:
            sessions.note(session, now=timezone.now())
        return None


def _admit(request: HttpRequest, access: Access, user: User) -> None:
    method = request.method or "GET"
    if access.admits(user.role, method=method):
        return
    route = request.resolver_match.view_name if request.resolver_match else ""
    trail.record(
        "access.refused",
        detail={
            "permission": access.asks(method) or "none",
            "route": route or "unnamed",
            "method": method,
        },
        outcome="refused",
    )
    raise PermissionDenied(access.asks(method))


def _send_to(request: HttpRequest, door: str) -> HttpResponse:
    """Send a person to the door and back to the page; tell htmx the same in its own words."""
    htmx = "HX-Request" in request.headers
    back = (
        request.get_full_path() if request.method == "GET" and not htmx else _page_before(request)
    )
    address = resolve_url(door) + (f"?{urlencode({'next': back})}" if back not in ("", "/") else "")
    if not htmx:
        return HttpResponseRedirect(address)
    response = HttpResponse("Your session has ended: sign in again.", status=401)
    response["HX-Redirect"] = address
    response["WWW-Authenticate"] = 'Session realm="staff"'
    return response


def _page_before(request: HttpRequest) -> str:
    """Return the path of our own page that the request was sent from."""
    sent_from = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(sent_from, allowed_hosts={request.get_host()}):
        return ""
    parts = urlsplit(sent_from)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
