"""The draft as it stands in the code editor, saved or not, as somebody would get it.

It is posted from the editor's form, and the page carries it along so that one can choose another
person: nothing of it is kept, and no value of a person stands in an address.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.models import Contact
from marketing.web.making import choosing, editor, preview
from marketing.web.making.board import BOARD_POLICY
from marketing.web.making.choosing import NobodyChosen
from marketing.web.making.forms import Choosing, Editing
from marketing.web.making.languages import Translating, told
from messaging import trying
from messaging.making import drafts, seen
from messaging.making import languages as translating
from messaging.making.seen import Seen
from messaging.models import Template, Translation
from messaging.templates_compile import Compiled, TemplateInvalid


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def page(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show what stands in the editor as the invented person, or a chosen one, would get it."""
    draft, form = _as_typed(request, template_id)
    form.auto_id = False  # the page carries it twice
    user = staff_of(request)
    context: dict[str, Any] = {
        "template": draft,
        "draft": form,
        "language": draft.language,
        "named": told(draft.language),
        "choosing": Choosing(),
        "may_choose": user.may(Permission.CONTACTS_SEARCH),
        "segments": choosing.segments(user),
    }
    try:
        compiled = drafts.compiled(draft, with_translations=isinstance(form, Editing))
        context |= _looked_at(draft, compiled, choosing.person(request.POST, user), user)
    except NobodyChosen as nobody:
        context["error"] = str(nobody)
    except TemplateInvalid as invalid:
        context["error"] = f"{editor.counted(invalid)}; first mend what the check says."
    except preview.REFUSED as refused:
        context["error"] = preview.why_not(refused)
    response = render(request, "messaging/draft_preview.html", context)
    response["Content-Security-Policy"] = BOARD_POLICY
    return response


def _as_typed(request: HttpRequest, template_id: UUID) -> tuple[Template, Editing | Translating]:
    chosen = get_object_or_404(Template, id=template_id)
    language = request.GET.get("language", "")
    if language in ("", chosen.language):
        own = Editing(request.POST, instance=chosen)
        own.is_valid()  # fills the instance, also where a name is missing
        return own.instance, own
    row = get_object_or_404(Translation, template=chosen, language=language)
    form = Translating(request.POST, instance=row)
    form.is_valid()
    return translating.alone(chosen, form.instance), form


def _looked_at(
    draft: Template, compiled: Compiled, contact: Contact | None, user: User
) -> dict[str, Any]:
    shown = _seen(draft, compiled, contact, user)
    html = shown.said.html
    return {
        "contact": contact,
        "said": shown.said,
        "language": shown.language,
        "named": told(shown.language),
        "supposed": shown.supposed,
        "length": preview.measured(shown.said) if draft.is_text else "",
        "looks": [("As it is", html), *((w, preview.LOOKS[n](html)) for n, w in LOOKS)],
    }


LOOKS = tuple(preview.LOOK_WORDS.items())


def _seen(draft: Template, compiled: Compiled, contact: Contact | None, user: User) -> Seen:
    if contact is None:
        return Seen(trying.shown(compiled, language=draft.language), draft.language)
    piece = seen.of_draft(draft, compiled)
    return seen.by(piece, contact, classes=user.data_classes, now=timezone.now())
