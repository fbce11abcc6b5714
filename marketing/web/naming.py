"""Who reads the names of labelled fields and code groups: who sees clinical facts, or keeps them.

To everyone else they are restricted, and nothing offers them (PR-30).
"""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import User
from accounts.roles import Permission
from audit import actor
from contacts import registry
from contacts.declared.models import CodeGroup
from contacts.declared.naming import labelled, says_too_much
from contacts.fields import DataClass, Field


def opens(user: User, *, keeping: Permission) -> bool:
    return DataClass.CLINICAL.value in user.data_classes or user.may(keeping)


def fields_for(fields: Iterable[Field], user: User) -> list[Field]:
    """Return the fields that may be offered by name."""
    open_ = opens(user, keeping=Permission.FIELDS_MANAGE)
    return [field for field in fields if open_ or not says_too_much(field)]


def groups_for(groups: Iterable[CodeGroup], user: User) -> list[CodeGroup]:
    """Return the code groups that may be offered by name."""
    found = list(groups)
    if opens(user, keeping=Permission.CODE_GROUPS_MANAGE):
        return found
    hidden = labelled(found)
    return [one for one in found if one.pk not in hidden]


def restricted(what: str, mark: str) -> str:
    """What stands in a name's place."""
    return f"Restricted {what} {mark[-6:]}"


def choices_for(declared: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Return the fields in use by key and name, as whoever acts may read them. What a draft has
    `declared` already stays among them, so that saving it takes nothing away."""
    kept = frozenset(declared)
    open_ = _acting_opens()
    return [
        (field.key, field.label if open_ or not says_too_much(field) else "A restricted field")
        for field in registry.current().values()
        if not field.archived and (open_ or not says_too_much(field) or field.key in kept)
    ]


def offered() -> list[Field]:
    """Return the fields in use that whoever acts may read the names of."""
    open_ = _acting_opens()
    known = [field for field in registry.current().values() if not field.archived]
    return [field for field in known if open_ or not says_too_much(field)]


def _acting_opens() -> bool:
    acting = actor.current()
    if acting.kind != "staff":
        return True
    user = User.objects.filter(pk=acting.id).first()
    return user is not None and opens(user, keeping=Permission.FIELDS_MANAGE)
