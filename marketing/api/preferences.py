"""What people choose and write back, from elsewhere: preferences, topics, inbound replies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenancy
from accounts.models import Organisation
from accounts.roles import Permission
from audit import trail
from consent.addresses import EMAIL, SMS
from consent.choices import preferences, regimes, replies, topics
from consent.choices.preferences import CHANNELS, FREQUENCIES, Preferences
from consent.ledger import ConsentInvalid
from consent.models import Regime
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid
from messaging import feedback
from messaging.models import Message

BY = "api"
_LATE = timedelta(minutes=1)


class ReplyForm(Form):
    channel = serializers.ChoiceField(choices=[EMAIL, SMS])
    address = serializers.CharField(max_length=254, help_text="Whom it came from.")
    text = serializers.CharField(max_length=replies.LONGEST, allow_blank=True)
    received_at = serializers.DateTimeField(help_text="When your gateway got it.")
    in_reply_to = serializers.CharField(
        max_length=255,
        required=False,
        default="",
        help_text="The Message-ID that it answers, or the id of one of our messages.",
    )
    language = serializers.ChoiceField(choices=["en", "es"], default="en")


class ReplyTaken(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=["stop", "review", "nothing"])
    confirmation = serializers.CharField(
        allow_null=True,
        help_text="Send exactly this back, once, within five minutes of the reply; null: nothing.",
    )


class Replies(MachineView):
    """Inbound e-mail replies and text messages."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONSENT_RECORD}

    @extend_schema(
        operation_id="take_reply",
        summary="Hand in a reply",
        description="STOP and its kin count at once. What is unclear waits for a person, and "
        "messages to whoever wrote it wait too.",
        request=ReplyForm,
        responses=ReplyTaken,
        examples=[
            OpenApiExample(
                "A keyword",
                value={
                    "channel": "sms",
                    "address": "+16175550123",
                    "text": "Stop.",
                    "received_at": "2026-03-02T09:30:00-05:00",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        form = ReplyForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._take(form.validated_data), "take_reply", request.data)

    def _take(self, given: dict[str, Any]) -> Response:
        if given["received_at"] > self.now + _LATE:
            raise invalid([Fault("/received_at", "It lies in the future.")])
        answered = _answered(given["in_reply_to"])
        taken = replies.take(
            given["text"],
            address=given["address"],
            channel=given["channel"],
            purpose=feedback.scope(answered) if answered else "",
            topic=answered.topic if answered else "",
            received_at=given["received_at"],
            now=self.now,
        )
        said = None
        if taken.confirm:
            name = Organisation.objects.get(id=tenancy.current()).name
            said = replies.CONFIRMATION[given["language"]].format(name=name)
        return Response({"verdict": taken.verdict, "confirmation": said})


def _answered(named: str) -> Message | None:
    """Return the message that a reply names; without one the no is to the whole channel."""
    if not named:
        return None
    try:
        return Message.objects.filter(public_id=UUID(named)).first()
    except ValueError:
        return Message.objects.filter(message_id_header=named).first()


class TopicRow(serializers.Serializer[Any]):
    key = serializers.CharField()
    words = serializers.DictField(help_text="By language: name and about.")


class TopicRows(serializers.Serializer[Any]):
    topics = TopicRow(many=True)


class Topics(MachineView):
    """The topics that people can say no to by themselves."""

    scopes: ClassVar[Scopes] = {"GET": Permission.CONSENT_RECORD}

    @extend_schema(operation_id="list_topics", summary="List the topics", responses=TopicRows)
    def get(self, request: Request) -> Response:
        return Response({"topics": TopicRow(topics.current(), many=True).data})


def _list(choices: tuple[str, ...] | None = None) -> serializers.ListField:
    child: Any = serializers.ChoiceField(choices=choices) if choices else serializers.SlugField()
    return serializers.ListField(child=child, required=False, max_length=200)


class PreferencesForm(Form):
    topics_off = _list()
    channels_off = _list(CHANNELS)
    frequency = serializers.ChoiceField(choices=FREQUENCIES, required=False)
    language = serializers.CharField(max_length=16, required=False)
    measured = serializers.BooleanField(required=False)
    everything_off = serializers.BooleanField(required=False)
    paused_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="null ends a pause."
    )


class PreferencesRow(serializers.Serializer[Any]):
    topics_off = serializers.ListField(child=serializers.CharField())
    channels_off = serializers.ListField(child=serializers.CharField())
    frequency = serializers.CharField()
    language = serializers.CharField()
    measured = serializers.BooleanField()
    everything_off = serializers.BooleanField()
    paused_until = serializers.DateTimeField(allow_null=True)


class ContactPreferences(MachineView):
    """How one person wants to be written to."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONSENT_RECORD,
        "PATCH": Permission.CONSENT_RECORD,
    }

    @extend_schema(
        operation_id="read_preferences", summary="Read preferences", responses=PreferencesRow
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        trail.record("consent.viewed", subject=f"contact:{contact_id}", detail={"count": 1})
        return Response(_row(preferences.of(contact_id, now=self.now)))

    @extend_schema(
        operation_id="change_preferences",
        summary="Change preferences",
        description="What is left out stays. It counts from the answer on.",
        request=PreferencesForm,
        responses=PreferencesRow,
        examples=[
            OpenApiExample(
                "Seldom, in Spanish",
                value={"frequency": "monthly", "language": "es"},
                request_only=True,
            )
        ],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        form = PreferencesForm(data=request.data)
        form.is_valid(raise_exception=True)
        contact_id = people.one(public_id)
        try:
            self._change(contact_id, dict(form.validated_data))
        except ConsentInvalid as wrong:
            raise Problem(422, "invalid", f"Nothing was recorded: {wrong}.") from None
        return Response(_row(preferences.of(contact_id, now=self.now)))

    def _change(self, contact_id: int, given: dict[str, Any]) -> None:
        who: dict[str, Any] = {"received_by": BY, "now": self.now}
        off = given.pop("everything_off", None)
        if "paused_until" in given:
            until = given.pop("paused_until")
            if until is None:
                preferences.resume(contact_id, **who)
            else:
                preferences.pause(contact_id, until, **who)
        for name in ("topics_off", "channels_off"):
            if name in given:
                given[name] = frozenset(given[name])
        standing: Preferences = preferences.of(contact_id, now=self.now)
        preferences.choose(contact_id, replace(standing, **given), **who)
        if off is not None:
            act = preferences.stop_everything if off else preferences.start_again
            act(contact_id, **who)


class RegimeForm(Form):
    regime = serializers.ChoiceField(choices=Regime.Kind.values)


class RegimeRow(serializers.Serializer[Any]):
    regime = serializers.CharField(help_text="hipaa: a patient; consumer: a lead of the web.")


class Regimes(MachineView):
    """Which law a person's data falls under."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONSENT_RECORD,
        "POST": Permission.CONSENT_RECORD,
    }

    @extend_schema(operation_id="read_regime", summary="Read the regime", responses=RegimeRow)
    def get(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        return Response({"regime": regimes.of([contact_id], at=self.now)[contact_id]})

    @extend_schema(
        operation_id="begin_regime",
        summary="Say that a lead became a patient",
        description="Counts from the answer on; what was agreed to on a sign-up form ends then.",
        request=RegimeForm,
        responses=RegimeRow,
        examples=[OpenApiExample("A patient", value={"regime": "hipaa"}, request_only=True)],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        contact_id = people.one(public_id)
        form = RegimeForm(data=request.data)
        form.is_valid(raise_exception=True)
        regime = form.validated_data["regime"]
        if regime == Regime.Kind.HIPAA:
            regimes.become_patient(contact_id, reason=BY, now=self.now)
        else:
            regimes.begin(contact_id, regime, reason=BY, now=self.now)
        return Response({"regime": regimes.of([contact_id], at=self.now)[contact_id]})


def _row(standing: Preferences) -> dict[str, Any]:
    return {
        "topics_off": sorted(standing.topics_off),
        "channels_off": sorted(standing.channels_off),
        "frequency": standing.frequency,
        "language": standing.language,
        "measured": standing.measured,
        "everything_off": standing.everything_off,
        "paused_until": standing.paused_until.isoformat() if standing.paused_until else None,
    }
