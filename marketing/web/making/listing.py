"""The templates that there are, and a new one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from marketing.web.making.forms import Naming
from marketing.web.making.starter import STARTER
from messaging.models import Template, TemplateVersion


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def templates(request: HttpRequest) -> HttpResponse:
    """List the templates; begin a new one."""
    form = Naming(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("template", _begin(**form.cleaned_data).id)
    newest = Prefetch(
        "versions", TemplateVersion.objects.select_related("approval").order_by("-number")
    )
    rows = Template.objects.filter(archived_at=None).prefetch_related(newest).order_by("name")
    context = {
        "rows": [_row(each) for each in rows],
        "form": form,
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/templates.html", context)


def _begin(*, name: str, purpose: str) -> Template:
    now = timezone.now()
    base = slugify(name)[:70] or "template"
    taken = set(Template.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slug = next(each for each in _slugs(base) if each not in taken)
    template = Template.objects.create(
        slug=slug,
        name=name,
        purpose=purpose,
        subject="News from {{ organisation.name }}",
        mjml=STARTER,
        declared=["given_name"],
        created_at=now,
        changed_at=now,
    )
    trail.record("template.created", subject=f"template:{template.id}")
    return template


def _slugs(base: str) -> Iterable[str]:
    yield base
    yield from (f"{base}-{number}" for number in range(2, 1000))


def _row(template: Template) -> dict[str, Any]:
    kept = list(template.versions.all())
    approved = next((each for each in kept if hasattr(each, "approval")), None)
    return {
        "template": template,
        "latest": kept[0] if kept else None,
        "approved": approved,
        "waits": bool(kept) and approved != kept[0],
    }
