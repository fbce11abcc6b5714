"""The drawing board of a mail: blocks, pictures, what is wrong as one draws, how it looks."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import closing
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts.fields import Field, FieldType
from marketing.security_headers import POLICY
from marketing.web import naming
from marketing.web.making import choosing, editor, languages, preview
from marketing.web.making.choosing import NobodyChosen
from messaging import sender, trying
from messaging.making import blocks, drafts, seen
from messaging.making import languages as translating
from messaging.models import ContentBlock, Picture, Template, Translation
from messaging.pictures import keeping
from messaging.pictures.keeping import PictureRefused
from messaging.render import NotRendered
from messaging.sandbox import Problem
from messaging.templates_compile import TemplateInvalid

LONGEST = 400_000
MALFORMED = "Send JSON with subject and mjml, both of plain letters."
OFFERED = 60
PARTS = {"subject": "Subject", "mjml": "Body", "text": "Text part", "fields": "Fields",
         "conditions": "Conditions"}  # fmt: skip
BOARD_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""The board lays its boxes out with inline styles; no other page may. Scripts stay ours alone."""


@require_safe
@requires(Permission.TEMPLATES_EDIT)
def board(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Draw the draft. The code and the text part are on the template's own page."""
    chosen = get_object_or_404(Template, id=template_id)
    sheet, user = sheet_of(request, chosen), staff_of(request)
    context = {
        "template": chosen,
        "language": languages.told(sheet.language),
        "fallback": languages.told(chosen.language),
        "languages": languages.sheets(chosen, sheet),
        "lags": isinstance(sheet, Translation) and translating.lags(chosen, sheet),
        "given": _given(chosen, sheet) | {"clipboard": f"attune-copied-{user.pk}"},
        "address": user.email,
        "looks": [("", "As it is"), ("narrow", "On a telephone"), *preview.LOOK_WORDS.items()],
        "may_choose": user.may(Permission.CONTACTS_SEARCH),
        "segments": choosing.segments(user),
    }
    response = render(request, "messaging/board.html", context)
    response["Content-Security-Policy"] = BOARD_POLICY
    return response


def sheet_of(request: HttpRequest, chosen: Template) -> Template | Translation:
    """Return what is drawn: the template's own words, or those in the language that is named."""
    language = request.GET.get("language", "")
    if language in ("", chosen.language):
        return chosen
    return get_object_or_404(Translation, template=chosen, language=language)


def _given(chosen: Template, sheet: Template | Translation) -> dict[str, Any]:
    asked = "" if sheet is chosen else f"?language={sheet.language}"
    shared = ContentBlock.objects.filter(slug__in=blocks.published(), archived_at=None)
    return {
        "language": sheet.language,
        "subject": sheet.subject,
        "mjml": sheet.mjml,
        "seen": sheet.changed_at.isoformat(),
        "addresses": {
            "save": reverse("template-board-save", args=[chosen.id]) + asked,
            "check": reverse("template-board-check", args=[chosen.id]) + asked,
            "preview": reverse("template-board-preview", args=[chosen.id]) + asked,
            "pictures": reverse("template-board-pictures", args=[chosen.id]),
            "blocks": reverse("template-board-blocks", args=[chosen.id]),
        },
        "fields": [{"tag": _tag(one), "label": one.label} for one in _offered()],
        "conditions": [
            {"name": name, "label": said.get("label", name)}
            for name, said in chosen.conditions.items()
        ],
        "shared": [{"slug": one.slug, "name": one.name, "kind": one.kind} for one in shared],
        "pictures": [_told(one) for one in Picture.objects.filter(archived_at=None)[:OFFERED]],
    }


_PRINTED = frozenset({FieldType.TEXT, FieldType.DATE})


def _offered() -> list[Field]:
    return [one for one in naming.offered() if one.type in _PRINTED]


def _tag(field: Field) -> str:
    """Return the merge tag with a fallback, which the compiler asks for."""
    shown = " | date" if field.type is FieldType.DATE else ""
    return f'{{{{ contact.{field.key}{shown} | default("…") }}}}'


def _told(one: Picture) -> dict[str, Any]:
    src = keeping.address(one, origin=sender.current().origin, now=one.uploaded_at)
    return {
        "id": str(one.id), "src": src, "alt": one.alt, "width": one.width, "height": one.height,
    }  # fmt: skip


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def check(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Say what is wrong with what is on the board, and how it looks; nothing is saved."""
    given = _read(request)
    if given is None:
        return JsonResponse({"detail": MALFORMED}, status=400)
    drawn = as_drawn(request, template_id, given)
    try:
        compiled = drafts.compiled(drawn, with_translations=False)
    except TemplateInvalid as invalid:
        return JsonResponse({"problems": _lines(invalid.problems), "warnings": []})
    answer: dict[str, Any] = {"problems": [], "warnings": _lines(compiled.warnings)}
    try:
        said = trying.shown(compiled, language=drawn.language)
    except NotRendered:
        answer |= {"html": "", "text": ""}
    else:
        looked = preview.LOOKS.get(str(given.get("look", "")), str)
        answer |= {"html": looked(said.html), "text": said.text}
    return JsonResponse(answer | {"says": sorted(compiled.data_classes)})


def as_drawn(request: HttpRequest, template_id: UUID, given: dict[str, Any]) -> Template:
    """Return what is on the board as a template in its language, not saved."""
    chosen = get_object_or_404(Template, id=template_id)
    sheet = sheet_of(request, chosen)
    _take(chosen, sheet, given)
    return translating.alone(chosen, sheet) if isinstance(sheet, Translation) else chosen


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def look(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show what is on the board as a chosen person would get it; it is in the trail, not saved."""
    given = _read(request)
    if given is None:
        return JsonResponse({"detail": MALFORMED}, status=400)
    drawn, user = as_drawn(request, template_id, given), staff_of(request)
    try:
        contact = choosing.person(_who(given), user)
        if contact is None:
            raise NobodyChosen("Give a record number, or choose a segment.")
        piece = seen.of_draft(drawn, drafts.compiled(drawn, with_translations=False))
        shown = seen.by(piece, contact, classes=user.data_classes, now=timezone.now())
    except NobodyChosen as nobody:
        return JsonResponse({"detail": str(nobody)}, status=422)
    except TemplateInvalid as invalid:
        detail = f"{editor.counted(invalid)}; first mend what the check says."
        return JsonResponse({"detail": detail}, status=422)
    except preview.REFUSED as refused:
        return JsonResponse({"detail": preview.why_not(refused)}, status=422)
    html = shown.said.html
    looks = {"": html} | {name: made(html) for name, made in preview.LOOKS.items()}
    told = {"subject": shown.said.subject, "text": shown.said.text, "looks": looks}
    return JsonResponse(told | {"supposed": list(shown.supposed)})


def _who(given: dict[str, Any]) -> dict[str, str]:
    return {name: str(given.get(name, ""))[:200] for name in ("number", "segment")}


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def save(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Keep the draft, sound or not, unless somebody changed it since the board read it."""
    given, now = _read(request), timezone.now()
    if given is None:
        return JsonResponse({"detail": MALFORMED}, status=400)
    with transaction.atomic():
        chosen = get_object_or_404(Template.objects.select_for_update(), id=template_id)
        sheet = sheet_of(request, chosen)
        if parse_datetime(str(given.get("seen", ""))) != sheet.changed_at:
            return JsonResponse({"detail": "The draft was changed meanwhile."}, status=409)
        _take(chosen, sheet, given)
        _keep(chosen, sheet, now=now)
    return JsonResponse({"seen": now.isoformat()})


def _keep(chosen: Template, sheet: Template | Translation, *, now: datetime) -> None:
    if isinstance(sheet, Translation):
        chosen.save(update_fields=["declared"])
        translating.keep(sheet, now=now)
        return
    chosen.changed_at = now
    chosen.save(update_fields=["subject", "mjml", "declared", "changed_at"])
    trail.record("template.changed", subject=f"template:{chosen.id}")


def _take(chosen: Template, sheet: Template | Translation, given: dict[str, Any]) -> None:
    """Put the board's draft in its place; a field that is printed is declared by that."""
    sheet.subject, sheet.mjml = str(given["subject"])[:400], str(given["mjml"])
    printed = {one.key for one in _offered() if f"contact.{one.key}" in sheet.mjml}
    chosen.declared = sorted({*chosen.declared, *printed})


def _read(
    request: HttpRequest, parts: Collection[str] = ("subject", "mjml")
) -> dict[str, Any] | None:
    raw = request.read(LONGEST + 1)
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(given, dict) and {*parts} <= given.keys()
    return given if whole and len(raw) <= LONGEST and _kept(given, parts) else None


def _kept(given: dict[str, Any], parts: Collection[str]) -> bool:
    """Say whether the database can keep these words: no half letters and no NUL."""
    try:
        return b"\0" not in "".join(str(given[part]) for part in parts).encode()
    except UnicodeEncodeError:
        return False


def _lines(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {"part": PARTS.get(one.part, one.part), "line": one.line, "message": one.message}
        for one in problems
    ]


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def share(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Save a block of the board under a name, published for every template."""
    get_object_or_404(Template, id=template_id)
    given = _read(request, {"name", "mjml"})
    name = str(given["name"]).strip()[:120] if given else ""
    if given is None or not name:
        return JsonResponse({"detail": "Give it a name."}, status=422)
    printed = [one.key for one in _offered() if f"contact.{one.key}" in given["mjml"]]
    try:
        made = blocks.save_as(name, str(given["mjml"]), declared=printed, now=timezone.now())
    except TemplateInvalid as invalid:
        said = " ".join(one.message for one in invalid.problems[:3])
        return JsonResponse({"detail": f"It cannot stand alone. {said}"}, status=422)
    return JsonResponse({"slug": made.slug, "name": made.name, "kind": made.kind}, status=201)


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def pictures(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Take a picture with the words that stand for it."""
    get_object_or_404(Template, id=template_id)
    upload = request.FILES.get("picture")
    alt = request.POST.get("alt", "").strip()
    if upload is None:
        return JsonResponse({"detail": "Choose a file."}, status=422)
    if not alt and not request.POST.get("adorns"):
        detail = "Say in a few words what it shows, or that it only adorns."
        return JsonResponse({"detail": detail}, status=422)
    if (upload.size or 0) > keeping.LARGEST:
        return JsonResponse({"detail": "It is larger than 10 MB."}, status=413)
    try:
        made = keeping.take(upload.read(), alt=alt, now=timezone.now())
    except PictureRefused as refused:
        return JsonResponse({"detail": str(refused)}, status=422)
    return JsonResponse(_told(made), status=201)


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def test_send(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Send the saved draft to oneself, with an invented person's values."""
    chosen, user = get_object_or_404(Template, id=template_id), staff_of(request)
    try:
        with closing(sender.transport()) as transport:
            tried = trying.send(chosen, user, transport=transport, now=timezone.now())
    except TemplateInvalid as invalid:
        messages.error(request, f"{editor.counted(invalid)}; first mend what the check says.")
    except NotRendered:
        messages.error(request, "A field that it prints has no fallback.")
    else:
        if tried.accepted:
            messages.success(request, f"Sent to {user.email}, with an invented person's values.")
        else:
            messages.error(request, f"The mail server did not take it ({tried.code}).")
    return redirect("template-board", chosen.id)
