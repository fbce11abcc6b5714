"""The inbox: what people wrote back, read into the trail, answered, given to somebody, closed.

A key reads what a member of staff with its data classes would read: it needs `answers.handle` and
the scopes that open identity and clinical facts, for people may write anything of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from contacts import matching, persons
from marketing.api import machines, sends
from marketing.api.answer_forms import (
    AnswerPage,
    AnswerRow,
    AssignmentForm,
    Conversation,
    Handlers,
    LetterForm,
    LetterTaken,
)
from marketing.api.askers import Machine
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.web import inbox
from messaging import reasons
from messaging.answers import letters, reading
from messaging.answers.letters import LetterRefused
from messaging.answers.reading import Said
from messaging.attachments import FileRefused
from messaging.models import Answer, Message

HANDLE = Permission.ANSWERS_HANDLE
PAGE = 100
SHOWN = ("open", "nobody", "done")


def _classes(key: ApiKey) -> frozenset[str]:
    """Return what the key may see; raise a 403 where that is not enough for people's own words."""
    for scope in (Permission.CONTACTS_REVEAL_IDENTITY, Permission.CONTACTS_REVEAL_CLINICAL):
        machines.demand(key, scope)
    return Machine(key).data_classes


def _one(answer_id: UUID, key: ApiKey) -> Answer:
    row = reading.visible(_classes(key)).filter(id=answer_id).first()
    if row is None:
        raise not_found("answer")
    return row


class Answers(MachineView):
    """What people wrote back, without the words."""

    scopes: ClassVar[Scopes] = {"GET": HANDLE}

    @extend_schema(
        operation_id="read_answers",
        summary="Read the inbox",
        description="Those that wait longest first; the words stand behind each answer's address.",
        parameters=[
            OpenApiParameter("show", enum=SHOWN, description="open (else), nobody's or done."),
            OpenApiParameter("after", OpenApiTypes.UUID, description="`next` of the page before."),
        ],
        responses=AnswerPage,
    )
    def get(self, request: Request) -> Response:
        rows = list(_shown(request, reading.visible(_classes(self.key())))[: PAGE + 1])
        following = str(rows[PAGE - 1].id) if len(rows) > PAGE else None
        return Response({"answers": _rows(rows[:PAGE]), "next": following})


def _shown(request: Request, rows: QuerySet[Answer]) -> QuerySet[Answer]:
    show = request.query_params.get("show", "open")
    if show not in SHOWN:
        raise invalid([Fault("?show", f"This must be one of {', '.join(SHOWN)}.")])
    rows = rows.exclude(done_at=None) if show == "done" else rows.filter(done_at=None)
    rows = rows.filter(assigned_to="") if show == "nobody" else rows
    try:
        after = UUID(request.query_params.get("after") or str(UUID(int=0)))
    except ValueError:
        raise invalid([Fault("?after", "This must be an id.")]) from None
    return rows.filter(id__gt=after).order_by("id")  # ids are in the order of their moments


def _rows(rows: Sequence[Answer]) -> list[dict[str, Any]]:
    sent = Message.objects.in_bulk([row.message_id for row in rows])
    standing = persons.standing_for({row.contact_id for row in rows})
    ids = matching.public_ids(set(standing.values()))
    return [_row(row, sent, ids.get(standing.get(row.contact_id, 0))) for row in rows]


def _row(row: Answer, sent: Mapping[int, Message], contact: UUID | None) -> dict[str, Any]:
    names = ("id", "way", "sent_at", "read_at", "assigned_to", "done_at", "done_by")
    message = str(sent[row.message_id].public_id)
    told = {name: getattr(row, name) for name in names}
    return AnswerRow(told | {"message": message, "contact": contact}).data


class OneAnswer(MachineView):
    """An answer with its conversation."""

    scopes: ClassVar[Scopes] = {"GET": HANDLE}

    @extend_schema(
        operation_id="read_answer",
        summary="Read an answer with its conversation",
        description="What the person and you wrote, the oldest first. It counts as read, and each "
        "turn that is opened has its entry in the trail.",
        responses=Conversation,
    )
    def get(self, request: Request, answer_id: UUID) -> Response:
        row = _one(answer_id, self.key())
        said = reading.conversation(row, _classes(self.key()))
        reading.read(said, now=self.now)
        row.refresh_from_db()
        told = {"may_be_a_no": reading.may_be_a_no(row), "said": [_turn(one) for one in said]}
        return Response({**_rows([row])[0], **told})


def _turn(said: Said) -> dict[str, Any]:
    files = [
        {"id": str(row.pk), "name": name, "media_type": row.media_type, "size": row.size}
        for row, name in said.files
    ]
    by = "organisation" if said.letter else "person"
    number = said.letter.id if said.letter else said.answer.id if said.answer else None
    return {"id": str(number), "by": by, "at": said.at, "words": said.words, "files": files}


