"""Fields over HTTP: the catalogue that a sender may fill, and the organisation's own fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from contacts import custom_fields, dependants, registry
from contacts.custom_fields import CLASSES, LABELS, FieldRefused, NoSuchField, StillUsed
from contacts.declared.models import KINDS
from contacts.declared.naming import says_too_much
from contacts.fields import Field
from contacts.segments.references import label_names
from marketing.api.forms import Form, OneOf
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found

_STATES = ("active", "archived")
_EXAMPLE = {
    "label": "Preferred site",
    "type": "choice",
    "data_class": "demographic",
    "labels": [],
    "choices": ["North", "Harbor"],
}


class FieldForm(Form):
    key = serializers.CharField(
        max_length=47,
        required=False,
        default="",
        help_text="`custom_`, then a-z, 0-9 and _. Made of the label if left out; never reused.",
    )
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]
    type = OneOf(choices=[kind.value for kind in KINDS])
    data_class = OneOf(
        choices=[kind.value for kind in CLASSES],
        help_text="Which roles may see the values. It cannot be changed later.",
    )
    labels = serializers.ListField(
        child=OneOf(choices=LABELS),
        help_text="Sensitivity labels; an empty list says that none applies.",
    )
    choices = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        default=list,
        help_text="For the types choice and choices.",
    )


class FieldChange(Form):
    label = serializers.CharField(max_length=80, required=False)  # type: ignore[assignment]
    labels = serializers.ListField(child=OneOf(choices=LABELS), required=False)
    choices = serializers.ListField(child=serializers.CharField(max_length=100), required=False)
    state = serializers.ChoiceField(choices=_STATES, required=False)


class FieldRow(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    type = serializers.CharField()
    data_class = serializers.CharField()
    labels = serializers.ListField(child=serializers.CharField())
    choices = serializers.ListField(child=serializers.CharField())
    custom = serializers.BooleanField(help_text="Added by the organisation.")
    state = serializers.ChoiceField(choices=_STATES)
    segmentable = serializers.BooleanField()
    derived = serializers.BooleanField(help_text="Worked out from other fields; cannot be sent.")


class FieldRows(serializers.Serializer[Any]):
    fields = FieldRow(many=True)  # type: ignore[assignment]


class UserRow(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="segment, template or workflow")
    id = serializers.UUIDField()
    title = serializers.CharField()


class OneFieldRow(FieldRow):
    used_by = UserRow(many=True)


class Fields(MachineView):
    """Every field of contacts."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.FIELDS_VIEW,
        "POST": Permission.FIELDS_MANAGE,
    }

    @extend_schema(operation_id="read_fields", summary="Read the fields", responses=FieldRows)
    def get(self, request: Request) -> Response:
        known = registry.current().values()
        open_ = _opens(self.key())
        shown = [field for field in known if open_ or not says_too_much(field)]
        return Response({"fields": [row_of(field) for field in shown]})

    @extend_schema(
        operation_id="add_field",
        summary="Add a field",
        description="Key, type and data class stay as they are for good: values are sealed by "
        "them.",
        request=FieldForm,
        responses={201: FieldRow},
        examples=[OpenApiExample("A choice", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = FieldForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._add(form.validated_data), "add_field", request.data)

    def _add(self, given: dict[str, Any]) -> Response:
        type_ = given.pop("type")
        try:
            field = custom_fields.add(type_=type_, now=self.now, **given)
        except FieldRefused as refused:
            raise _invalid(refused) from None
        return Response(row_of(field.as_field()), status=201)


class OneField(MachineView):
    """One field, and what leans on it."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.FIELDS_VIEW,
        "PATCH": Permission.FIELDS_MANAGE,
        "DELETE": Permission.FIELDS_MANAGE,
    }

    @extend_schema(
        operation_id="read_field",
        summary="Read a field and what uses it",
        responses=OneFieldRow,
    )
    def get(self, request: Request, key: str) -> Response:
        field = registry.current().get(key)
        if field is None or (says_too_much(field) and not _opens(self.key())):
            raise not_found("field")
        return Response(row_of(field) | {"used_by": users(dependants.of_field(key))})

    @extend_schema(
        operation_id="change_field",
        summary="Rename a field, label it anew, change its choices, archive or restore it",
        description="What is left out stays. A field in use is not archived, and a choice is not "
        "taken from it.",
        request=FieldChange,
        responses=FieldRow,
        examples=[OpenApiExample("A name", value={"label": "Site"}, request_only=True)],
    )
    def patch(self, request: Request, key: str) -> Response:
        form = FieldChange(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        state = given.pop("state", None)

        def change() -> Response:
            custom_fields.change(key, now=self.now, **given)
            if state is not None:
                act = custom_fields.archive if state == "archived" else custom_fields.restore
                act(key, now=self.now)
            return Response(row_of(custom_fields.one(key).as_field()))

        return _answered(change)

    @extend_schema(
        operation_id="delete_field",
        summary="Delete a field and every value of it",
        description="Refused while something uses it. The key is never used again.",
        responses={204: None},
    )
    def delete(self, request: Request, key: str) -> Response:
        def delete() -> Response:
            custom_fields.delete(key, now=self.now)
            return Response(status=204)

        return _answered(delete)


def _opens(key: ApiKey) -> bool:
    """Whether the key reads the names of labelled fields: it opens clinical facts, keeps the
    fields, or writes their values (PR-30)."""
    opening = (
        Permission.CONTACTS_REVEAL_CLINICAL,
        Permission.FIELDS_MANAGE,
        Permission.CONTACTS_WRITE,
        Permission.IMPORTS_RUN,
    )
    return any(key.allows(one) for one in opening)


def row_of(field: Field) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "type": field.type.value,
        "data_class": field.data_class.value,
        "labels": label_names(field.sensitivity),
        "choices": list(field.choices),
        "custom": field.custom,
        "state": "archived" if field.archived else "active",
        "segmentable": field.segmentable or field.by_rules,
        "derived": bool(field.derived_from),
    }


def users(found: Sequence[dependants.Dependant]) -> list[dict[str, str]]:
    return [{"kind": user.kind, "id": str(user.id), "title": user.title} for user in found]


def in_use(found: Sequence[dependants.Dependant]) -> Problem:
    """Return the refusal to take away what something leans on."""
    named = ", ".join(f"{user.kind} {user.id}" for user in found[:20])
    return Problem(409, "conflict", f"It is in use: take it out of {named} first.")


def _answered(act: Callable[[], Response]) -> Response:
    try:
        return act()
    except NoSuchField:
        raise not_found("field of your own") from None
    except StillUsed as used:
        raise in_use(used.dependants) from None
    except FieldRefused as refused:
        raise _invalid(refused) from None


def _invalid(refused: FieldRefused) -> Problem:
    return invalid([Fault(f"/{refused.part}", f"{refused.part} {refused.reason}.")])
