"""What a member of staff may see of a segment: its name, its sentence, and which counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404
from django.utils import timezone

from accounts.models import User
from accounts.roles import Permission
from contacts.fields import DataClass
from contacts.segments import catalogue, references, told
from contacts.segments.counts import Shown
from contacts.segments.definition import Definition, DefinitionInvalid, in_words
from contacts.segments.models import Segment
from contacts.segments.told import Question, Reader


@dataclass(frozen=True)
class Sight:
    """A segment as the person who looks may see it.

    `open` is false where a label hides name and sentence; `reader` tells its counts, and `question`
    is what they answer. `classes` are what membership betrays: all of them where the definition is
    broken.
    """

    segment: Segment
    title: str
    sentence: str
    count: str
    open: bool
    reader: Reader
    question: Question
    classes: list[str]

    @property
    def exact(self) -> bool:
        """Whether counts are exact."""
        return self.reader.exact

    @property
    def labels(self) -> list[str]:
        return list(self.segment.labels)


def of(segment: Segment, user: User) -> Sight:
    return of_all([segment], user)[0]


def of_all(segments: Sequence[Segment], user: User) -> list[Sight]:
    """The same for many, with their counts told at once."""
    clinical, now = sees_clinical(user), timezone.now()
    rows = [(one, *meaning(one)) for one in segments]
    readers = [
        told.reader(classes, user.data_classes, asker=user.pk, now=now) for _, classes, _ in rows
    ]
    said = told_of(
        [(reader, row[2], row[0].count) for reader, row in zip(readers, rows, strict=True)]
    )
    return [
        Sight(
            segment,
            catalogue.titled(segment, clinical=clinical),
            _sentence(segment, clinical=clinical)
            if clinical or not segment.labels
            else "Hidden by its label.",
            "not counted yet" if count is None else str(count),
            clinical or not segment.labels,
            reader,
            question,
            classes,
        )
        for (segment, classes, question), reader, count in zip(rows, readers, said, strict=True)
    ]


def meaning(segment: Segment) -> tuple[list[str], Question]:
    """What membership betrays, and what the segment's count answers."""
    try:
        definition = catalogue.definition_of(segment)
    except DefinitionInvalid:
        return sorted(kind.value for kind in DataClass), ("segment", str(segment.id))
    return betrayed(definition), told.of_clause(definition.root)


def told_of(cells: Sequence[tuple[Reader, Question, int | None]]) -> list[Shown | None]:
    """Tell counts with few statements, whatever their number: readers of a page differ in little.

    None: not counted yet.
    """
    asked: defaultdict[Reader, dict[Question, int]] = defaultdict(dict)
    for reader, question, count in cells:
        if count is not None:
            asked[reader][question] = count
    answers = {reader: reader.many(given) for reader, given in asked.items()}
    return [
        None if count is None else answers[reader][question] for reader, question, count in cells
    ]


def found(segment_id: UUID) -> Segment:
    segment = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if segment is None:
        raise Http404
    return segment


def classes_of(segment: Segment) -> list[str]:
    return meaning(segment)[0]


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
