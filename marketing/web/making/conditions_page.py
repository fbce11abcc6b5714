"""A template's own conditions: what `{% if when.… %}` asks, in the segment language."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.segments.models import Segment
from contacts.segments.reading import DefinitionInvalid
from marketing.web import segment_sight
from marketing.web.making import tabs
from messaging.making import conditions
from messaging.models import Template


class Asking(forms.Form):
    """One condition: a saved segment, or a definition in the segment language."""

    label = forms.CharField(max_length=80, label="What it means", help_text="Such as “Over 65”.")
    name = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,39}$",
        label="Its name in the template",
        help_text="Small letters, digits and _: {% if when.over_65 %}",
    )
    segment = forms.ChoiceField(label="People in this segment", required=False)
    definition = forms.CharField(
        label="Or a definition of its own",
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text='JSON: {"field": "birth_date", "op": "before", "value": "1961-01-01"}',
    )

    def __init__(self, *args: Any, staff: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Segment.objects.filter(archived_at=None, status=Segment.Status.VALID)[:200]
        titles = [(str(row.id), segment_sight.of(row, staff).title) for row in rows]
        self.fields["segment"].choices = [("", "None"), *titles]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("segment")) == bool(given.get("definition")):
            raise forms.ValidationError("Choose a segment or write a definition: one of the two.")
        given["tree"] = {"segment": given["segment"]}
        if given.get("definition"):
            try:
                given["tree"] = json.loads(given["definition"])
            except (ValueError, RecursionError):
                self.add_error("definition", "This is not JSON.")
                return given
        try:
            conditions.usable(given["tree"])
        except DefinitionInvalid as invalid:
            for one in invalid.problems:
                self.add_error(None, f"{one.path} {one.message}.")
        return given


@require_http_methods(["GET", "POST"])
@requires(Permission.TEMPLATES_VIEW, changing=Permission.TEMPLATES_EDIT)
def page(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """List the conditions with what they read; add one."""
    chosen, staff = get_object_or_404(Template, id=template_id), staff_of(request)
    form = Asking(request.POST or None, staff=staff)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if len(chosen.conditions) < conditions.MOST or given["name"] in chosen.conditions:
            said = {"label": given["label"], "definition": given["tree"]}
            chosen.conditions = {**chosen.conditions, given["name"]: said}
            chosen.changed_at = timezone.now()
            chosen.save(update_fields=["conditions", "changed_at"])
            messages.success(
                request, "Kept. Write {% if when." + given["name"] + " %} … {% endif %}."
            )
            return redirect("template-conditions", chosen.id)
        form.add_error(None, f"A template has at most {conditions.MOST} conditions.")
    known, problems = conditions.read(chosen.conditions)
    context = {
        "template": chosen,
        "tabs": tabs.of(chosen, "template-conditions"),
        "rows": [
            {
                "name": name,
                "label": said["label"],
                "asked": known.get(name),
                "used": f"when.{name}" in chosen.mjml + chosen.text,
            }
            for name, said in chosen.conditions.items()
        ],
        "problems": [one.message for one in problems],
        "form": form,
        "may_edit": staff.may(Permission.TEMPLATES_EDIT),
    }
    return render(request, "messaging/conditions.html", context)


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def remove(request: HttpRequest, template_id: UUID, name: str) -> HttpResponse:
    """Take a condition out of the draft; versions keep theirs."""
    chosen = get_object_or_404(Template, id=template_id)
    left = {key: said for key, said in chosen.conditions.items() if key != name}
    chosen.conditions, chosen.changed_at = left, timezone.now()
    chosen.save(update_fields=["conditions", "changed_at"])
    messages.success(request, "Taken out of the draft.")
    return redirect("template-conditions", chosen.id)
