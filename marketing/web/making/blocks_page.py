"""Blocks and layouts that templates share: written, published, and who leans on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from marketing.web import naming
from marketing.web.making.editor import counted, shown
from messaging.making import blocks
from messaging.models import ContentBlock
from messaging.templates_compile import TemplateInvalid

Kind = ContentBlock.Kind
BEGINNINGS = {
    Kind.LAYOUT: """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="17px" line-height="1.6" color="#1f2a37" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f1">
    <mj-slot />
  </mj-body>
</mjml>""",
    Kind.HEADER: """<mj-section>
  <mj-column>
    <mj-text font-size="16px" font-weight="600">{{ organisation.name }}</mj-text>
  </mj-column>
</mj-section>""",
    Kind.FOOTER: """<mj-section>
  <mj-column>
    <mj-text font-size="14px">{{ organisation.name }}, {{ organisation.postal_address }}<br />
      <a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>
  </mj-column>
</mj-section>""",
    Kind.PERSONAL: """<mj-text font-size="17px">
  Dear {{ contact.given_name | name | default("neighbor") }},
</mj-text>""",
    Kind.PIECE: """<mj-text font-size="17px">Write here.</mj-text>""",
}


class Naming(forms.Form):
    name = forms.CharField(max_length=120, label="Name")
    kind = forms.ChoiceField(choices=Kind.choices, label="Kind")


class Writing(forms.ModelForm):  # type: ignore[type-arg]
    declared = forms.MultipleChoiceField(
        required=False,
        label="Fields that it reads",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ContentBlock
        fields = ("name", "mjml", "declared")
        labels = {"mjml": "Block (MJML)"}
        widgets = {"mjml": forms.Textarea(attrs={"spellcheck": "false", "rows": 18})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = naming.choices_for(self.instance.declared or ())
        self.fields["declared"].choices = offered  # type: ignore[attr-defined]
        self.fields["mjml"].strip = False  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def listing(request: HttpRequest) -> HttpResponse:
    """List the blocks; begin a new one."""
    form = Naming(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("block", _begin(**form.cleaned_data).pk)
    published = blocks.published()
    rows = ContentBlock.objects.filter(archived_at=None)
    context = {
        "rows": [{"piece": row, "published": published.get(row.slug)} for row in rows],
        "form": form,
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/blocks.html", context)


def _begin(*, name: str, kind: str) -> ContentBlock:
    declared = ["given_name"] if kind == Kind.PERSONAL else []
    mjml = BEGINNINGS[Kind(kind)]
    return blocks.begin(name=name, kind=kind, mjml=mjml, declared=declared, now=timezone.now())


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def one(request: HttpRequest, block_id: UUID) -> HttpResponse:
    """Write a block; publishing it makes a version that new versions of templates take."""
    block = get_object_or_404(ContentBlock, pk=block_id)
    form = Writing(request.POST or None, instance=block)
    if request.method == "POST" and form.is_valid():
        form.instance.changed_at = timezone.now()
        form.save()
        if request.POST.get("act") == "publish":
            return _publish(request, block)
        messages.success(request, "Draft saved.")
        return redirect("block", block.pk)
    context = {
        "piece": block,
        "form": form,
        "problems": _problems(block),
        "versions": block.versions.all()[:20],
        "leaning": blocks.dependants(block),
        "may_edit": staff_of(request).may(Permission.TEMPLATES_EDIT),
        "include": blocks.include(block),
    }
    return render(request, "messaging/block.html", context)


def _problems(block: ContentBlock) -> list[dict[str, Any]]:
    try:
        blocks.check(block)
    except TemplateInvalid as invalid:
        return shown(invalid.problems)
    return []


def _publish(request: HttpRequest, block: ContentBlock) -> HttpResponse:
    try:
        version = blocks.publish(block, now=timezone.now())
    except TemplateInvalid as invalid:
        messages.error(request, f"Draft saved. {counted(invalid)}.")
    else:
        leaning = len(blocks.dependants(block))
        messages.success(
            request,
            f"Version {version.number} is published. Versions of templates stay as they are; "
            f"{leaning} templates take it with their next version.",
        )
    return redirect("block", block.pk)


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def archive(request: HttpRequest, block_id: UUID) -> HttpResponse:
    """Put a block out of use, unless a draft includes it."""
    block = get_object_or_404(ContentBlock, pk=block_id)
    leaning = [each.template.name for each in blocks.dependants(block) if each.in_draft]
    if leaning:
        messages.error(request, f"Still included by: {', '.join(leaning[:5])}.")
        return redirect("block", block.pk)
    block.archived_at = timezone.now()
    block.save(update_fields=["archived_at"])
    messages.success(request, "Out of use.")
    return redirect("blocks")
