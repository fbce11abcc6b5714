"""Fields of the organisation's own: added, renamed, archived, deleted; each act in the trail.

A field is archived or deleted only while nothing leans on it. Deleting takes its values out of
every record afterwards (`contacts.sweeping`); from the moment of the act nobody is shown them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime

from audit import trail
from contacts import dependants, registry
from contacts.canonical import ValueRefused, text
from contacts.declared.models import KINDS, CustomField
from contacts.dependants import Dependant
from contacts.fields import CUSTOM, SEALED_CLASSES, DataClass, Field, FieldType, Sensitivity
from contacts.models import first_id
from contacts.segments import columns, relabelling

MOST_FIELDS = 300
MOST_CHOICES = 200
CLASSES = SEALED_CLASSES
"""Engagement is what people do; it is events, and has no sealed record to hold a value."""
LABELS = tuple((label.name or "").lower() for label in Sensitivity)
_KEY = re.compile(r"custom_[a-z0-9_]{1,40}")
_CHOOSES = (FieldType.CHOICE, FieldType.CHOICES)
_SHOWN = Field(key="", label="", type=FieldType.TEXT, data_class=DataClass.IDENTITY)


class FieldRefused(ValueError):
    """A field cannot be so. Names the part (`key`, `label`, `type` ...) and says what to do."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} {reason}")
        self.part = part
        self.reason = reason


class NoSuchField(LookupError):
    """There is no field of that key, or it was deleted."""


class StillUsed(RuntimeError):
    """The field is in use: take it out of what leans on it first."""

    def __init__(self, users: Sequence[Dependant]) -> None:
        super().__init__(self.__doc__)
        self.dependants = tuple(users)


def add(
    *,
    label: str,
    type_: str,
    data_class: str,
    labels: Collection[str],
    choices: Sequence[str] = (),
    key: str = "",
    now: datetime,
) -> CustomField:
    """Add a field. `labels` are named, or said to be none: both are decisions."""
    with registry.changing():
        living = CustomField.objects.exclude(state=CustomField.State.DELETED)
        if living.count() >= MOST_FIELDS:
            raise FieldRefused("key", f"is one too many: at most {MOST_FIELDS} fields are kept")
        name = _label(label, besides="")
        field = CustomField(
            key=_key(key, name),
            label=name,
            type=_type(type_),
            data_class=_class(data_class),
            labels=_labels(labels),
            choices=_choices(choices, chooses=FieldType(type_) in _CHOOSES),
            created_at=now,
            updated_at=now,
        )
        field.save(force_insert=True)
        _record("field.created", field, type=field.type, data_class=field.data_class)
    return field


def change(
    key: str,
    *,
    label: str | None = None,
    labels: Collection[str] | None = None,
    choices: Sequence[str] | None = None,
    now: datetime,
) -> CustomField:
    """Rename a field, label it anew, or change what can be chosen; None leaves a part as it is."""
    with registry.changing():
        field = one(key)
        before = (field.label, field.labels, field.choices)
        if label is not None:
            field.label = _label(label, besides=key)
        if labels is not None:
            field.labels = _labels(labels)
        if choices is not None:
            field.choices = _changed_choices(field, choices)
        after = (field.label, field.labels, field.choices)
        parts = zip(("label", "labels", "choices"), before, after, strict=True)
        changed = [name for name, old, new in parts if old != new]
        if changed:
            field.updated_at = now
            field.save()
            _record("field.changed", field, fields=changed)
        if "labels" in changed:
            asking = [user.id for user in dependants.of_field(key) if user.kind == "segment"]
            relabelling.run(asking, now=now)
    return field


def archive(key: str, *, now: datetime) -> CustomField:
    """Keep and show what is known, take no new values, and offer the field nowhere."""
    with registry.changing():
        field = one(key)
        if field.state != CustomField.State.ARCHIVED:
            _refuse_while_used(key)
            _put(field, CustomField.State.ARCHIVED, now)
            _record("field.archived", field)
    return field


