"""Messages: order one, read what became of each and why one was not sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from audit import trail
from contacts import matching
from marketing.api import people, sends
from marketing.api.forms import MessageRow, MessageRows
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found
from messaging.lines import keeping
from messaging.models import Line, Message

PAGE = 100


class Messages(MachineView):
    """Messages, newest first, a page at a time; and one more."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.MESSAGES_VIEW,
        "POST": Permission.MESSAGES_SEND,
    }

    @extend_schema(
        operation_id="send_message",
        summary="Send one message to one person",
        description="The gate is asked now and again when it goes. The Idempotency-Key is "
        "demanded: the same key never makes a second message. Read its fate by its id.",
        request=sends.SendForm,
        responses={201: sends.SendTaken},
        examples=[
            OpenApiExample(
                "A statement",
                value={
                    "contact": "0199f0a0-0000-7000-8000-000000000001",
                    "template": "statement",
                    "purpose": "payment",
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        return sends.send(request, self)

    @extend_schema(
        operation_id="read_messages",
        summary="Read messages",
        parameters=[
            OpenApiParameter("contact", OpenApiTypes.UUID, description="Only this contact's."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
        ],
        responses=MessageRows,
    )
    def get(self, request: Request) -> Response:
        rows = Message.objects.order_by("-id")
        contact, after = _asked(request, "contact"), _asked(request, "after")
        if contact:
            rows = rows.filter(contact_id=people.one(contact))
        if after:
            rows = rows.filter(id__lt=_one(after).id)
        page = list(rows[: PAGE + 1])
        shown = page[:PAGE]
        trail.record("message.viewed", detail={"purpose": "api"})
        return Response(
            {
                "messages": _described(shown),
                "next": str(shown[-1].public_id) if len(page) > PAGE else None,
            }
        )


class OneMessage(MachineView):
    """One message's fate."""

    scopes: ClassVar[Scopes] = {"GET": Permission.MESSAGES_VIEW}

    @extend_schema(operation_id="read_message", summary="Read a message", responses=MessageRow)
    def get(self, request: Request, public_id: UUID) -> Response:
        message = _one(public_id)
        trail.record("message.viewed", subject=f"message:{message.id}", detail={"purpose": "api"})
        return Response(_described([message])[0])


def _asked(request: Request, name: str) -> UUID | None:
    value = request.query_params.get(name)
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise invalid([Fault(f"?{name}", "This must be an id.")]) from None


def _one(public_id: UUID) -> Message:
    message = Message.objects.filter(public_id=public_id).first()
    if message is None:
        raise not_found("message")
    return message


def _described(messages: Sequence[Message]) -> list[dict[str, Any]]:
    ids = matching.public_ids({message.contact_id for message in messages})
    lines = keeping.of_messages(messages)
    return [
        {
            "id": str(message.public_id),
            "contact": str(ids[message.contact_id]) if message.contact_id in ids else None,
            "channel": message.channel,
            "purpose": message.purpose,
            "state": message.state,
            "refusal_code": message.refusal_code,
            "route": message.route,
            "reply": message.smtp_reply,
            "line": _line(lines.get(message.line or 0)),
            "due_at": message.due_at,
            "not_after": message.not_after,
            "sent_at": message.sent_at,
            "delivered_at": message.delivered_at,
        }
        for message in messages
    ]


def _line(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {
        "host": line.host,
        "tls": line.tls,
        "cipher": line.cipher,
        "certificate_sha256": line.certificate,
        "issuer": line.issuer,
        "certificate_expires_at": line.expires_at,
    }
