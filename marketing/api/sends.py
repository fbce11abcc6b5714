"""Send one message to one person, and send again what could not be delivered."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.idempotency import HEADER, header_of
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from messaging import attachments, outbox, protect, reasons, versions
from messaging.attachments import Given
from messaging.models import PURPOSES, Message, Template, TemplateVersion, Undelivered
from messaging.outbox import Enqueued, Order
from messaging.undelivered import cases

SINGLE = UUID("018f0000-0000-7000-8000-000051461e00")
"""The `source` of every message that a machine ordered by itself."""
LASTS = timedelta(days=3)
FURTHEST = timedelta(days=31)
PAGE = 100


class FileForm(Form):
    name = serializers.CharField(
        max_length=120, help_text="As the person sees it, on the portal or in encrypted mail."
    )
    content = serializers.CharField(
        max_length=14_000_000, trim_whitespace=False, help_text="PDF, PNG, JPEG or text, in base64."
    )


class SendForm(Form):
    contact = serializers.UUIDField()
    template = serializers.SlugField(max_length=80, help_text="The short name of an approved one.")
    purpose = serializers.ChoiceField(
        choices=PURPOSES, help_text="Why it is sent; it must be the template's own."
    )
    due_at = serializers.DateTimeField(required=False, help_text="Now, where it is left out.")
    not_after = serializers.DateTimeField(
        required=False, help_text="After it the message is not sent any more; else in three days."
    )
    attachments = FileForm(many=True, required=False)
    attachments_say = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(protect.DEMANDS)),
        required=False,
        help_text="What the files say of the person, as classes and labels: the gate and the "
        "protection go by it. Demanded with attachments.",
    )


class SendTaken(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    refusal_code = serializers.CharField()
    why = serializers.CharField()
    due_at = serializers.DateTimeField()
    not_after = serializers.DateTimeField()


class ResendForm(Form):
    verified_by = serializers.ChoiceField(
        choices=Undelivered.Channel.choices,
        help_text="By which other channel the address was verified.",
    )


class CaseRow(serializers.Serializer[Any]):
    message = serializers.UUIDField()
    cause = serializers.CharField()
    opened_at = serializers.DateTimeField()
    outcome = serializers.CharField()
    verified_by = serializers.CharField()


class CaseRows(serializers.Serializer[Any]):
    undelivered = CaseRow(many=True)


def send(request: Request, view: MachineView) -> Response:
    """Order one message; the same key always answers with the same message."""
    form = SendForm(data=request.data)
    form.is_valid(raise_exception=True)
    key = header_of(request.headers)
    if not key:
        detail = f"Send the header {HEADER} with a value of your own for this message."
        raise Problem(400, "invalid", detail)
    return view.once(lambda: _ordered(form.validated_data, key, view), "send", request.data)


def _ordered(given: dict[str, Any], key: str, view: MachineView) -> Response:
    version = _version(given)
    due = given.get("due_at") or view.now
    not_after = given.get("not_after") or due + LASTS
    if not view.now <= not_after <= view.now + FURTHEST or not_after < due:
        raise invalid([Fault("/not_after", "It must be after due_at, within 31 days.")])
    files, says = _files(given), frozenset(given.get("attachments_say", ()))
    if files and version.is_text:
        raise invalid([Fault("/attachments", "A text message carries no files; send a mail.")])
    order = Order(
        contact_id=people.named(given["contact"], pointer="/contact"),
        template_version=version.id,
        purpose=given["purpose"],
        source=SINGLE,
        step=str(version.template_id),
        visit=0,
        occurrence=hashlib.sha256(f"{view.key().id} {key}".encode()).hexdigest()[:64],
        due_at=due,
        not_after=not_after,
        path_classes=says,
    )
    (made,) = outbox.enqueue([order], now=view.now)
    if files and made.state == "queued":  # nothing is kept for what may not go
        attachments.attach(made.message_id, files, classes=says, now=view.now)
    return Response(_taken(made), status=201)


def files_of(given: Mapping[str, Any]) -> list[Given]:
    """Return the files, checked by their content; raises a 422 that names the place."""
    try:
        files = [
            Given(one["name"], b64decode(one["content"], validate=True))
            for one in given.get("attachments", ())
        ]
        attachments.check(files)
    except attachments.FileRefused as refused:
        raise invalid([Fault("/attachments", str(refused))]) from None
    except (binascii.Error, ValueError):
        raise invalid([Fault("/attachments", "Each content must be base64.")]) from None
    return files


def _files(given: Mapping[str, Any]) -> list[Given]:
    files = files_of(given)
    if files and not given.get("attachments_say"):
        raise invalid([Fault("/attachments_say", "Say what the files say of the person.")])
    return files


def _version(given: dict[str, Any]) -> TemplateVersion:
    template = Template.objects.filter(slug=given["template"], archived_at=None).first()
    version = versions.latest_approved(template.id) if template else None
    if version is None:
        raise invalid([Fault("/template", "No template of this name has an approved version.")])
    if version.purpose != given["purpose"]:
        detail = f"The template is for {version.purpose}; say so, or use another template."
        raise invalid([Fault("/purpose", detail)])
    return version


def _taken(made: Enqueued) -> dict[str, Any]:
    row = Message.objects.get(pk=made.message_id)
    reason = reasons.explain(row.refusal_code)
    return {
        "id": str(row.public_id),
        "state": row.state,
        "refusal_code": row.refusal_code,
        "why": f"{reason.sentence} {reason.remedy}" if reason else "",
        "due_at": row.due_at.isoformat(),
        "not_after": row.not_after.isoformat(),
    }


class UndeliveredMessages(MachineView):
    """What said something of a person and could not be delivered."""

    scopes: ClassVar[Scopes] = {"GET": Permission.MESSAGES_VIEW}

    @extend_schema(
        operation_id="read_undelivered",
        summary="Read what could not be delivered",
        parameters=[
            OpenApiParameter("open", OpenApiTypes.BOOL, description="false: the settled ones.")
        ],
        responses=CaseRows,
    )
    def get(self, request: Request) -> Response:
        settled = request.query_params.get("open", "true").lower() == "false"
        rows = Undelivered.objects.filter(closed_at__isnull=not settled).select_related("message")
        trail.record("message.viewed", detail={"purpose": "api"})
        found = [_case(one) for one in rows.order_by("opened_at")[:PAGE]]
        return Response({"undelivered": found})


class Resends(MachineView):
    """Send again, once a person has verified the address by another channel."""

    scopes: ClassVar[Scopes] = {"POST": Permission.MESSAGES_SEND}

    @extend_schema(
        operation_id="send_again",
        summary="Send an undelivered message again",
        description="It goes to the address that stands now. Nothing is sent again by itself.",
        request=ResendForm,
        responses={201: SendTaken},
        examples=[OpenApiExample("By phone", value={"verified_by": "phone"}, request_only=True)],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        case = Undelivered.objects.filter(message__public_id=public_id).first()
        if case is None:
            raise not_found("undelivered message")
        form = ResendForm(data=request.data)
        form.is_valid(raise_exception=True)
        channel = form.validated_data["verified_by"]
        return self.once(lambda: self._resent(case, channel), f"resend {public_id}", request.data)

    def _resent(self, case: Undelivered, channel: str) -> Response:
        try:
            made = cases.resend(case.pk, channel=channel, now=self.now)
        except cases.NotOpen:
            detail = "It was settled before: read what could not be delivered with open=false."
            raise Problem(409, "conflict", detail) from None
        return Response(_taken(made), status=201)


def _case(one: Undelivered) -> dict[str, Any]:
    return {
        "message": str(one.message.public_id),
        "cause": one.cause,
        "opened_at": one.opened_at,
        "outcome": one.outcome,
        "verified_by": one.channel,
    }
