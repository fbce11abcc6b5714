"""Households, and who may act for a person."""

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
from contacts import matching, persons
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.households import living, representing
from contacts.models import Household, Representation
from contacts.reveal import reveal
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found

_ONE = "0194f3c2-6b1e-7a90-8000-000000000001"
_OTHER = "0194f3c2-6b1e-7a90-8000-000000000002"


class RelationshipForm(Form):
    kind = serializers.ChoiceField(choices=Representation.Kind.choices)
    name = serializers.CharField(required=False, default="", max_length=500, allow_blank=True)
    holder = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The contact who acts."
    )
    authority = serializers.CharField(max_length=500, help_text="On what the right to act rests.")
    starts_on = serializers.DateField(required=False, allow_null=True, default=None)
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)
    known_from = serializers.CharField(max_length=60, default="api")


class RelationshipRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    holder = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True, help_text="With contacts.reveal_identity only.")
    authority = serializers.CharField(allow_null=True)
    holds = serializers.BooleanField(help_text="At the moment of asking.")
    why_not = serializers.CharField(
        allow_blank=True,
        help_text="ended, of_age, not_begun, birth_date_unknown or deceased; without "
        "contacts.reveal_identity only ended.",
    )
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True, help_text="The last day that was agreed.")
    known_from = serializers.CharField()
    made_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RelationshipRows(serializers.Serializer[Any]):
    relationships = RelationshipRow(many=True)


class HouseholdForm(Form):
    contacts = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=50)


class HouseholdChange(Form):
    add = serializers.ListField(child=serializers.UUIDField(), max_length=50, default=list)
    remove = serializers.ListField(child=serializers.UUIDField(), max_length=50, default=list)


class HouseholdRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    contacts = serializers.ListField(child=serializers.UUIDField())


class HouseholdRows(serializers.Serializer[Any]):
    households = HouseholdRow(many=True)


class Relationships(MachineView):
    """Who may act for one contact."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_WRITE,
    }

    @extend_schema(
        operation_id="read_relationships",
        summary="Read who may act for a contact",
        description="Whether an authority holds is worked out now: a parent's ends on the "
        "birthday of majority. Names need contacts.reveal_identity.",
        responses=RelationshipRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        proxies = representing.proxies_of([contact_id], now=self.now).get(contact_id, [])
        named: dict[UUID, representing.Named] = {}
        with transaction.atomic():
            trail.record("contact.household_viewed", subject=f"contact:{contact_id}")
            if self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY):
                reveal([contact_id], [DataClass.IDENTITY], purpose="api")
                named = representing.named([one.row for one in proxies])
        told = self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY)
        return Response({"relationships": [_row(one, named, told=told) for one in proxies]})

    @extend_schema(
        operation_id="add_relationship",
        summary="Record who may act for a contact",
        request=RelationshipForm,
        responses={201: RelationshipRow},
        examples=[
            OpenApiExample(
                "A mother",
                value={"kind": "parent", "holder": _ONE, "authority": "Mother, has custody"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        form = RelationshipForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._add(contact_id, dict(form.validated_data)),
            "add_relationship",
            [str(public_id), request.data],
        )

    def _add(self, contact_id: int, given: dict[str, Any]) -> Response:
        holder, source = given.pop("holder"), given.pop("known_from")
        holder_id = people.named(holder, pointer="/holder") if holder else None
        try:
            made = representing.appoint(
                contact_id, source=source, now=self.now, holder_id=holder_id, **given
            )
        except persons.Gone:
            raise not_found("contact") from None
        except ValueRefused as refused:
            raise invalid([Fault(f"/{refused.field}", f"This {refused.reason}.")]) from None
        proxies = representing.proxies_of([contact_id], now=self.now)[contact_id]
        one = next(each for each in proxies if each.row.pk == made.pk)
        told = self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY)
        return Response(_row(one, {}, told=told), status=201)


class RelationshipsEnded(MachineView):
    """The end of an authority."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="end_relationship",
        summary="End an authority now",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, public_id: UUID, relationship_id: UUID) -> Response:
        try:
            representing.end(relationship_id, people.one(public_id), now=self.now)
        except representing.NoSuchRepresentation:
            raise not_found("relationship") from None
        return Response(status=204)


