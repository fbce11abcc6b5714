"""The living page of the design system, in the sample and in tests."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard


class Example(forms.Form):
    name = forms.CharField(help_text="What colleagues will look for.")
    kind = forms.ChoiceField(choices=[("once", "Once"), ("daily", "Every day")])
    channels = forms.MultipleChoiceField(
        choices=[("email", "E-mail"), ("portal", "Portal")], widget=forms.CheckboxSelectMultiple
    )


@guard.signed_in
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    wrong = Example({"name": "", "kind": "once", "channels": ["email"]}, auto_id="wrong_%s")
    tabs = [
        {"label": "Inside", "address": "#tabs", "here": True, "count": 214},
        {"label": "Left", "address": "#tabs", "here": False, "count": 31},
        {"label": "History", "address": "#tabs", "here": False},
    ]
    context = {
        "form": Example(),
        "wrong": wrong,
        "tabs": tabs,
        "now": timezone.now(),
        "kinds": ["plain", "ok", "warn", "bad", "info", "accent"],
        "colours": COLOURS,
    }
    return render(request, "styleguide/styleguide.html", context)


COLOURS = (
    "ground", "surface", "sunken", "line", "ink", "ink-2", "accent", "accent-soft",
    "ok", "ok-soft", "warn", "warn-soft", "bad", "bad-soft", "info", "info-soft",
)  # fmt: skip
