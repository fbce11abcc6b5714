"""Which door an address has. A view declares it here; `accounts.middleware` keeps it.

    @requires(Permission.SEGMENTS_VIEW)                                   staff whose role allows it
    @requires(Permission.KEYS_MANAGE, fresh=True)                         who proved it lately
    @requires(Permission.SEGMENTS_VIEW, changing=Permission.SEGMENTS_EDIT)     more for POST
    @signed_in                                                            anybody on staff
    @machine                                                              API keys
    @public                                                               everybody

What declares nothing is refused (SR-01). Works on functions, class-based views and DRF views.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.models import Session, User
from accounts.roles import Permission, Role, allows

V = TypeVar("V", bound=Callable[..., Any])
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Kind(StrEnum):
    PUBLIC = "public"
    SIGNED_IN = "signed in"
    STAFF = "staff"
    MACHINE = "machine"


@dataclass(frozen=True)
class Access:
    kind: Kind
    permission: Permission | None = None
    changing: Permission | None = None
    """Asked instead of `permission` where the method is not a safe one."""
    fresh: bool = False

    def asks(self, method: str) -> Permission | None:
        return self.permission if method in SAFE else self.changing or self.permission

    def admits(self, role: Role | str, *, method: str = "GET") -> bool:
        """Say whether staff of this role may come in; deny unless declared."""
        if self.kind in (Kind.PUBLIC, Kind.SIGNED_IN):
            return True
        asked = self.asks(method)
        return self.kind is Kind.STAFF and asked is not None and allows(role, asked)


def requires(
    permission: Permission, *, changing: Permission | None = None, fresh: bool = False
) -> Callable[[V], V]:
    """Let in staff whose role has the permission; `fresh` asks for a code given lately."""
    return _declares(Access(Kind.STAFF, permission, changing, fresh))


def machine(view: V) -> V:
    """Leave the address to API keys; the API's own door looks at them and at their scopes."""
    return _declares(Access(Kind.MACHINE))(view)


def public(view: V) -> V:
    """Let everybody in."""
    return _declares(Access(Kind.PUBLIC))(view)


def signed_in(view: V) -> V:
    """Let in anybody on staff who gave both factors."""
    return _declares(Access(Kind.SIGNED_IN))(view)


def signed_in_lately(view: V) -> V:
    """Let in anybody on staff who gave a code within the last minutes."""
    return _declares(Access(Kind.SIGNED_IN, fresh=True))(view)


def declared(view: Callable[..., Any]) -> Access | None:
    """Return what the view behind an address declares, if anything."""
    for holder in (view, getattr(view, "view_class", None), getattr(view, "cls", None)):
        access = getattr(holder, "access", None)
        if isinstance(access, Access):
            return access
    return None


def _declares(access: Access) -> Callable[[V], V]:
    def declare(view: V) -> V:
        view.access = access  # type: ignore[attr-defined]
        return view

    return declare


def session_of(request: HttpRequest) -> Session:
    """Return the session of a view that staff alone reach."""
    session = getattr(request, "staff_session", None)
    if not isinstance(session, Session):
        raise PermissionDenied("no session")
    return session


def staff_of(request: HttpRequest) -> User:
    """Return who is signed in, with both factors."""
    session = session_of(request)
    if not session.is_complete:
        raise PermissionDenied("half a session")
    return session.user
