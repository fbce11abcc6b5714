"""Named groups of codes: what "diabetes" means here. Reading; `contacts.grouping` changes them.

A segment names a group and means its newest version.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from contacts import codes
from contacts.declared.code_lines import Code
from contacts.declared.models import CodeGroup, CodeGroupVersion
from contacts.fields import Sensitivity


class GroupGone(LookupError):
    """There is no such code group any more."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def codes_of(group_id: UUID, *, version: int | None = None) -> frozenset[tuple[str, str]]:
    """Return the (system, code) of a group: of its newest version unless one is named."""
    return frozenset((code.system, code.code) for code in held(group_id, version=version))


def labels_of(group_id: UUID, *, version: int | None = None) -> Sensitivity:
    """Return the sensitivity labels that follow from the group's codes."""
    return codes.labels_of(codes_of(group_id, version=version))


def titles(group_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the names of groups, archived ones too; those that never were are missing."""
    found = CodeGroup.objects.filter(pk__in=list(group_ids))
    return dict(found.values_list("pk", "name"))


def held(group_id: UUID, *, version: int | None = None) -> tuple[Code, ...]:
    """Return the codes of a group with their names."""
    group = one(group_id)
    number = group.version if version is None else version
    kept = CodeGroupVersion.objects.filter(group=group, number=number).first()
    if kept is None:
        raise GroupGone
    return tuple(Code(*code) for code in kept.codes)


def one(group_id: UUID) -> CodeGroup:
    """Return a group that is in use."""
    found = CodeGroup.objects.filter(pk=group_id, archived_at=None).first()
    if found is None:
        raise GroupGone
    return found
