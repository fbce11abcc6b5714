"""Whose rows a statement may touch.

The organisation travels twice: as a context variable for Python, and as the connection's setting
`attune.organisation`, which the row security policies read. Unset means no rows at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

SETTING = "attune.organisation"
DOOR_SETTING = "attune.door"

_HERE = "select set_config(%b, %b, true), set_config('plan_cache_mode', 'force_generic_plan', true)"

_organisation: ContextVar[int | None] = ContextVar("organisation", default=None)
_door: ContextVar[bool] = ContextVar("door", default=False)


class NoOrganisation(RuntimeError):
    """No organisation is set: wrap the work in tenancy.acting_for(organisation_id)."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def current() -> int:
    """Return the organisation that the work is for."""
    organisation = _organisation.get()
    if organisation is None:
        raise NoOrganisation
    return organisation


def current_or_none() -> int | None:
    return _organisation.get()


@contextmanager
def acting_for(organisation_id: int) -> Iterator[None]:
    """Do the work inside for one organisation, and put back what was set before."""
    before = _organisation.get()
    token = _organisation.set(organisation_id)
    _tell(SETTING, str(organisation_id))
    try:
        yield
    finally:
        _organisation.reset(token)
        _tell(SETTING, "" if before is None else str(before))


@contextmanager
def acting_here(organisation_id: int) -> Iterator[None]:
    """Do the same inside a transaction that ends with the block: its end puts the setting back.

    In it prepared statements keep the plan that they have. PostgreSQL would plan those that take
    lists anew each time, which for a few short lists costs as much as to answer them.
    """
    token = _organisation.set(organisation_id)
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_HERE, (SETTING, str(organisation_id)), prepare=True)
    try:
        yield
    finally:
        _organisation.reset(token)


@contextmanager
def door() -> Iterator[None]:
    """Read organisations and staff before it is known whose they are: sign-in and the tick.

    Opens two tables and nothing else (see row_security.DOOR_TABLES); a test lists the callers.
    """
    before = _door.get()
    token = _door.set(True)
    _tell(DOOR_SETTING, "open")
    try:
        yield
    finally:
        _door.reset(token)
        _tell(DOOR_SETTING, "open" if before else "")


def organisation_ids() -> list[int]:
    """Return every organisation, for the loops that serve each in turn."""
    from accounts.models import Organisation

    with door():
        return list(Organisation.objects.order_by("id").values_list("id", flat=True))


def _tell(setting: str, value: str) -> None:
    """Set the connection's setting, where there is a connection that can still be told.

    In a broken transaction nothing can be said, and nothing need be: the rollback restores what
    was set when the transaction (or its savepoint) began, which is what stood before.
    """
    raw = connection.connection
    if raw is None or raw.closed:
        return  # `remember` tells the next connection
    if raw.info.transaction_status == TransactionStatus.INERROR:
        return
    with psycopg.Cursor(raw) as cursor:  # the server's own, which keeps the statement prepared
        cursor.execute("select set_config(%b, %b, false)", (setting, value), prepare=True)


def remember(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Tell a new connection what the old one knew; connected to Django's connection_created."""
    if connection.alias != "default":
        return
    organisation = _organisation.get()
    with connection.cursor() as cursor:
        if organisation is not None:
            cursor.execute("select set_config(%s, %s, false)", (SETTING, str(organisation)))
        if _door.get():
            cursor.execute("select set_config(%s, 'open', false)", (DOOR_SETTING,))


class OrganisationKey(models.ForeignKey[Any, Any]):
    """Whose row this is: unless said, the organisation that the work is for.

    Not a `default`: Django's own checks make rows without an organisation, and save none.
    """

    def get_default(self) -> int | None:
        return _organisation.get()


class TenantModel(models.Model):
    """A row that belongs to one organisation."""

    organisation = OrganisationKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="+", editable=False
    )

    class Meta:
        abstract = True
