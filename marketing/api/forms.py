"""The shapes of requests and answers. DRF checks them here and drf-spectacular describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from consent.purposes import Purpose

MOST = 1_000
"""Items in one request."""


class Form(serializers.Serializer[Any]):
    """A request body. What it does not declare is refused, so that a misspelt field is noticed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = set(data) - set(self.fields)
            if unknown:
                raise serializers.ValidationError(
                    {
                        name[:60]: [serializers.ErrorDetail("", code="unknown_field")]
                        for name in sorted(map(str, unknown))
                    }
                )
        return super().to_internal_value(data)


class ContactChange(Form):
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own name for a field
        max_length=60, help_text="The system that knows the person."
    )
    record_number = serializers.CharField(
        max_length=120, help_text="The person's number in that system; with it, who it is."
    )
    values = serializers.DictField(
        help_text="Contact fields by key. A field left out stays as it is; null clears it."
    )
    occurred_at = serializers.DateTimeField(
        required=False, help_text="When the source last changed it; now if left out."
    )


class ContactBatch(Form):
    contacts = serializers.ListField(
        child=ContactChange(), min_length=1, max_length=MOST, help_text="At most 1,000."
    )


class ContactId(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class ContactOutcome(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    contacts = ContactId(many=True, help_text="In the order of the request.")


class OneOf(serializers.ChoiceField):
    """A choice whose refusal names the choices, which are ours, and never what was sent."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError:
            said = f"Use one of {', '.join(map(str, self.choices))}."
            raise serializers.ValidationError(said, code="said") from None


class ContactLookup(Form):
    kind = serializers.ChoiceField(choices=["record_number", "email", "phone"])
    value = serializers.CharField(max_length=254)
    source = serializers.CharField(max_length=60, required=False)  # type: ignore[assignment]


class ContactsFound(serializers.Serializer[Any]):
    contacts = ContactId(many=True)


class ContactRecord(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    values = serializers.DictField(help_text="By data class, only those that the key may open.")
    withheld = serializers.ListField(
        child=serializers.CharField(), help_text="Data classes that the key may not open."
    )
    lists = serializers.ListField(child=serializers.UUIDField())


class AuthorizationForm(Form):
    contact = serializers.UUIDField()
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=list(Purpose)),
        min_length=1,
    )
    classes = serializers.ListField(child=serializers.CharField(max_length=32), min_length=1)
    signed_at = serializers.DateTimeField()
    expires_on = serializers.DateField(required=False, allow_null=True)
    expires_event = serializers.CharField(max_length=60, required=False)
    form_version = serializers.UUIDField(required=False)
    states_remuneration = serializers.BooleanField(required=False, default=False)


class Recorded(serializers.Serializer[Any]):
    id = serializers.UUIDField()


class Revoked(serializers.Serializer[Any]):
    revoked = serializers.BooleanField(help_text="False if it had been revoked before.")


class OptOutForm(Form):
    contact = serializers.UUIDField()
    channel = serializers.CharField(max_length=16, required=False, default="")
    purpose = serializers.CharField(max_length=32, required=False, default="")
    topic = serializers.CharField(max_length=64, required=False, default="")


class RecordedMany(serializers.Serializer[Any]):
    ids = serializers.ListField(child=serializers.UUIDField())


class EnrolmentForm(Form):
    contacts = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST)
    occurrence = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        help_text="Tells apart the times that one person goes this way, such as an appointment.",
    )
    object_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The moment of that appointment; said again, it moves the timers.",
    )


class Enrolled(serializers.Serializer[Any]):
    enrolled = serializers.IntegerField()
    already_inside = serializers.IntegerField()


class SimulationForm(Form):
    version = serializers.IntegerField(
        required=False, min_value=1, help_text="Of the workflow; the draft if left out."
    )
    plan = serializers.DictField(
        required=False, default=dict, help_text="Whom, from when, how long, what people do."
    )
    promises = serializers.ListField(
        child=serializers.DictField(), required=False, default=list, help_text="What must hold."
    )


class SimulationRecord(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True)
    state = serializers.CharField(help_text="waiting, done or failed.")
    progress = serializers.IntegerField(help_text="Per cent of the simulated time.")
    problem = serializers.CharField()
    result = serializers.DictField()


class ListForm(Form):
    name = serializers.CharField(max_length=120)


class ListRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    members = serializers.IntegerField()


class ListRows(serializers.Serializer[Any]):
    lists = ListRow(many=True)


class MembersForm(Form):
    add = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST, required=False, default=list
    )
    remove = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST, required=False, default=list
    )


class MembersChanged(serializers.Serializer[Any]):
    joined = serializers.IntegerField()
    left = serializers.IntegerField()


class LineRow(serializers.Serializer[Any]):
    host = serializers.CharField()
    tls = serializers.CharField(help_text="TLSv1.2 or TLSv1.3.")
    cipher = serializers.CharField()
    certificate_sha256 = serializers.CharField()
    issuer = serializers.CharField()
    certificate_expires_at = serializers.DateTimeField()


class MessageRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    contact = serializers.UUIDField()
    channel = serializers.CharField()
    purpose = serializers.CharField()
    state = serializers.CharField()
    refusal_code = serializers.CharField()
    route = serializers.CharField(
        help_text="How it went: mail, smime, pgp, portal, text; empty before it went."
    )
    reply = serializers.CharField(help_text="The server's codes, never its words.")
    line = LineRow(
        allow_null=True,
        help_text="What secured the connection to the mail server that took it; null before that, "
        "on the same machine, and for providers and texts.",
    )
    due_at = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(
        allow_null=True, help_text="When the receiving side said so; null where nobody says."
    )


class MessageRows(serializers.Serializer[Any]):
    messages = MessageRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page.")


class ImportProblemRow(serializers.Serializer[Any]):
    place = serializers.CharField()
    detail = serializers.CharField()


class ImportPartsRow(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    all = serializers.IntegerField()


class ImportReadingRow(serializers.Serializer[Any]):
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    head = serializers.IntegerField(help_text="The line of the header; 0 where there is none.")
    sheet = serializers.CharField()
    sheets = serializers.ListField(child=serializers.CharField())
    encodings = serializers.DictField(
        child=serializers.CharField(),
        help_text="Where the encoding is asked: the likeliest, each with the letters it gives.",
    )


class ImportRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    read = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = serializers.IntegerField(help_text="Rows that were left out.")
    rows = serializers.IntegerField()
    parts = ImportPartsRow(allow_null=True, help_text="How far the work has come.")
    columns = serializers.ListField(
        child=serializers.CharField(), help_text="The headers, while a mapping is waited for."
    )
    reading = ImportReadingRow(allow_null=True, help_text="How a table is read.")
    foreseen = serializers.DictField(
        child=serializers.IntegerField(), help_text="What the check counted."
    )
    undone = serializers.DictField(child=serializers.IntegerField())
    read_past = serializers.DictField(help_text="How many resources of each type were read past.")
    problems = ImportProblemRow(many=True)
