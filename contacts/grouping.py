"""Code groups made, changed by new versions, renamed and archived; each act in the trail.

A version never changes. What leans on a group is told of a new one: segments get the labels that
its codes carry, and are worked out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import actor, trail
from contacts import dependants
from contacts.canonical import ValueRefused, text
from contacts.code_groups import GroupGone, held
from contacts.declared import starters
from contacts.declared.code_lines import Code, ordered
from contacts.declared.models import CodeGroup, CodeGroupVersion
from contacts.dependants import Dependant
from contacts.fields import DataClass, Field, FieldType
from contacts.segments import relabelling

MOST_GROUPS = 500
_SHOWN = Field(key="name", label="", type=FieldType.TEXT, data_class=DataClass.IDENTITY)


class GroupRefused(ValueError):
    """A group cannot be so: says what to do."""


class StillUsed(RuntimeError):
    """The code group is in use: take it out of what leans on it first."""

    def __init__(self, users: Sequence[Dependant]) -> None:
        super().__init__(self.__doc__)
        self.dependants = tuple(users)


class ChangedMeanwhile(RuntimeError):
    """Somebody else made a new version meanwhile: look at it, and begin from there."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a version has that an earlier one had not, and the other way round."""

    added: tuple[Code, ...]
    removed: tuple[Code, ...]


def add(name: str, holding: Sequence[Code], *, now: datetime, starter: str = "") -> CodeGroup:
    """Make a group and its first version."""
    with transaction.atomic():
        if CodeGroup.objects.filter(archived_at=None).count() >= MOST_GROUPS:
            raise GroupRefused(f"At most {MOST_GROUPS} code groups are kept.")
        group = CodeGroup(name=_name(name), starter=starter, created_at=now, updated_at=now)
        group.save(force_insert=True)
        _add_version(group, holding, now)
        _record("code_group.created", group, version=1, count=len(holding))
    return group


def change(group_id: UUID, holding: Sequence[Code], *, since: int, now: datetime) -> Difference:
    """Make the codes the newest version, if `since` still is; the same codes make no version."""
    with transaction.atomic():
        group = _locked(group_id)
        if group.version != since:
            raise ChangedMeanwhile
        before = held(group_id)
        if tuple(ordered(list(holding))) == before:
            return Difference((), ())
        _add_version(group, holding, now)
        found = difference(before, holding)
        counts = {"added": len(found.added), "removed": len(found.removed)}
        _record("code_group.changed", group, version=group.version, **counts)
        relabelling.run(segments_of(group_id), now=now)
    return found


def rename(group_id: UUID, name: str, *, now: datetime) -> None:
    """Give the group another name; segments know it by its number."""
    with transaction.atomic():
        group = _locked(group_id)
        if group.name != name.strip():
            group.name, group.updated_at = _name(name, besides=group_id), now
            group.save(update_fields=["name", "updated_at"])
            _record("code_group.renamed", group, version=group.version)


def archive(group_id: UUID, *, now: datetime) -> None:
    """Take a group out of use while nothing leans on it; its versions stay to be read."""
    with transaction.atomic():
        group = _locked(group_id)
        if users := dependants.of_code_group(group_id):
            raise StillUsed(users)
        group.archived_at = group.updated_at = now
        group.save(update_fields=["archived_at", "updated_at"])
        _record("code_group.archived", group, version=group.version)


def add_starters(*, now: datetime) -> list[CodeGroup]:
    """Add the shipped groups that the organisation never had; return those added.

    One that was archived stays so; one whose name is taken is left out.
    """
    with transaction.atomic():
        had = set(CodeGroup.objects.exclude(starter="").values_list("starter", flat=True))
        return [
            add(group.name, group.codes, now=now, starter=group.key)
            for group in starters.GROUPS
            if group.key not in had and not _taken(group.name)
        ]


def difference(before: Sequence[Code], after: Sequence[Code]) -> Difference:
    """Return what came and what went; a code that only got another name did neither."""
    old, new = ({code[:2] for code in codes} for codes in (before, after))
    return Difference(
        added=tuple(ordered([code for code in after if code[:2] not in old])),
        removed=tuple(ordered([code for code in before if code[:2] not in new])),
    )


def segments_of(group_id: UUID) -> list[UUID]:
    """Return the segments that ask for the group."""
    return [user.id for user in dependants.of_code_group(group_id) if user.kind == "segment"]


def _locked(group_id: UUID) -> CodeGroup:
    found = CodeGroup.objects.select_for_update().filter(pk=group_id, archived_at=None).first()
    if found is None:
        raise GroupGone
    return found


def _add_version(group: CodeGroup, holding: Sequence[Code], now: datetime) -> None:
    if not holding:
        raise GroupRefused("A code group needs at least one code.")
    who = actor.current()
    group.version += 1
    group.updated_at = now
    group.save(update_fields=["version", "updated_at"])
    CodeGroupVersion.objects.create(
        organisation_id=tenancy.current(),
        group=group,
        number=group.version,
        codes=[list(code) for code in ordered(list(holding))],
        actor=f"{who.kind}:{who.id}",
        created_at=now,
    )


def _name(given: str, *, besides: UUID | None = None) -> str:
    try:
        name = text(given, _SHOWN)
    except ValueRefused as refused:
        raise GroupRefused(f"The name {refused.reason}.") from None
    if not name:
        raise GroupRefused("Give the code group a name.")
    if len(name) > 80:
        raise GroupRefused("The name is longer than 80 characters.")
    if _taken(name, besides=besides):
        raise GroupRefused("Another code group has this name.")
    return name


def _taken(name: str, *, besides: UUID | None = None) -> bool:
    same = CodeGroup.objects.filter(name__iexact=name, archived_at=None)
    return any(pk != besides for pk in same.values_list("pk", flat=True))


def _record(action: str, group: CodeGroup, **detail: int) -> None:
    trail.record(action, subject=f"code_group:{group.pk}", detail=detail)
