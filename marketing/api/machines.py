"""Let a machine in by its API key, and hold it to the key's organisation and scopes.

Every address under /api/v1/ goes through `Door`: no key, no view. What a method needs stands in the
address's own table of scopes; a method that is missing there is refused (deny by default).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import api_keys, guard, tenancy
from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from audit.actor import Actor, acting_as
from marketing.api import idempotency, problems, refusals
from marketing.api.problems import Problem

logger = logging.getLogger(__name__)

Scopes = Mapping[str, Permission]
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="attune"'}
NO_KEY = "Send the header Authorization: Bearer, followed by the key."


def bearer_of(request: HttpRequest) -> str:
    """Return what the request gives as its key; empty where it gives none."""
    kind, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return raw.strip() if kind.lower() == "bearer" else ""


def key_of(request: HttpRequest, *, now: datetime) -> ApiKey:
    """Return the request's API key; raise a 401 that says in plain words why not."""
    raw = bearer_of(request)
    if not raw:
        raise Problem(401, "no-key", NO_KEY, headers=CHALLENGE)
    try:
        return api_keys.authenticate(raw, now=now)
    except api_keys.KeyRefused as refused:
        raise Problem(401, "key-refused", refused.sentence, headers=CHALLENGE) from None


def demand(key: ApiKey, scope: Permission | None) -> None:
    """Raise a 403 unless the key has the scope; the refusal goes to the trail."""
    if scope is not None and key.allows(scope):
        return
    needed = scope.value if scope else "none that a key can have"
    facts = {"permission": scope.value if scope else "none", "reason": "scope"}
    trail.record("access.refused", outcome="refused", detail=facts)
    detail = f"It needs the scope {needed}. Ask whoever manages API keys for one that has it."
    raise Problem(403, "scope-missing", detail)


def behind_door(
    view: Callable[..., HttpResponseBase], scopes: Scopes
) -> Callable[..., HttpResponseBase]:
    """Wrap a view: authenticate, act for the key's organisation, answer failures as problems."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        now = timezone.now()
        try:
            key = key_of(request, now=now)
        except Problem as problem:
            return problem.response()
        with (
            tenancy.acting_for(key.organisation_id),
            acting_as(Actor("api_key", str(key.id))),
        ):
            request.api_key, request.now = key, now  # type: ignore[attr-defined]
            response = _guarded(view, scopes, request, args, kwargs)
            if response.status_code >= 400:
                refusals.note(request, response, key_id=key.id, now=now)
            return response

    answer.scopes = scopes  # type: ignore[attr-defined]
    answer.csrf_exempt = True  # type: ignore[attr-defined]  # a bearer key is no cookie
    return guard.machine(answer)


def _guarded(
    view: Callable[..., HttpResponseBase],
    scopes: Scopes,
    request: HttpRequest,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponseBase:
    try:
        method = request.method or ""
        if method not in scopes:
            return _method_refused(scopes)
        demand(request.api_key, scopes[method])  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)
    except Problem as problem:
        return problem.response()
    except Exception:
        # The private formatter writes the type and the place; the text may hold a patient's value.
        logger.exception("api request failed")
        return problems.INTERNAL.response()


def _method_refused(scopes: Scopes) -> HttpResponse:
    allowed = ", ".join(sorted(scopes))
    problem = Problem(405, "method", f"This address takes {allowed}.", headers={"Allow": allowed})
    return problem.response()


class Bearer(BaseAuthentication):
    """Tell DRF (and its schema) what the door has already decided."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey]:
        key: ApiKey = request._request.api_key  # type: ignore[attr-defined]
        return _Machine(key), key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE["WWW-Authenticate"]


class _Machine:
    is_authenticated = True

    def __init__(self, key: ApiKey) -> None:
        self.pk = key.id


class HasScope(BasePermission):
    """Check the scope again where the view runs, so that no view is reached around the door."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes: Scopes = getattr(view, "scopes", {})
        scope = scopes.get(request.method or "")
        key = request.auth
        return scope is not None and isinstance(key, ApiKey) and key.allows(scope)


class MachineView(APIView):
    """A view of the API. `scopes` names, for each method, the one scope that it needs."""

    authentication_classes = [Bearer]
    permission_classes = [HasScope]
    scopes: ClassVar[Scopes] = {}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        inner = super().as_view(**initkwargs)
        outer = behind_door(inner, cls.scopes)
        outer.cls = cls  # type: ignore[attr-defined]  # by which drf-spectacular finds the view
        outer.initkwargs = initkwargs  # type: ignore[attr-defined]
        return outer

    @property
    def now(self) -> datetime:
        moment: datetime = self.request._request.now  # type: ignore[attr-defined]
        return moment

    def once(self, act: Callable[[], Response], named: str, body: object) -> Response:
        """Do the act once for each Idempotency-Key; `named` and `body` say what was asked."""
        return idempotency.once(
            act,
            key=idempotency.header_of(self.request.headers),
            machine=self.key(),
            request=(named, body),
            now=self.now,
        )

    def key(self) -> ApiKey:
        key: ApiKey = self.request._request.api_key  # type: ignore[attr-defined]
        return key
