"""Every place that can hold a fact about a person says which data class it holds (SR-13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error
from django.db import models

from contacts.fields import FIELDS, DataClass, Field
from contacts.packing import NUMBERS

OPAQUE = "opaque"
"""An id, a code of our own, a keyed hash or a wrapped key: says nothing of a person by itself."""

CLASSIFIED: Mapping[str, str] = {
    "contact.email_index": OPAQUE,
    "contact.phone_index": OPAQUE,
    "contact.identity": DataClass.IDENTITY,
    "contact.contact_point": DataClass.CONTACT_POINT,
    "contact.demographic": DataClass.DEMOGRAPHIC,
    "contact.clinical": DataClass.CLINICAL,
    "contact.coverage": DataClass.COVERAGE,
    "identifier.value_index": OPAQUE,
    "identifier.source": OPAQUE,
    "event.kind": DataClass.ENGAGEMENT,
    "event.source": OPAQUE,
    "event.link": DataClass.ENGAGEMENT,
    "event.properties": DataClass.ENGAGEMENT,
    "eventkey.key_hash": OPAQUE,
    "eventkey.body_hash": OPAQUE,
    "contactlist.name": DataClass.CLINICAL,
    "importrun.form": OPAQUE,
    "importrun.source": OPAQUE,
    "importrun.sha256": OPAQUE,
    "importrun.state": OPAQUE,
    "importrun.actor": OPAQUE,
    "importrun.ignored": OPAQUE,
    "importproblem.place": OPAQUE,
    "importproblem.message": OPAQUE,
}
"""Columns of this app that can hold text, bytes or JSON; numbers and times are ids and clocks."""

_CAN_HOLD_FACTS = (models.CharField, models.TextField, models.BinaryField, models.JSONField)


def columns_are_classified(
    *, app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[CheckMessage]:
    """Refuse a column of the contacts app that nobody classified."""
    return [
        Error(
            f"{name} has no data class",
            hint="Name its class, or OPAQUE, in contacts.checks.CLASSIFIED or on the sealed model.",
            id="contacts.E001",
        )
        for model in apps.get_app_config("contacts").get_models()
        for name in unclassified(model)
    ]


def unclassified(model: type[models.Model]) -> list[str]:
    """Return the columns of a model that could hold a fact and name no class."""
    declared: Mapping[str, str] = getattr(model, "classified", {})
    return [
        name
        for field in model._meta.local_fields
        if isinstance(field, _CAN_HOLD_FACTS) or field.get_internal_type() == "BinaryField"
        if (name := f"{model._meta.model_name}.{field.name}") not in CLASSIFIED
        and field.name not in declared
    ]


def fields_are_storable(
    *, app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[CheckMessage]:
    """Refuse a declared field without a class, or without a place in the sealed record."""
    return [problem for field in FIELDS.values() for problem in _problems(field)]


def _problems(field: Field) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if field.data_class not in tuple(DataClass):
        problems.append(Error(f"field {field.key} has no data class", id="contacts.E002"))
    if not field.derived_from and field.key not in NUMBERS:
        problems.append(
            Error(f"field {field.key} has no number in contacts.packing", id="contacts.E003")
        )
    return problems
