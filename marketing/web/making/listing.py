"""The templates that there are, and a new one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web.making.forms import Beginning, Naming, TakingOver
from marketing.web.making.starter import STARTER, TEXT_STARTER
from messaging.making import naming
from messaging.making.hosts import own_hosts
from messaging.making.imported import NotTakenOver, imported
from messaging.models import Template, TemplateVersion
from messaging.pools import lanes

MOST_NAMED = 5


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def templates(request: HttpRequest) -> HttpResponse:
    """List the templates; begin a new one."""
    taking = request.POST.get("act") == "take"
    form = Beginning(None if taking else request.POST or None)
    over = TakingOver(request.POST if taking else None, auto_id="over_%s")
    if taking and over.is_valid():
        try:
            return _take_over(request, **over.cleaned_data)
        except NotTakenOver as refused:
            over.add_error("html", str(refused))
    if request.method == "POST" and not taking and form.is_valid():
        made = naming.begin(**form.cleaned_data, **_begun(form), now=timezone.now())
        return redirect("template", made.id)
    newest = Prefetch(
        "versions", TemplateVersion.objects.select_related("approval").order_by("-number")
    )
    rows = Template.objects.filter(archived_at=None).prefetch_related(newest).order_by("name")
    context = {
        "rows": [_row(each) for each in rows],
        "form": form,
        "over": over,
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/templates.html", context)


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def copy(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Begin another template like this one."""
    chosen = get_object_or_404(Template, id=template_id)
    made = naming.copied(chosen, name=f"Copy of {chosen.name}"[:120], now=timezone.now())
    messages.success(request, "This is the copy: give it a name of its own.")
    return redirect("template", made.id)


def _begun(form: Naming) -> dict[str, Any]:
    """Return what a new draft begins with: something that compiles."""
    if form.cleaned_data["channel"] == lanes.SMS:
        return {"text": TEXT_STARTER}
    return {
        "subject": "News from {{ organisation.name }}",
        "mjml": STARTER,
        "declared": ["given_name"],
    }


def _take_over(request: HttpRequest, *, name: str, purpose: str, html: str) -> HttpResponse:
    """Begin a template from an HTML mail, and say what was left out of it."""
    taken = imported(html, own_hosts=own_hosts())
    made = naming.begin(
        name=name,
        purpose=purpose,
        subject="News from {{ organisation.name }}",
        mjml=taken.mjml,
        now=timezone.now(),
    )
    left = len(taken.left_out)
    if left:
        named = "; ".join(taken.left_out[:MOST_NAMED])
        messages.warning(request, f"Taken over. {left} things were left out: {named}.")
    else:
        messages.success(request, "Taken over whole.")
    return redirect("template", made.id)


def _row(template: Template) -> dict[str, Any]:
    kept = list(template.versions.all())
    approved = next((each for each in kept if hasattr(each, "approval")), None)
    return {
        "template": template,
        "latest": kept[0] if kept else None,
        "approved": approved,
        "waits": bool(kept) and approved != kept[0],
    }
