"""A version as people would see it: with nobody's values, or as a chosen contact."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts import matching, reveal
from contacts.fields import DataClass
from contacts.models import Contact, first_id
from contacts.segments import membership
from contacts.segments.models import Segment
from contacts.segments.reading import DefinitionInvalid
from marketing.web import segment_sight
from marketing.web.making import editor, reviewing
from marketing.web.making.forms import Choosing
from marketing.web.segment_sight import Sight
from messaging import sender, versions
from messaging.filters import Locale
from messaging.links import Addresses
from messaging.making import conditions, reviews
from messaging.models import TemplateVersion
from messaging.portal.frame import dark, framed, without_pictures
from messaging.render import NotRendered, Rendered, values_for
from messaging.texts import length

LOOKS = {"dark": dark, "plain": without_pictures}
LOOK_WORDS = {"dark": "On a dark screen", "plain": "Before pictures load"}


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
        said = rendered(version, contact, language=language)
    except (NotRendered, reveal.RevealRefused, DefinitionInvalid) as refused:
        said, error = None, why_not(refused)
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
        "length": _length(said) if said and version.is_text else "",
        "contact": contact,
        "choosing": Choosing(),
        "languages": [version.language, *(one.language for one in version.translations.all())],
        "language": language or version.language,
        "looks": [
            (words, urlencode(asked | {"look": name}), name == asked.get("look", ""))
            for name, words in (("", "As it is"), *LOOK_WORDS.items())
        ],
        "segments": _segments(staff_of(request)),
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
    as_seen = LOOKS.get(request.GET.get("look", ""), str)
    try:
        return framed(as_seen(rendered(version, _contact(request), language=language).html))
    except (NotRendered, reveal.RevealRefused, DefinitionInvalid):
        return framed("<head></head>")


def _length(said: Rendered) -> str:
    measured = length.of(said.text.strip())
    parts = "part" if measured.segments == 1 else "parts"
    return f"{measured.characters} characters, {measured.segments} {parts}"


def found(template_id: UUID, number: int) -> TemplateVersion:
    rows = TemplateVersion.objects.select_related("template", "approval")
    rows = rows.prefetch_related("translations", "links", "reviews")
    return get_object_or_404(rows, template_id=template_id, number=number)


def _choose(request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """Find the contact by exact record number, sent in a body: numbers stay out of URLs."""
    if request.POST.get("segment"):
        return _draw(request, version)
    form = Choosing(request.POST)
    here = reverse("template-preview", args=[version.template_id, version.number])
    if not staff_of(request).may(Permission.CONTACTS_SEARCH):
        messages.error(request, "Your role may not look contacts up.")
        return redirect(here)
    people = matching.find("record_number", form.data.get("number", "")) if form.is_valid() else []
    if len(people) != 1:
        messages.error(request, "Nobody, or more than one, has this record number. Give it whole.")
        return redirect(here)
    return redirect(f"{here}?contact={people[0].public_id}")


def _segments(user: User) -> list[tuple[str, str]]:
    """Return the segments of whose members the role may know that they are in."""
    if not user.may(Permission.CONTACTS_VIEW):
        return []
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:100]
    seen = (segment_sight.of(one, user) for one in rows)
    return [(str(one.segment.pk), one.title) for one in seen if _may_know(one, user)]


def _may_know(sight: Sight, user: User) -> bool:
    return sight.open and frozenset(sight.classes) <= user.data_classes


def _draw(request: HttpRequest, version: TemplateVersion) -> HttpResponse:
    """Take somebody of a segment at random."""
    user = staff_of(request)
    here = reverse("template-preview", args=[version.template_id, version.number])
    known = dict(_segments(user))
    if request.POST["segment"] not in known:
        messages.error(request, "Choose a segment whose members your role may know.")
        return redirect(here)
    inside = membership.members(Segment.objects.get(pk=request.POST["segment"]))
    if not len(inside):
        messages.error(request, "Nobody is in this segment.")
        return redirect(here)
    number = first_id(tenancy.current()) + int(inside[secrets.randbelow(len(inside))])
    contact = Contact.objects.filter(pk=number, erased_at=None).first()
    if contact is None:
        messages.error(request, "That person is not there any more. Try again.")
        return redirect(here)
    return redirect(f"{here}?contact={contact.public_id}")


def _contact(request: HttpRequest) -> Contact | None:
    chosen = request.GET.get("contact", "")
    if not chosen:
        return None
    try:
        public_id = UUID(chosen)
    except ValueError:
        return None
    return get_object_or_404(Contact, public_id=public_id, erased_at=None)


def rendered(version: TemplateVersion, contact: Contact | None, *, language: str = "") -> Rendered:
    """Render a version; looking at a person's values is in the trail, as every reveal is.

    For a person it is in the language that they prefer and with the conditions that hold for them,
    unless a language is asked for. Raises `NotRendered`, `RevealRefused` or `DefinitionInvalid`.
    """
    values: dict[str, Any] = {}
    when: dict[str, bool] = {}
    others = {one.language: one for one in version.translations.all()}
    if contact is not None:
        record = _revealed(version, contact, choosing=bool(others) and not language)
        values = values_for(record, version.fields_read)
        language = language or str(record.get("language") or "")
        held = conditions.among(version.conditions, [contact.id], now=timezone.now())
        when = {name: contact.id in people for name, people in held.items()}
    ours = sender.current()
    spoken = versions.speaks(language, version.language, others)
    return versions.parts_of(version, spoken).render(
        values,
        organisation=ours.merged(),
        addresses=Addresses(f"{ours.origin}/m/u/preview"),
        locale=Locale(spoken, ours.timezone),
        when=when,
    )


def _revealed(version: TemplateVersion, contact: Contact, *, choosing: bool) -> dict[str, Any]:
    """Open what the version prints; what its conditions ask is not shown, but is in the trail."""
    printed = version.data_classes if version.opened is None else version.opened
    wanted = {DataClass(name) for name in printed} | (
        {DataClass.DEMOGRAPHIC} if choosing else set()
    )
    record = reveal.reveal([contact.id], wanted, purpose="preview") if wanted else {}
    trail.record(
        "template.previewed",
        subject=f"contact:{contact.id}",
        detail={"version": version.number, "classes": list(version.data_classes)},
    )
    return dict(record.get(contact.id, {}))


def why_not(refused: Exception) -> str:
    if isinstance(refused, NotRendered):
        return (
            "A field that it prints has no value here. Give the field a default, or choose a "
            "contact whose record has it."
        )
    if isinstance(refused, DefinitionInvalid):
        return "One of its conditions refers to something that is gone: it is sent to nobody."
    return f"It cannot be shown: {refused}."
