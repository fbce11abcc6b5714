"""A template's draft in code, with what is wrong with it beside it while one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.web.making import tabs, texting
from marketing.web.making.forms import Choosing, Editing
from marketing.web.making.reviewing import may_give
from messaging import trying, versions
from messaging.making import blocks, checks, drafts, flow, reviews
from messaging.making.checks import reading, size
from messaging.making.models import ReviewRule
from messaging.models import PURPOSES, ContentBlock, Template, TemplateVersion
from messaging.sandbox import Problem
from messaging.templates_compile import Compiled, TemplateInvalid
from messaging.texts import length

PARTS = {
    "subject": "Subject",
    "mjml": "Body",
    "text": "Text part",
    "fields": "Fields",
    "conditions": "Conditions",
}


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def template(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Edit the draft in code, with its problems and its versions beside it."""
    chosen = get_object_or_404(Template, id=template_id)
    form = Editing(request.POST or None, instance=chosen)
    if request.method == "POST" and form.is_valid():
        form.instance.changed_at = timezone.now()
        form.save()
        if request.POST.get("act") == "version":
            return _make_version(request, chosen)
        messages.success(request, "Draft saved.")
        return redirect("template", chosen.id)
    page = "messaging/text_template.html" if chosen.is_text else "messaging/template.html"
    return render(request, page, _editor(request, chosen, form))


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def make_version(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Make the saved draft into the version that others review."""
    return _make_version(request, get_object_or_404(Template, id=template_id))


def _make_version(request: HttpRequest, chosen: Template) -> HttpResponse:
    try:
        version = versions.save(chosen, now=timezone.now())
    except TemplateInvalid as error:
        messages.error(request, f"Draft saved. {counted(error)}: no version.")
    else:
        asked = ", ".join(step.label.lower() for step in reviews.standing(version).steps)
        messages.success(request, f"Version {version.number} waits for review: {asked}.")
    return redirect("template", chosen.id)


def counted(invalid: TemplateInvalid) -> str:
    """Say how many problems there are."""
    problems = len(invalid.problems)
    return "It has 1 problem" if problems == 1 else f"It has {problems} problems"


def _editor(request: HttpRequest, chosen: Template, form: Editing) -> dict[str, Any]:
    staff = staff_of(request)
    rows = chosen.versions.select_related("approval").prefetch_related("reviews")
    kept = list(rows.order_by("-number")[:20])
    return (
        {
            "template": chosen,
            "tabs": tabs.of(chosen, "template"),
            "form": form,
            "choosing": Choosing(),
            "may_edit": staff.may(Permission.TEMPLATES_EDIT),
            "versions": version_rows(kept, staff),
            "shared": [] if chosen.is_text else _shared(),
            "becomes": dict(PURPOSES).get(drafts.becomes(chosen), ""),
        }
        | checked(chosen)
        | (texting.trial(chosen) if chosen.is_text else {})
    )


def _shared() -> list[dict[str, Any]]:
    """Return the blocks that a body may include, and how."""
    rows = ContentBlock.objects.filter(slug__in=blocks.published(), archived_at=None)
    return [{"piece": one, "include": blocks.include(one)} for one in rows]


def version_rows(kept: Sequence[TemplateVersion], staff: User) -> list[dict[str, Any]]:
    """Return versions with who wrote and who approved them, and what the reader may do."""
    people = names(kept)
    rules = list(ReviewRule.objects.all())
    found = []
    for at, each in enumerate(kept):
        where = reviews.standing(each, rules)
        approver = getattr(getattr(each, "approval", None), "approver_id", "")
        found.append(
            {
                "version": each,
                "author": people.get(each.author_id, each.author_id),
                "approver": people.get(approver, "the system") if approver else "",
                "standing": where,
                "may_approve": at == 0 and may_give(staff, where),
                "before": kept[at + 1] if at + 1 < len(kept) else None,
            }
        )
    return found


def names(kept: Iterable[TemplateVersion]) -> dict[str, str]:
    """Return who wrote, reviewed and approved these versions, by their ids."""
    ids = {each.author_id for each in kept}
    ids |= {each.approval.approver_id for each in kept if hasattr(each, "approval")}
    ids |= {word.reviewer_id for each in kept for word in each.reviews.all()}
    known = User.objects.filter(pk__in=[each for each in ids if len(each) == 36])
    return {str(pk): name for pk, name in known.values_list("pk", "name")} | {
        each: f"the system ({each})" for each in ids if len(each) != 36
    }


def checked(draft: Template) -> dict[str, Any]:
    """Return the draft's problems, or what it would say of a person and what to mind."""
    try:
        compiled = drafts.compiled(draft)
    except TemplateInvalid as error:
        return {
            "problems": shown(error.problems),
            "warnings": [],
            "compiled": None,
            "forbidden": flow.forbidden(error.uses),
        }
    return {
        "problems": [],
        "warnings": _grouped(compiled.warnings),
        "compiled": compiled,
        "says": sorted(compiled.data_classes | set(draft.audience)),
        "read": _read(draft, compiled),
        "size": size.bytes_sent(compiled.html) // 1024,
        "texts": texts_of(draft, compiled) if draft.is_text else [],
        "steps": reviews.required(draft.purpose, compiled.data_classes | set(draft.audience)),
    }


def texts_of(draft: Template, compiled: Compiled) -> list[dict[str, Any]]:
    """Return each language of a text as the invented person would get it, with its length."""
    own = [(draft.language, compiled.text)]
    others = [(one.language, one.text) for one in compiled.translations]
    found = []
    for language, text in own + others:
        said = trying.shown(replace(compiled, text=text), language=language).text.strip()
        found.append({"language": language, "said": said, "length": length.of(said)})
    return found


def _read(draft: Template, compiled: Compiled) -> list[tuple[str, reading.Reading]]:
    """Return how hard each language is to read."""
    own = [(draft.language, compiled.text)]
    others = [(one.language, one.text) for one in compiled.translations]
    return [(language, reading.of(text, language)) for language, text in own + others]


def _grouped(warnings: Iterable[Problem]) -> list[tuple[str, list[dict[str, Any]]]]:
    kinds: dict[str, list[Problem]] = {}
    for each in warnings:
        kinds.setdefault(each.code, []).append(each)
    return [(title, shown(kinds[code])) for code, title in checks.KINDS.items() if code in kinds]


def shown(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "part": f"{PARTS[each.part]} ({each.language})" if each.language else PARTS[each.part],
            "line": each.line,
            "message": each.message,
        }
        for each in problems
    ]


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def problems(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Say what is wrong with what stands in the editor now; nothing is saved."""
    return render(request, "messaging/_problems.html", checked(_as_typed(request, template_id)))


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def text_part(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Write the text part from the body that stands in the editor; nothing is saved."""
    draft = _as_typed(request, template_id)
    form = Editing(instance=draft, initial={"text": drafts.text_of(draft)})
    return render(request, "messaging/_text.html", {"form": form, "template": draft})


def _as_typed(request: HttpRequest, template_id: UUID) -> Template:
    chosen = get_object_or_404(Template, id=template_id)
    form = Editing(request.POST, instance=chosen)
    form.is_valid()  # fills the instance, also where a name is missing
    filled: Template = form.instance
    return filled