class Households(MachineView):
    """People who live together."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="make_household",
        summary="Make a household",
        request=HouseholdForm,
        responses={201: HouseholdRow},
        examples=[
            OpenApiExample("Two people", value={"contacts": [_ONE, _OTHER]}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        form = HouseholdForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._make(form.validated_data["contacts"]), "make_household", request.data
        )

    def _make(self, contacts: list[UUID]) -> Response:
        ids = people.every(contacts, pointer="/contacts")
        if len(set(ids)) < 2:
            raise invalid([Fault("/contacts", "Name two different people, or more.")])
        return Response(_household(_joined(ids, self)), status=201)


class ContactHouseholds(MachineView):
    """With whom one contact lives."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="read_households",
        summary="Read the households of a contact",
        responses=HouseholdRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        with transaction.atomic():
            trail.record("contact.household_viewed", subject=f"contact:{contact_id}")
            homes = living.households_of(contact_id)
        return Response({"households": [_household(home) for home in homes]})


class OneHousehold(MachineView):
    """One household."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_WRITE,
    }

    @extend_schema(
        operation_id="read_household", summary="Read who lives together", responses=HouseholdRow
    )
    def get(self, request: Request, household_id: UUID) -> Response:
        home = _found(household_id)
        with transaction.atomic():
            for one in living.members(home):
                trail.record("contact.household_viewed", subject=f"contact:{one}")
        return Response(_household(home))

    @extend_schema(
        operation_id="change_household",
        summary="Add people to a household, or take them out",
        description="A household of one is none, and is gone.",
        request=HouseholdChange,
        responses=HouseholdRow,
        examples=[OpenApiExample("One more", value={"add": [_ONE]}, request_only=True)],
    )
    def post(self, request: Request, household_id: UUID) -> Response:
        home = _found(household_id)
        form = HouseholdChange(data=request.data)
        form.is_valid(raise_exception=True)
        joining = people.every(form.validated_data["add"], pointer="/add")
        leaving = people.every(form.validated_data["remove"], pointer="/remove")
        with transaction.atomic():
            if joining:
                _joined(joining, self, household=home.pk)
            for one in leaving:
                _leave(one, home.pk, self)
        return Response(_household(home))


def _joined(ids: list[int], view: MachineView, *, household: UUID | None = None) -> Household:
    try:
        return living.join(ids, household=household, now=view.now)
    except (persons.Gone, living.NoSuchHousehold):
        raise not_found("contact or household") from None


def _leave(contact_id: int, household_id: UUID, view: MachineView) -> None:
    try:
        living.leave(contact_id, household_id, now=view.now)
    except living.NoSuchHousehold:
        raise not_found("member of the household") from None


def _found(household_id: UUID) -> Household:
    home = Household.objects.filter(pk=household_id).first()
    if home is None:
        raise not_found("household")
    return home


def _household(home: Household) -> dict[str, Any]:
    ids = matching.public_ids(living.members(home))
    return {"id": str(home.pk), "contacts": sorted(map(str, ids.values()))}


def _row(
    one: representing.Proxy, named: dict[UUID, representing.Named], *, told: bool
) -> dict[str, Any]:
    """Return one representative; `told` says whether the key may know of age and death."""
    said, holder = named.get(one.row.pk), one.row.holder_id
    ids = matching.public_ids([holder]) if holder else {}
    return {
        "id": str(one.row.pk),
        "kind": one.row.kind,
        "holder": str(ids[holder]) if holder and holder in ids else None,
        "name": said.name if said else None,
        "authority": said.authority if said else None,
        "holds": one.holds,
        "why_not": one.ended if told or one.holds else "ended",
        "starts_on": one.row.starts_on,
        "ends_on": one.row.ends_on,
        "known_from": one.row.source,
        "made_at": one.row.made_at,
        "ended_at": one.row.ended_at,
    }
