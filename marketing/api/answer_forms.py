"""The shapes of the inbox over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from consent.models import Reply
from marketing.api.forms import Form
from marketing.api.sends import FileForm
from messaging.answers import letters


class AnswerRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    message = serializers.UUIDField(help_text="The message that it answers.")
    contact = serializers.UUIDField(allow_null=True)
    way = serializers.CharField(help_text="portal, mail or text.")
    sent_at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)
    assigned_to = serializers.CharField(help_text="Empty: nobody's.")
    done_at = serializers.DateTimeField(allow_null=True)
    done_by = serializers.CharField()


class AnswerPage(serializers.Serializer[Any]):
    answers = AnswerRow(many=True)
    next = serializers.UUIDField(allow_null=True)


class FileRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")


class Turn(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    by = serializers.CharField(help_text="person or organisation.")
    at = serializers.DateTimeField()
    words = serializers.CharField(help_text="Empty where the person was erased.")
    files = FileRow(many=True)


class Conversation(AnswerRow):
    may_be_a_no = serializers.BooleanField(
        help_text="The words may ask to stop: what a no could stop waits until somebody decides."
    )
    said = Turn(many=True)


class LetterForm(Form):
    words = serializers.CharField(max_length=letters.LONGEST, trim_whitespace=False)
    purpose = serializers.ChoiceField(choices=letters.PURPOSES)
    attachments = FileForm(many=True, required=False)
    meant = serializers.ChoiceField(
        choices=Reply.Decision.choices,
        default="",
        allow_blank=True,
        help_text="What the person's words mean for consent, where `may_be_a_no`.",
    )


class LetterTaken(serializers.Serializer[Any]):
    message = serializers.UUIDField()
    state = serializers.CharField()
    refusal_code = serializers.CharField()
    why = serializers.CharField()


class AssignmentForm(Form):
    to = serializers.UUIDField(allow_null=True, help_text="One of answers/handlers; null: nobody.")


class Handler(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class Handlers(serializers.Serializer[Any]):
    handlers = Handler(many=True)
