"""Try the draft of a text message on a phone, with an invented person's values."""

from __future__ import annotations

from contextlib import closing
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.guard import requires
from accounts.roles import Permission
from contacts.canonical import phone_form
from messaging import reasons, sender, trying
from messaging.making import drafts
from messaging.models import Template
from messaging.pools import facts, lanes
from messaging.pools.facts import PoolFacts
from messaging.render import NotRendered
from messaging.templates_compile import TemplateInvalid


class TryingOn(forms.Form):
    number = forms.CharField(
        label="Number of the phone",
        max_length=32,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def clean_number(self) -> str:
        number = phone_form(self.cleaned_data["number"])
        if not (number.startswith("+") and 8 <= len(number) <= 16):
            raise forms.ValidationError("Give it with its country, such as +1 617 555 0101.")
        return number


def trial(chosen: Template) -> dict[str, Any]:
    """Return what the page shows of the trial."""
    pool = _pool(chosen)
    return {"trying": TryingOn(), "gateway": sender.has_carrier(pool), "pool": pool.kind}


def _pool(chosen: Template) -> PoolFacts:
    return facts.of(lanes.pool_of(drafts.becomes(chosen), lanes.SMS))


@require_POST
@requires(Permission.TEMPLATES_EDIT)
def send(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Send the saved draft to a phone."""
    chosen = get_object_or_404(Template, id=template_id, channel=lanes.SMS)
    form, pool = TryingOn(request.POST), _pool(chosen)
    if not form.is_valid():
        messages.error(request, f"Nothing was sent. {form.errors['number'][0]}")
        return redirect("template", chosen.id)
    carrier = sender.carrier(pool)
    if carrier is None:
        messages.error(request, "No gateway for text messages is set up.")
        return redirect("template", chosen.id)
    number = form.cleaned_data["number"]
    try:
        with closing(carrier):
            tried = trying.send_text(chosen, number, transport=carrier, number=sender.number(pool))
    except TemplateInvalid as invalid:
        messages.error(request, f"It has {len(invalid.problems)} problems; mend those first.")
    except NotRendered:
        messages.error(request, "A field that it prints has no fallback.")
    else:
        _tell(request, tried)
    return redirect("template", chosen.id)


def _tell(request: HttpRequest, tried: trying.Tried) -> None:
    if tried.accepted:
        messages.success(request, "Sent, with an invented person's values.")
        return
    reason = reasons.explain(tried.code)
    why = reason.sentence if reason else "no answer came"
    messages.error(request, f"The gateway did not take it: {why}")
