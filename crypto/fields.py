"""Model fields whose values are sealed with the organisation's key.

For values that belong to the organisation rather than to one contact: names that staff give to
things, definitions, second-factor secrets. The model needs a primary key made by the client
(`default=uuid7`) and an `organisation_id`; both, with table and column, are the associated data.

    class Segment(TenantModel):
        id = models.UUIDField(primary_key=True, default=uuid7)
        name = SealedTextField()

Assign, save, read, `create`, `bulk_create` and `update_or_create` work as for any field. A sealed
value cannot be filtered on, nor set by `QuerySet.update()`: there is no row to bind it to.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NoReturn

from django.core.exceptions import FieldError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.expressions import BaseExpression
from django.db.models.query_utils import DeferredAttribute

from crypto import keyring, seal


class SealedValue:
    """A sealed value as the database returned it; shows nothing of itself."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: bytes) -> None:
        self.sealed = sealed

    def __repr__(self) -> str:
        return "<sealed>"

    __str__ = __repr__


class _SealedAttribute(DeferredAttribute):
    """Opens the value when it is first read."""

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, SealedValue):
            return value
        assert isinstance(self.field, SealedField)
        opened = self.field.open(value.sealed, instance)
        instance.__dict__[self.field.attname] = opened
        return opened

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.Field):  # type: ignore[type-arg]
    """What the sealed fields share."""

    descriptor_class = _SealedAttribute
    empty_strings_allowed = False

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> SealedValue | None:
        return None if value is None else SealedValue(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001
        """Seal what the attribute holds, with a fresh nonce and the version that writes now."""
        value = getattr(model_instance, self.attname)
        if value is None or isinstance(value, BaseExpression):
            return value
        context = self._context(model_instance)
        key = keyring.for_organisation(context.organisation_id).writing
        return SealedValue(seal.seal(key, self.encode(value), context=context))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: Any = False) -> Any:  # noqa: FBT002
        if value is None:
            return None
        if not isinstance(value, SealedValue):
            raise FieldError(f"{self.name} is sealed: assign it on an instance and save that")
        return value.sealed

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is sealed and cannot be searched")

    def open(self, sealed: bytes, instance: models.Model) -> Any:
        """Return the value that was sealed for this instance, or raise SealBroken."""
        context = self._context(instance)
        keys = keyring.for_organisation(context.organisation_id)
        return self.decode(seal.unseal(keys, sealed, context=context))

    def value_to_string(self, obj: models.Model) -> str:
        """Serialise the sealed bytes, never the value."""
        value = self.pre_save(obj, add=False)
        return "" if value is None else base64.b64encode(value.sealed).decode()

    def to_python(self, value: Any) -> Any:
        return value

    def encode(self, value: Any) -> bytes:
        raise NotImplementedError

    def decode(self, plaintext: bytes) -> Any:
        raise NotImplementedError

    def _context(self, instance: models.Model) -> seal.Context:
        organisation_id = getattr(instance, "organisation_id", None)
        if organisation_id is None or instance.pk is None:
            self._refuse()
        table = self.model._meta.db_table
        return seal.Context(organisation_id, table, str(instance.pk), self.column)

    def _refuse(self) -> NoReturn:
        raise FieldError(
            f"{self.name} is sealed for its row: give the row its organisation and key first"
        )


class SealedTextField(SealedField):
    """Text."""

    description = "Sealed text"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def encode(self, value: Any) -> bytes:
        return str(value).encode()

    def decode(self, plaintext: bytes) -> str:
        return plaintext.decode()

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        from django import forms

        chosen: dict[str, Any] = {"form_class": forms.CharField, "max_length": self.max_length}
        return super().formfield(**(chosen | kwargs))


class SealedJSONField(SealedField):
    """Anything that JSON can say."""

    description = "Sealed JSON"

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, separators=(",", ":")).encode()

    def decode(self, plaintext: bytes) -> Any:
        return json.loads(plaintext)
