"""A draft or a version as somebody gets it: with invented values, or as a contact of the key's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from contacts.models import Contact
from contacts.segments.models import Segment
from contacts.segments.reading import DefinitionInvalid
from marketing.api import contacts, machines
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found
from marketing.api.template_forms import PreviewSaid, PreviewValues
from marketing.api.templates import draft_of, fault_of, versions_of
from marketing.web import segment_sight
from messaging.making import drafts, seen
from messaging.making.seen import Piece, Seen, SightRefused
from messaging.models import Template
from messaging.portal.frame import dark, without_pictures
from messaging.render import NotRendered
from messaging.templates_compile import TemplateInvalid

LOOKS: dict[str, Callable[[str], str]] = {
    "": str,
    "dark": dark,
    "without_pictures": without_pictures,
}
_EXAMPLES = [
    OpenApiExample(
        "Invented", value={"version": 1, "values": {"given_name": "Ada"}}, request_only=True
    ),
    OpenApiExample(
        "The draft, as a contact",
        value={"draft": True, "contact": "018f0000-0000-7000-8000-000000000001"},
        request_only=True,
    ),
]


class TemplatePreviews(MachineView):
    """A version, the newest where none is named, or the draft, as somebody would get it."""

    scopes: ClassVar[Scopes] = {"POST": Permission.TEMPLATES_VIEW}

    @extend_schema(
        operation_id="preview_template_version",
        summary="Preview a draft or a version",
        description="With invented values nobody is opened. As a `contact`, or as somebody of a "
        "`segment` drawn by lot, it is a reveal: the key needs contacts.view (for a segment "
        "segments.view, too) and the scopes of what is printed, and the trail says so. Conditions "
        "whose answer those scopes do not open are shown as though they held, and named.",
        request=PreviewValues,
        responses=PreviewSaid,
        examples=_EXAMPLES,
    )
    def post(self, request: Request, template_id: UUID) -> Response:
        form = PreviewValues(data=request.data)
        form.is_valid(raise_exception=True)
        given: dict[str, Any] = form.validated_data
        piece = _piece(draft_of(template_id), given)
        contact = _contact(given, self.key())
        try:
            shown = _seen(piece, contact, given, self)
        except NotRendered as refused:
            raise Problem(422, "invalid", f"It cannot be rendered: {refused.code}.") from None
        return Response(_said(shown, contact, given["look"]))


def _piece(template: Template, given: Mapping[str, Any]) -> Piece:
    if given["draft"]:
        try:
            return seen.of_draft(template, drafts.compiled(template))
        except TemplateInvalid as error:
            raise invalid([fault_of(each) for each in error.problems]) from None
    number = given.get("version")
    rows = versions_of(template).order_by("-number")
    version = (rows.filter(number=number) if number else rows).first()
    if version is None:
        raise not_found("version")
    return seen.of_version(version)


def _contact(given: Mapping[str, Any], key: ApiKey) -> Contact | None:
    """Return as whom to look; raise a 403 or a 404 where the key may not."""
    if given.get("segment"):
        machines.demand(key, Permission.CONTACTS_VIEW)
        machines.demand(key, Permission.SEGMENTS_VIEW)
        return _drawn(given["segment"], key)
    if not given.get("contact"):
        return None
    machines.demand(key, Permission.CONTACTS_VIEW)
    found = Contact.objects.filter(public_id=given["contact"], erased_at=None).first()
    if found is None:
        raise not_found("contact")
    return found


def _drawn(segment_id: UUID, key: ApiKey) -> Contact:
    segment = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if segment is None:
        raise not_found("segment")
    betrayed, _ = segment_sight.meaning(segment)
    if beyond := sorted({*betrayed} - {*contacts.classes_of(key)}):
        detail = f"Who is in it says {', '.join(beyond)} facts, which the key's scopes do not open."
        raise Problem(403, "scope-missing", detail)
    contact = seen.drawn(segment, below=secrets.randbelow)
    if contact is None:
        raise invalid([Fault("/segment", "Nobody is in it.")])
    return contact


def _seen(
    piece: Piece, contact: Contact | None, given: Mapping[str, Any], view: MachineView
) -> Seen:
    if contact is None:
        return seen.by_invented(
            piece, given["values"], when=given["when"], language=given["language"]
        )
    classes = contacts.classes_of(view.key())
    try:
        return seen.by(piece, contact, classes=classes, now=view.now, language=given["language"])
    except SightRefused as refused:
        names = ", ".join(sorted(refused.classes))
        detail = f"It prints {names} facts, which the key's scopes do not open."
        raise Problem(403, "scope-missing", detail) from None
    except DefinitionInvalid:
        raise Problem(409, "conflict", "One of its conditions refers to what is gone.") from None


def _said(shown: Seen, contact: Contact | None, look: str) -> dict[str, Any]:
    said = shown.said
    return {
        "subject": said.subject,
        "html": LOOKS[look](said.html),
        "text": said.text,
        "language": shown.language,
        "contact": str(contact.public_id) if contact else None,
        "supposed": list(shown.supposed),
    }
