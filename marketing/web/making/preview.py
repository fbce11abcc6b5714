"""A version as people would see it: with nobody's values, or as a chosen contact."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.models import Contact
from contacts.reveal import RevealRefused
from contacts.segments.reading import DefinitionInvalid
from marketing.web.making import choosing, editor, reviewing
from marketing.web.making.choosing import NobodyChosen
from marketing.web.making.forms import Choosing
from messaging.making import reviews, seen
from messaging.making.seen import Seen
from messaging.models import TemplateVersion
from messaging.portal.frame import dark, framed, without_pictures
from messaging.render import NotRendered, Rendered
from messaging.texts import length

LOOKS = {"dark": dark, "plain": without_pictures}
LOOK_WORDS = {"dark": "On a dark screen", "plain": "Before pictures load"}
REFUSED = (NotRendered, RevealRefused, DefinitionInvalid)


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW)
def preview(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    """Show a version with nobody's values, or as a chosen contact would get it."""
    version = found(template_id, number)
    if request.method == "POST":
        return _choose(request, version)
    contact, language = _contact(request), request.GET.get("language", "")
    look = request.GET.get("look", "")
    error = ""
    try:
        shown = as_seen(version, contact, staff_of(request), language=language)
    except REFUSED as refused:
        shown, error = None, why_not(refused)
    said = shown.said if shown else None
    body = reverse("template-body", args=[template_id, number])
    asked = {
        "contact": str(contact.public_id) if contact else "",
        "language": language,
        "look": look if look in LOOKS else "",
    }
    asked = {key: value for key, value in asked.items() if value}
    where = reviews.standing(version)
    context = {
        "version": version,
        "said": said,
        "error": error,
        "supposed": shown.supposed if shown else (),
        "length": measured(said) if said and version.is_text else "",
        "contact": contact,
        "choosing": Choosing(),
        "languages": [version.language, *(one.language for one in version.translations.all())],
        "language": language or version.language,
        "looks": [
            (words, urlencode(asked | {"look": name}), name == asked.get("look", ""))
            for name, words in (("", "As it is"), *LOOK_WORDS.items())
        ],
        "segments": choosing.segments(staff_of(request)),
        "may_choose": staff_of(request).may(Permission.CONTACTS_SEARCH),
        "standing": where,
        "words": reviewing.words(where, editor.names([version])),
        "may_approve": reviewing.may_give(staff_of(request), where),
        "body": f"{body}?{urlencode(asked)}" if asked else body,
    }
    return render(request, "messaging/preview.html", context)


@require_safe
@requires(Permission.TEMPLATES_VIEW)
def preview_body(request: HttpRequest, template_id: UUID, number: int) -> HttpResponse:
    version, language = found(template_id, number), request.GET.get("language", "")
    looked = LOOKS.get(request.GET.get("look", ""), str)
    try:
        shown = as_seen(version, _contact(request), staff_of(request), language=language)
        return framed(looked(shown.said.html))
    except REFUSED:
        return framed("<head></head>")


def measured(said: Rendered) -> str:
    """Return how long a text message is, in characters and parts."""
    found = length.of(said.text.strip())
    parts = "part" if found.segments == 1 else "parts"
    return f"{found.characters} characters, {found.segments} {parts}"


def found(template_id: UUID, number: int) -> TemplateVersion:
    rows = TemplateVersion.objects.select_related("template", "approval")
    rows = rows.prefetch_related("translations", "links", "reviews")
    return get_object_or_404(rows, template_id=template_id, number=number)


def _choose(request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """Find the contact by what was sent in a body: numbers stay out of URLs."""
    here = reverse("template-preview", args=[version.template_id, version.number])
    try:
        person = choosing.person(request.POST, staff_of(request))
    except NobodyChosen as nobody:
        messages.error(request, str(nobody))
        return redirect(here)
    return redirect(f"{here}?contact={person.public_id}" if person else here)


def _contact(request: HttpRequest) -> Contact | None:
    chosen = request.GET.get("contact", "")
    if not chosen:
        return None
    try:
        public_id = UUID(chosen)
    except ValueError:
        return None
    return get_object_or_404(Contact, public_id=public_id, erased_at=None)


def as_seen(
    version: TemplateVersion, contact: Contact | None, user: User, *, language: str = ""
) -> Seen:
    """Render a version; looking at a person's values is in the trail, as every reveal is.

    Raises `NotRendered`, `RevealRefused` or `DefinitionInvalid`.
    """
    piece = seen.of_version(version)
    if contact is None:
        return seen.by_nobody(piece, language=language)
    classes = user.data_classes
    return seen.by(piece, contact, classes=classes, now=timezone.now(), language=language)


def why_not(refused: Exception) -> str:
    if isinstance(refused, NotRendered):
        return (
            "A field that it prints has no value here. Give the field a default, or choose a "
            "contact whose record has it."
        )
    if isinstance(refused, DefinitionInvalid):
        return "One of its conditions refers to something that is gone: it is sent to nobody."
    return f"It cannot be shown: {refused}."
