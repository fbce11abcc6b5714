"""The shapes of templates over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.fields import DataClass
from marketing.api.forms import Form
from messaging.models import CHANNELS, PURPOSES

EXAMPLE = {
    "name": "Spring check-up",
    "purpose": "marketing",
    "subject": "News from {{ organisation.name }}",
    "mjml": "<mjml><mj-body><mj-section><mj-column>"
    '<mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>'
    "<mj-text>{{ organisation.name }}, {{ organisation.postal_address }} "
    '<a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>'
    "</mj-column></mj-section></mj-body></mjml>",
    "text": "",
    "declared": ["given_name"],
}


TEXT_EXAMPLE = {
    "name": "Visit reminder by text",
    "channel": "sms",
    "purpose": "appointment",
    "text": "{{ organisation.name }}: your visit is coming up. Questions? 617-555-0100. "
    "Reply STOP to end.",
}


class TranslationForm(Form):
    language = serializers.RegexField(r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", max_length=16)
    subject = serializers.CharField(max_length=200, allow_blank=True, default="")
    mjml = serializers.CharField(
        max_length=256_000, allow_blank=True, default="", trim_whitespace=False
    )
    text = serializers.CharField(
        max_length=64_000, allow_blank=True, default="", trim_whitespace=False
    )


class ConditionForm(Form):
    name = serializers.RegexField(r"^[a-z][a-z0-9_]{0,39}$")
    label = serializers.CharField(max_length=80)  # type: ignore[assignment]
    definition = serializers.JSONField(help_text="See docs/segments.md for the language.")


class TemplateForm(Form):
    name = serializers.CharField(max_length=120)
    purpose = serializers.ChoiceField(choices=[key for key, _ in PURPOSES])
    channel = serializers.ChoiceField(
        choices=[key for key, _ in CHANNELS],
        default="email",
        help_text="It never changes. A text message (sms) has text alone.",
    )
    topic = serializers.CharField(max_length=64, allow_blank=True, default="")
    subject = serializers.CharField(max_length=200, allow_blank=True, default="")
    mjml = serializers.CharField(
        max_length=256_000,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="MJML with Jinja2 merge fields.",
    )
    text = serializers.CharField(
        max_length=64_000,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="Empty: made from the body.",
    )
    declared = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=100, default=list
    )
    language = serializers.RegexField(
        r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", max_length=16, default="en",
        help_text="Its own language, and what whoever prefers another gets.",
    )  # fmt: skip
    audience = serializers.ListField(
        child=serializers.ChoiceField(choices=[kind.value for kind in DataClass]),
        default=list,
        help_text="What being among its recipients says of a person.",
    )
    conditions = serializers.ListField(child=ConditionForm(), max_length=20, default=list)
    translations = serializers.ListField(child=TranslationForm(), max_length=20, default=list)


class CopyForm(Form):
    name = serializers.CharField(max_length=120)


class PreviewValues(Form):
    version = serializers.IntegerField(required=False, min_value=1, help_text="Absent: newest.")
    draft = serializers.BooleanField(default=False, help_text="The draft, not a version.")
    values = serializers.DictField(
        child=serializers.JSONField(),
        default=dict,
        help_text="Invented values of fields by key. No contact is opened.",
    )
    contact = serializers.UUIDField(required=False, help_text="As this contact gets it.")
    segment = serializers.UUIDField(
        required=False, help_text="As somebody of this segment gets it, drawn by lot."
    )
    look = serializers.ChoiceField(
        choices=["", "dark", "without_pictures"],
        default="",
        help_text="On a dark screen, or before pictures load.",
    )
    language = serializers.CharField(max_length=16, default="", allow_blank=True)
    when = serializers.ListField(
        child=serializers.CharField(max_length=40),
        default=list,
        help_text="The conditions that hold. Of a contact they are asked.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse two answers to whose preview or of what it is."""
        who = [name for name in ("contact", "segment", "values") if attrs.get(name)]
        if len(who) > 1:
            raise serializers.ValidationError({who[1]: f"Give {who[0]} or {who[1]}, not both."})
        if attrs["draft"] and attrs.get("version"):
            raise serializers.ValidationError({"version": "Give a version or draft, not both."})
        return attrs


class TemplateRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField(help_text="The short name, by which one message names it.")
    name = serializers.CharField()
    channel = serializers.CharField()
    purpose = serializers.CharField()
    topic = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    latest = serializers.IntegerField(allow_null=True, help_text="Number of the newest version.")
    approved = serializers.IntegerField(allow_null=True, help_text="The one that would be sent.")
    changed_at = serializers.DateTimeField()


class TemplateRows(serializers.Serializer[Any]):
    templates = TemplateRow(many=True)


class TranslationRow(serializers.Serializer[Any]):
    language = serializers.CharField()
    subject = serializers.CharField()
    mjml = serializers.CharField()
    text = serializers.CharField()
    lags = serializers.BooleanField(
        help_text="The template's own words changed since it was held against them."
    )


class TemplateBody(TemplateRow):
    subject = serializers.CharField()
    mjml = serializers.CharField()
    text = serializers.CharField()
    declared = serializers.ListField(child=serializers.CharField())
    audience = serializers.ListField(child=serializers.CharField())
    translations = TranslationRow(many=True)


class FoundRow(serializers.Serializer[Any]):
    part = serializers.CharField()
    line = serializers.IntegerField()
    message = serializers.CharField()
    code = serializers.CharField()
    language = serializers.CharField(help_text="Empty: the template's own.")


class UseRow(serializers.Serializer[Any]):
    place = serializers.CharField()
    field = serializers.CharField()
    how = serializers.ChoiceField(choices=["printed", "asked"])
    line = serializers.IntegerField()
    condition = serializers.CharField()
    allowed = serializers.BooleanField()


class CheckAnswer(serializers.Serializer[Any]):
    sound = serializers.BooleanField()
    problems = FoundRow(many=True, help_text="These refuse a version.")
    warnings = FoundRow(many=True)
    flow = UseRow(many=True)
    says = serializers.ListField(child=serializers.CharField())
    steps = serializers.ListField(child=serializers.CharField(), help_text="Reviews that it needs.")


class WordRow(serializers.Serializer[Any]):
    step = serializers.CharField()
    verdict = serializers.CharField()
    at = serializers.DateTimeField()


class VersionRow(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    sha256 = serializers.CharField()
    says = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    flow = UseRow(many=True)
    links = serializers.ListField(child=serializers.URLField())
    approved = serializers.BooleanField()
    steps = serializers.ListField(child=serializers.CharField())
    next = serializers.CharField(allow_null=True, help_text="The review that is asked now.")
    reviews = WordRow(many=True)
    created_at = serializers.DateTimeField()


class VersionRows(serializers.Serializer[Any]):
    versions = VersionRow(many=True)


class PreviewSaid(serializers.Serializer[Any]):
    subject = serializers.CharField()
    html = serializers.CharField()
    text = serializers.CharField()
    language = serializers.CharField()
    contact = serializers.UUIDField(allow_null=True, help_text="As whom; null: invented.")
    supposed = serializers.ListField(
        child=serializers.CharField(),
        help_text="Conditions not asked of the contact: shown as though they held.",
    )
