"""Names that say too much: fields and code groups whose labels hide them, as they hide segments."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from contacts import code_groups
from contacts.declared.models import CodeGroup
from contacts.fields import Field, Sensitivity


def says_too_much(field: Field) -> bool:
    """Whether the name is for those alone who see clinical facts; the catalogue is no secret."""
    return field.custom and bool(field.sensitivity)


def labelled(groups: Iterable[CodeGroup]) -> set[UUID]:
    """Return those of the groups whose codes carry a sensitivity label."""
    return {one.pk for one in groups if _labels(one.pk, one.version)}


@lru_cache(maxsize=4096)
def _labels(group_id: UUID, version: int) -> Sensitivity:
    """A version never changes, nor do its labels within a release."""
    return code_groups.labels_of(group_id, version=version)
