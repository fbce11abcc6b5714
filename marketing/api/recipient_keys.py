"""A person's certificate or OpenPGP key, put in, looked up and taken away by a machine."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found
from messaging.protection.keys import keeping, reading
from messaging.protection.keys.keeping import Shown
from messaging.protection.keys.reading import KeyRefused


class KeyForm(Form):
    key = serializers.CharField(
        max_length=reading.LARGEST * 2,
        trim_whitespace=False,
        help_text="A certificate (PEM) or an OpenPGP public key (armoured); DER or binary in "
        "base64. It must name an address of the contact.",
    )


class KeyRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.CharField(help_text="smime or pgp")
    address = serializers.CharField(
        allow_null=True, help_text="With contacts.reveal_identity only."
    )
    fingerprint = serializers.CharField()
    about = serializers.CharField()
    known_from = serializers.CharField()
    added_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    expired = serializers.BooleanField(help_text="An expired key is not used.")


class KeyRows(serializers.Serializer[Any]):
    keys = KeyRow(many=True)


class RecipientKeys(MachineView):
    """The keys of one contact."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_WRITE,
    }

    @extend_schema(
        operation_id="read_recipient_keys",
        summary="Read a contact's keys",
        description="What mail to the contact is encrypted to. The reading is in the trail.",
        responses=KeyRows,
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        with transaction.atomic():
            found = keeping.of_contact(contact_id)
            trail.record(
                "recipient_key.viewed",
                subject=f"contact:{contact_id}",
                detail={"count": len(found)},
            )
        return Response({"keys": [self._row(one) for one in found]})

    @extend_schema(
        operation_id="add_recipient_key",
        summary="Add a key to a contact",
        description="It replaces the one before of its kind for that address. A key that the "
        "person gave stands until it is removed or ends.",
        request=KeyForm,
        responses={201: KeyRow},
        examples=[
            OpenApiExample(
                "A certificate",
                value={"key": "-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        form = KeyForm(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            made = keeping.add(
                contact_id, _raw(form.validated_data["key"]), source="api", now=self.now
            )
        except KeyRefused as refused:
            raise invalid([Fault("/key", str(refused))]) from None
        (shown,) = (one for one in keeping.of_contact(contact_id) if one.id == made.pk)
        return Response(self._row(shown), status=201)

    def _row(self, one: Shown) -> dict[str, Any]:
        sees = self.key().allows(Permission.CONTACTS_REVEAL_IDENTITY)
        return {
            "id": str(one.id),
            "kind": one.kind,
            "address": one.address if sees else None,
            "fingerprint": one.fingerprint,
            "about": one.about,
            "known_from": one.source,
            "added_at": one.added_at,
            "expires_at": one.expires_at,
            "expired": one.expired(now=self.now),
        }


def _raw(given: str) -> bytes:
    """Return the bytes of a key: text as it is, anything else from base64."""
    if "-----BEGIN" in given:
        return given.encode()
    try:
        return b64decode("".join(given.split()), validate=True)
    except (binascii.Error, ValueError):
        return given.encode()  # `reading` says what it is not


class OneRecipientKey(MachineView):
    """One key of a contact."""

    scopes: ClassVar[Scopes] = {"DELETE": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="remove_recipient_key",
        summary="Remove a key",
        description="Nothing is encrypted to it any more; messages go by the next way that the "
        "protection policy allows.",
        responses={204: None},
    )
    def delete(self, request: Request, public_id: UUID, key_id: UUID) -> Response:
        if not keeping.remove(people.one(public_id), key_id, now=self.now):
            raise not_found("key") from None
        return Response(status=204)
