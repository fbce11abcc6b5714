"""Two versions beside each other: what was written, what people read, what it says of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web.making import editor, tabs
from messaging import links, sender, versions
from messaging.making import comparing
from messaging.making.comparing import Part
from messaging.models import Template, TemplateVersion
from messaging.render import NotRendered
from messaging.versions import latest_approved

MOST = 100


@require_safe
@requires(Permission.TEMPLATES_VIEW)
def page(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """List the versions and compare two: by themselves the newest with the last approved one."""
    chosen = get_object_or_404(Template, id=template_id)
    rows = chosen.versions.select_related("approval").prefetch_related("reviews", "translations")
    kept = list(rows.order_by("-number")[:MOST])
    new = _numbered(kept, request.GET.get("to", "")) or (kept[0] if kept else None)
    old = _numbered(kept, request.GET.get("from", "")) or _before(chosen, kept, new)
    side = request.GET.get("view") != "inline"
    context = {
        "template": chosen,
        "tabs": tabs.of(chosen, "template-compare"),
        "versions": editor.version_rows(kept, staff_of(request)),
        "old": old,
        "new": new,
        "side_by_side": side,
        "parts": _parts(old, new) if old and new else [],
        "facts": _facts(old, new) if old and new else [],
    }
    return render(request, "messaging/compare.html", context)


def _numbered(kept: list[TemplateVersion], number: str) -> TemplateVersion | None:
    return next((each for each in kept if str(each.number) == number), None)


def _before(
    chosen: Template, kept: list[TemplateVersion], new: TemplateVersion | None
) -> TemplateVersion | None:
    """Return the last approved version before the newer one, or the one just before it."""
    approved = latest_approved(chosen.id)
    if new is None or (approved and approved.number < new.number):
        return approved
    return next((each for each in kept if each.number < new.number), None)


def _parts(old: TemplateVersion, new: TemplateVersion) -> list[Part]:
    found = [
        comparing.part("Words of the mail", words(old), words(new)),
        comparing.part("Subject", old.subject, new.subject),
        comparing.part("Body (MJML)", old.mjml, new.mjml),
        comparing.part("Text part", old.plain, new.plain),
    ]
    before = {one.language: one for one in old.translations.all()}
    after = {one.language: one for one in new.translations.all()}
    for language in sorted({*before, *after}):
        ours, theirs = before.get(language), after.get(language)
        found.append(
            comparing.part(
                f"Words in {language}",
                words(old, language) if ours else "",
                words(new, language) if theirs else "",
            )
        )
    return found


def words(version: TemplateVersion, language: str = "") -> str:
    """Return what people read: the mail as rendered for nobody, without its markup."""
    ours = sender.current()
    try:
        made = versions.parts_of(version, language).render(
            {}, organisation=ours.merged(), addresses=links.Addresses(f"{ours.origin}/m/u/preview")
        )
    except NotRendered:
        return version.plain
    return made.text


def _facts(old: TemplateVersion, new: TemplateVersion) -> list[tuple[str, str, str]]:
    """Return what else differs: purpose, classes, fields, links, blocks."""
    facts = (
        ("Purpose", old.get_purpose_display(), new.get_purpose_display()),
        ("Topic", old.topic, new.topic),
        ("Says of the person", _listed(old.data_classes), _listed(new.data_classes)),
        ("Audience", _listed(old.audience), _listed(new.audience)),
        ("Fields", _listed(old.fields_read), _listed(new.fields_read)),
        ("Blocks", _blocks(old), _blocks(new)),
        ("Links", _links(old), _links(new)),
        ("Conditions", _listed(old.conditions), _listed(new.conditions)),
    )
    return [fact for fact in facts if fact[1] != fact[2]]


def _listed(values: Any) -> str:
    return ", ".join(sorted(values)) or "none"


def _blocks(version: TemplateVersion) -> str:
    return ", ".join(f"{one['slug']} {one['number']}" for one in version.blocks) or "none"


def _links(version: TemplateVersion) -> str:
    return ", ".join(sorted(link.destination for link in version.links.all())) or "none"