def restore(key: str, *, now: datetime) -> CustomField:
    """Use an archived field again."""
    with registry.changing():
        field = one(key)
        if field.state != CustomField.State.ACTIVE:
            _put(field, CustomField.State.ACTIVE, now)
            _record("field.restored", field)
    return field


def delete(key: str, *, now: datetime) -> None:
    """Forget the field and, soon after, every value of it. The key is never used again."""
    with registry.changing():
        field = one(key)
        _refuse_while_used(key)
        field.swept = first_id(field.organisation_id) - 1
        _put(field, CustomField.State.DELETED, now)
        columns.forget_field(key)
        _record("field.deleted", field)


def one(key: str) -> CustomField:
    """Return the field of this key."""
    found = CustomField.objects.filter(key=key).exclude(state=CustomField.State.DELETED).first()
    if found is None:
        raise NoSuchField(NoSuchField.__doc__)
    return found


def _put(field: CustomField, state: CustomField.State, now: datetime) -> None:
    field.state, field.updated_at = state, now
    field.save()


def _refuse_while_used(key: str) -> None:
    if users := dependants.of_field(key):
        raise StillUsed(users)


def _key(given: str, label: str) -> str:
    key = given.strip() or CUSTOM + _slug(label)
    if not _KEY.fullmatch(key):
        why = "must begin" if given.strip() else "cannot be made of this name: write one, to begin"
        raise FieldRefused("key", f"{why} with {CUSTOM}, then have 1 to 40 of a-z, 0-9 and _")
    if CustomField.objects.filter(key=key).exists():
        raise FieldRefused("key", f"{key} was used before and is never used twice: write another")
    return key


def _slug(label: str) -> str:
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:40].strip("_")


def _label(given: str, *, besides: str) -> str:
    label = _words(given, "label", 80)
    taken = {field.label.casefold(): key for key, field in registry.current().items()}
    if taken.get(label.casefold(), besides) != besides:
        raise FieldRefused("label", "is that of another field: choose another name")
    return label


def _words(given: str, part: str, longest: int) -> str:
    try:
        words = text(given, _SHOWN)
    except ValueRefused as refused:
        raise FieldRefused(part, refused.reason) from None
    if not words:
        raise FieldRefused(part, "is needed")
    if len(words) > longest:
        raise FieldRefused(part, f"is longer than {longest} characters")
    return words


def _type(given: str) -> str:
    kinds = [kind.value for kind in KINDS]
    if given not in kinds:
        raise FieldRefused("type", "must be one of " + ", ".join(kinds))
    return given


def _class(given: str) -> str:
    if given not in CLASSES:
        raise FieldRefused("data_class", "is needed: one of " + ", ".join(CLASSES))
    return given


def _labels(given: Collection[str]) -> list[str]:
    if isinstance(given, str) or not set(given) <= set(LABELS):
        raise FieldRefused("labels", "must be a list of some of " + ", ".join(LABELS))
    return [label for label in LABELS if label in set(given)]


def _choices(given: Sequence[str], *, chooses: bool) -> list[str]:
    if not chooses:
        if given:
            raise FieldRefused("choices", "belong to the types choice and choices only")
        return []
    choices = [_words(choice, "choices", 100) for choice in given]
    if not 1 <= len(choices) <= MOST_CHOICES:
        raise FieldRefused("choices", f"are needed: give 1 to {MOST_CHOICES}")
    if any(mark in choice for choice in choices for mark in "|;"):
        raise FieldRefused("choices", "must not hold | or ;, which separate them in files")
    if len({choice.casefold() for choice in choices}) < len(choices):
        raise FieldRefused("choices", "must differ in more than capital letters")
    return choices


def _changed_choices(field: CustomField, given: Sequence[str]) -> list[str]:
    choices = _choices(given, chooses=FieldType(field.type) in _CHOOSES)
    if set(field.choices) - set(choices):
        _refuse_while_used(field.key)
    return choices


def _record(action: str, field: CustomField, **detail: str | list[str]) -> None:
    if action in {"field.created", "field.changed"}:
        detail["labels"] = list(field.labels)
    trail.record(action, subject=f"field:{field.key}", detail=detail)
