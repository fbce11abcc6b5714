"""What a member of staff may see of a segment: its name, its sentence, and which counts."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from accounts.models import User
from accounts.roles import Permission
from contacts.fields import DataClass
from contacts.segments import catalogue, counts, references
from contacts.segments.definition import Definition, DefinitionInvalid, in_words
from contacts.segments.models import Segment


@dataclass(frozen=True)
class Sight:
    """A segment as the person who looks may see it.

    `open` is false where a label hides name and sentence; `exact` says whether counts are exact.
    `classes` are what membership betrays: all of them where the definition is broken.
    """

    segment: Segment
    title: str
    sentence: str
    count: str
    open: bool
    exact: bool
    classes: list[str]

    @property
    def labels(self) -> list[str]:
        return list(self.segment.labels)


def of(segment: Segment, user: User) -> Sight:
    clinical = sees_clinical(user)
    open_ = clinical or not segment.labels
    classes = classes_of(segment)
    exact = counts.exact_for(classes, user.data_classes)
    return Sight(
        segment,
        catalogue.titled(segment, clinical=clinical),
        _sentence(segment, clinical=clinical) if open_ else "Hidden by its label.",
        counts.said(segment.count, exact=exact),
        open_,
        exact,
        classes,
    )


def found(segment_id: UUID) -> Segment:
    segment = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if segment is None:
        raise Http404
    return segment


def classes_of(segment: Segment) -> list[str]:
    try:
        definition = catalogue.definition_of(segment)
    except DefinitionInvalid:
        return sorted(kind.value for kind in DataClass)
    return betrayed(definition)


def betrayed(definition: Definition) -> list[str]:
    """The data classes that membership betrays."""
    return sorted(kind.value for kind in references.data_classes(definition))


def may_edit(user: User) -> bool:
    return user.may(Permission.SEGMENTS_EDIT)


def sees_clinical(user: User) -> bool:
    return DataClass.CLINICAL.value in user.data_classes


def _sentence(segment: Segment, *, clinical: bool) -> str:
    try:
        definition = catalogue.read(segment.definition)
    except DefinitionInvalid:
        return "Its definition is broken."
    return in_words(definition, names=catalogue.names_in(definition, clinical=clinical))