class AnswerFile(MachineView):
    """A file that came with an answer."""

    scopes: ClassVar[Scopes] = {"GET": HANDLE}

    @extend_schema(
        operation_id="read_answer_file",
        summary="Take a file that came with an answer",
        description="Opening it is in the trail.",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, answer_id: UUID, file_id: UUID) -> HttpResponse:
        found = reading.file(_one(answer_id, self.key()), file_id)
        if found is None:
            raise not_found("file")
        response = HttpResponse(found.content, content_type=found.media_type)
        named = content_disposition_header(True, found.name) or "attachment"
        response["Content-Disposition"] = named
        return response


class AnswerLetters(MachineView):
    """The answer to an answer: a secure message through the gate."""

    scopes: ClassVar[Scopes] = {"POST": HANDLE}

    @extend_schema(
        operation_id="answer_answer",
        summary="Answer a person",
        description="It goes as a secure message; the answer is done with it. Where the gate "
        "refuses, `state` says so and why, and no word is kept. Send an Idempotency-Key.",
        request=LetterForm,
        responses={201: LetterTaken},
        examples=[
            OpenApiExample(
                "A letter",
                value={"words": "The class is in Quincy, too.", "purpose": "treatment"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, answer_id: UUID) -> Response:
        row = _one(answer_id, self.key())
        form = LetterForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._written(row, form.validated_data), f"letter {answer_id}", request.data
        )

    def _written(self, row: Answer, given: Mapping[str, Any]) -> Response:
        if reading.may_be_a_no(row) and not given["meant"]:
            detail = "The words may ask you to stop: say what they mean, and until then all waits."
            raise invalid([Fault("/meant", detail)])
        try:
            made = letters.write(
                row,
                given["words"],
                purpose=given["purpose"],
                files=sends.files_of(given),
                meant=given["meant"],
                now=self.now,
            )
        except LetterRefused as refused:
            raise invalid([Fault("/words", str(refused))]) from None
        except FileRefused as refused:
            raise invalid([Fault("/attachments", str(refused))]) from None
        message = Message.objects.get(pk=made.message_id)
        why = reasons.explain(made.refusal_code) if made.refusal_code else None
        told = {
            "message": str(message.public_id),
            "state": message.state,
            "refusal_code": made.refusal_code,
            "why": f"{why.sentence} {why.remedy}" if why else "",
        }
        return Response(told, status=201)


class AnswerAssignment(MachineView):
    """Whose an answer is."""

    scopes: ClassVar[Scopes] = {"PUT": HANDLE}

    @extend_schema(
        operation_id="assign_answer",
        summary="Give an answer to a member of staff",
        request=AssignmentForm,
        responses=AnswerRow,
        examples=[OpenApiExample("Nobody's", value={"to": None}, request_only=True)],
    )
    def put(self, request: Request, answer_id: UUID) -> Response:
        row = _one(answer_id, self.key())
        form = AssignmentForm(data=request.data)
        form.is_valid(raise_exception=True)
        to = form.validated_data["to"]
        if to and str(to) not in dict(inbox.colleagues()):
            raise invalid([Fault("/to", "Choose one of answers/handlers.")])
        reading.assign(row, str(to or ""))
        row.refresh_from_db()
        return Response(_rows([row])[0])


class AnswerHandlers(MachineView):
    """Whom answers may be given to."""

    scopes: ClassVar[Scopes] = {"GET": HANDLE}

    @extend_schema(
        operation_id="read_answer_handlers",
        summary="Read whom answers may be given to",
        responses=Handlers,
    )
    def get(self, request: Request) -> Response:
        rows = [{"id": number, "name": name} for number, name in inbox.colleagues()]
        return Response({"handlers": rows})


class AnswerClosing(MachineView):
    """An answer that needs none of ours."""

    scopes: ClassVar[Scopes] = {"POST": HANDLE}

    @extend_schema(
        operation_id="close_answer",
        summary="Close an answer without writing",
        description="One that somebody closed already is a conflict.",
        request=None,
        responses=AnswerRow,
    )
    def post(self, request: Request, answer_id: UUID) -> Response:
        row = _one(answer_id, self.key())
        if not reading.done(row, now=self.now):
            raise Problem(409, "conflict", "It is closed already.")
        row.refresh_from_db()
        return Response(_rows([row])[0])


class AnswerReopening(MachineView):
    """An answer that was closed and waits again."""

    scopes: ClassVar[Scopes] = {"POST": HANDLE}

    @extend_schema(
        operation_id="reopen_answer",
        summary="Take an answer back among those that wait",
        request=None,
        responses=AnswerRow,
    )
    def post(self, request: Request, answer_id: UUID) -> Response:
        row = _one(answer_id, self.key())
        if not reading.reopen(row):
            raise Problem(409, "conflict", "It is open.")
        row.refresh_from_db()
        return Response(_rows([row])[0])
