"""Contacts: put in what a source knows, look one up, read what the key may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from audit import trail
from contacts import matching, records, registry
from contacts.facts import CLEAR
from contacts.fields import DataClass
from contacts.models import Contact, ListMember
from contacts.reveal import reveal
from marketing.api import people
from marketing.api.forms import (
    ContactBatch,
    ContactChange,
    ContactLookup,
    ContactOutcome,
    ContactRecord,
    ContactsFound,
)
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid

OPENED_BY: Mapping[Permission, tuple[DataClass, ...]] = {
    Permission.CONTACTS_VIEW: (DataClass.ENGAGEMENT,),
    Permission.CONTACTS_REVEAL_IDENTITY: (
        DataClass.IDENTITY,
        DataClass.CONTACT_POINT,
        DataClass.DEMOGRAPHIC,
    ),
    Permission.CONTACTS_REVEAL_CLINICAL: (DataClass.CLINICAL, DataClass.COVERAGE),
}
"""Which data classes each scope of a key opens."""

_EXAMPLE = {
    "source": "epic",
    "record_number": "MRN-0042",
    "values": {
        "given_name": "Ada",
        "family_name": "Example",
        "birth_date": "1961-04-12",
        "email": "ada@example.org",
        "conditions": [
            {
                "system": "http://snomed.info/sct",
                "code": "44054006",
                "display": "Diabetes mellitus type 2",
                "status": "active",
            }
        ],
    },
}


def store(changes: Sequence[Mapping[str, Any]], *, pointer: str, view: MachineView) -> Response:
    """Write the changes, all or none."""
    wanted = [
        records.Change(
            source=change["source"],
            record_number=change["record_number"],
            values={
                key: CLEAR if value is None else value for key, value in change["values"].items()
            },
            occurred_at=change.get("occurred_at"),
        )
        for change in changes
    ]
    try:
        outcome = records.upsert(wanted, now=view.now)
    except records.ChangeRefused as refused:
        raise invalid([_fault(refused, pointer)]) from None
    ids = matching.public_ids(outcome.contact_ids)
    counts = {
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
    }
    rows = [{"id": str(ids[contact_id])} for contact_id in outcome.contact_ids]
    return Response(counts | {"contacts": rows}, status=201 if outcome.created else 200)


def _fault(refused: records.ChangeRefused, pointer: str) -> Fault:
    place = pointer.format(refused.position)
    if refused.field in {"source", "record_number"}:
        return Fault(f"{place}/{refused.field}", f"{refused.field} {refused.reason}.")
    known = refused.field in registry.current()
    place = f"{place}/values/{refused.field}" if known else f"{place}/values"
    return Fault(place, f"{refused.field if known else 'A key'} {refused.reason}.")


class Contacts(MachineView):
    """One contact."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="upsert_contact",
        summary="Create or update a contact",
        description="The source and the record number say who it is. Repeating a request changes "
        "nothing.",
        request=ContactChange,
        responses={200: ContactOutcome, 201: ContactOutcome},
        examples=[OpenApiExample("A patient", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = ContactChange(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: store([form.validated_data], pointer="", view=self),
            "upsert_contact",
            request.data,
        )


class ContactBatches(MachineView):
    """Up to a thousand contacts."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="upsert_contacts",
        summary="Create or update up to 1,000 contacts",
        description="All are stored or, if one cannot be, none.",
        request=ContactBatch,
        responses={200: ContactOutcome, 201: ContactOutcome},
        examples=[
            OpenApiExample("A list", value={"contacts": [_EXAMPLE]}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        form = ContactBatch(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: store(form.validated_data["contacts"], pointer="/contacts/{}", view=self),
            "upsert_contacts",
            request.data,
        )


class ContactLookups(MachineView):
    """Who has exactly this number or address? By POST, so that neither stands in a URL."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="look_up_contact",
        summary="Find contacts by an exact identifier",
        request=ContactLookup,
        responses=ContactsFound,
        examples=[
            OpenApiExample(
                "By record number",
                value={"kind": "record_number", "value": "MRN-0042", "source": "epic"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = ContactLookup(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        with transaction.atomic():
            found = matching.find(asked["kind"], asked["value"], source=asked.get("source"))
        return Response({"contacts": [{"id": str(contact.public_id)} for contact in found]})


class OneContact(MachineView):
    """What is known of one contact, so far as the key may see it."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONTACTS_VIEW}

    @extend_schema(
        operation_id="read_contact",
        summary="Read a contact",
        description="Values stand under their data class. The scope contacts.reveal_identity "
        "opens identity, contact_point and demographic; contacts.reveal_clinical opens clinical "
        "and coverage. Every reading is in the trail.",
        responses=ContactRecord,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        opened = classes_of(self.key())
        with transaction.atomic():
            contact = Contact.objects.only("created_at", "updated_at").get(pk=contact_id)
            values = reveal([contact_id], opened, purpose="api").get(contact_id, {})
            trail.record("contact.viewed", subject=f"contact:{contact_id}")
        lists = ListMember.objects.filter(contact_id=contact_id).values_list("list_id", flat=True)
        return Response(
            {
                "id": str(public_id),
                "created_at": contact.created_at,
                "updated_at": contact.updated_at,
                "values": by_class(values, opened),
                "withheld": sorted(set(DataClass) - set(opened)),
                "lists": [str(one) for one in lists],
            }
        )


def classes_of(key: ApiKey) -> list[DataClass]:
    """Return the data classes that the key's scopes open."""
    return [kind for scope, kinds in OPENED_BY.items() if key.allows(scope) for kind in kinds]


def by_class(values: Mapping[str, Any], classes: Sequence[DataClass]) -> dict[str, dict[str, Any]]:
    """Group values by their data class."""
    fields = registry.current()
    return {
        kind.value: {key: value for key, value in values.items() if fields[key].data_class is kind}
        for kind in classes
    }
