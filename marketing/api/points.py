"""Where a person can be reached: several addresses, some of them for confidential matters only."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from contacts import persons
from contacts.canonical import ValueRefused
from contacts.models import Contact, ContactPoint
from contacts.points import keeping, reading
from contacts.points.keeping import NewPoint, NoSuchPoint
from contacts.points.rules import CATEGORIES
from contacts.points.sealing import POSTAL_PARTS
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found


class PostalParts(Form):
    line = serializers.CharField(required=False, max_length=500)
    city = serializers.CharField(required=False, max_length=200)
    state = serializers.CharField(required=False, max_length=200)
    postal_code = serializers.CharField(required=False, max_length=40)
    country = serializers.CharField(required=False, max_length=100)


class PointForm(Form):
    kind = serializers.ChoiceField(choices=ContactPoint.Kind.choices)
    value = serializers.CharField(
        required=False, max_length=254, help_text="The e-mail address or phone number."
    )
    postal = PostalParts(required=False, help_text="The parts of a postal address.")
    use = serializers.ChoiceField(choices=ContactPoint.Use.choices, default="home")
    rank = serializers.IntegerField(min_value=1, max_value=999, default=1)
    preferred = serializers.BooleanField(default=False)
    starts_on = serializers.DateField(required=False, allow_null=True, default=None)
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)
    categories = serializers.ListField(
        child=serializers.RegexField(r"\A[a-z][a-z0-9_-]{0,63}\Z"),
        max_length=20,
        default=list,
        help_text="Confidential communications: messages of these categories (a label such as "
        f"{', '.join(CATEGORIES)}, a purpose, or a template's topic) go here or nowhere.",
    )
    verified_by = serializers.ChoiceField(
        choices=ContactPoint.Verified.choices, required=False, allow_blank=True, default=""
    )
    known_from = serializers.CharField(
        max_length=60, default="api", help_text="The system that knows the address."
    )


class PointChange(Form):
    use = serializers.ChoiceField(choices=ContactPoint.Use.choices, required=False)
    rank = serializers.IntegerField(min_value=1, max_value=999, required=False)
    preferred = serializers.BooleanField(required=False)
    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)
    categories = serializers.ListField(
        child=serializers.RegexField(r"\A[a-z][a-z0-9_-]{0,63}\Z"), max_length=20, required=False
    )
    verified_by = serializers.ChoiceField(
        choices=ContactPoint.Verified.choices,
        required=False,
        allow_blank=True,
        help_text="Who checked it; empty takes a check back. A bounced address counts again "
        "once somebody checked it.",
    )


class PointRow(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Null for the record's own address.")
    kind = serializers.CharField()
    value = serializers.CharField(allow_null=True, help_text="With contacts.reveal_identity only.")
    postal = PostalParts(allow_null=True)
    use = serializers.CharField(allow_null=True)
    rank = serializers.IntegerField(allow_null=True)
    preferred = serializers.BooleanField()
    confidential = serializers.BooleanField()
    categories = serializers.ListField(child=serializers.CharField(), allow_null=True)
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    state = serializers.CharField()
    verified_by = serializers.CharField(allow_blank=True)
    verified_at = serializers.DateTimeField(allow_null=True)
    shared_with = serializers.IntegerField(help_text="How many other people have it.")
    known_from = serializers.CharField(allow_null=True)


class PointRows(serializers.Serializer[Any]):
    points = PointRow(many=True)


_EXAMPLE = {
    "kind": "email",
    "value": "ada.safe@example.org",
    "use": "home",
    "categories": ["reproductive"],
}


class Points(MachineView):
    """The addresses of one contact."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_WRITE,
    }

    @extend_schema(
        operation_id="read_points",
        summary="Read a contact's addresses",
        description="Values and categories need the scope contacts.reveal_identity; the reading "
        "is in the trail.",
        responses=PointRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact = Contact.objects.get(pk=people.one(public_id))
        with transaction.atomic():
            trail.record("contact.points_viewed", subject=f"contact:{contact.pk}")
            if self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY):
                shown = reading.opened(contact, purpose="api")
            else:
                shown = reading.masked(contact)
        return Response({"points": [_row(one) for one in shown]})

    @extend_schema(
        operation_id="add_point",
        summary="Add an address to a contact",
        description="An address that the contact has already is changed: sending it again is "
        "safe, and what it is reserved for stays. `value` for e-mail and phone, `postal` for a "
        "postal address.",
        request=PointForm,
        responses={201: PointRow},
        examples=[OpenApiExample("A confidential one", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        form = PointForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._add(contact_id, form),
            "add_point",
            [str(public_id), request.data],
        )

    def _add(self, contact_id: int, form: PointForm) -> Response:
        given = dict(form.validated_data)
        source = given.pop("known_from")
        value, postal = given.pop("value", ""), given.pop("postal", None)
        is_postal = given["kind"] == ContactPoint.Kind.POSTAL
        given["categories"] = frozenset(given["categories"])
        new = NewPoint(value=postal if is_postal else value, **given)
        try:
            row = keeping.add(contact_id, new, source=source, now=self.now)
        except persons.Gone:
            raise not_found("contact") from None
        except ValueRefused as refused:
            field = "postal" if is_postal and refused.field in (*POSTAL_PARTS, "value") else "value"
            place = refused.field if refused.field in form.fields else field
            raise invalid([Fault(f"/{place}", f"This {refused.reason}.")]) from None
        return Response(_row(reading.Shown(row.kind, row, own=False, others=0)), status=201)


class OnePoint(MachineView):
    """One address of a contact."""

    scopes: ClassVar[Scopes] = {
        "PATCH": Permission.CONTACTS_WRITE,
        "DELETE": Permission.CONTACTS_WRITE,
    }

    @extend_schema(
        operation_id="change_point",
        summary="Change what is known of an address",
        description="Its value stays: add the new one and remove this one. What is left out stays "
        "as it is.",
        request=PointChange,
        responses=PointRow,
        examples=[
            OpenApiExample(
                "Checked", value={"verified_by": "staff", "preferred": True}, request_only=True
            )
        ],
    )
    def patch(self, request: Request, public_id: UUID, point_id: UUID) -> Response:
        contact_id = people.one(public_id)
        form = PointChange(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        try:
            row = keeping.change(point_id, contact_id, source="api", now=self.now, **given)
        except NoSuchPoint:
            raise not_found("address") from None
        except ValueRefused as refused:
            raise invalid([Fault(f"/{refused.field}", f"This {refused.reason}.")]) from None
        return Response(_row(reading.Shown(row.kind, row, own=False, others=0)))

    @extend_schema(
        operation_id="remove_point",
        summary="Remove an address",
        description="Opt-outs and suppressions of the address still count.",
        responses={204: None},
    )
    def delete(self, request: Request, public_id: UUID, point_id: UUID) -> Response:
        try:
            keeping.drop(point_id, people.one(public_id), source="api", now=self.now)
        except NoSuchPoint:
            raise not_found("address") from None
        return Response(status=204)


def _row(one: reading.Shown) -> dict[str, Any]:
    value = one.opened.value if one.opened else None
    row = one.row
    return {
        "id": str(row.pk) if row else None,
        "kind": one.kind,
        "value": value if isinstance(value, str) else None,
        "postal": value if isinstance(value, dict) else None,
        "use": row.use if row else None,
        "rank": row.rank if row else None,
        "preferred": bool(row and row.preferred),
        "confidential": bool(row and row.confidential),
        "categories": sorted(one.opened.categories) if one.opened else None,
        "starts_on": row.starts_on if row else None,
        "ends_on": row.ends_on if row else None,
        "verified_by": row.verified_by if row else "",
        "verified_at": row.verified_at if row else None,
        "state": row.state if row else ContactPoint.State.UNVERIFIED.value,
        "shared_with": one.others,
        "known_from": row.source if row else None,
    }
