"""The pages of one template."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from messaging.models import Template

PAGES = (
    ("template", "Draft"),
    ("template-flow", "PHI flow"),
    ("template-languages", "Languages"),
    ("template-conditions", "Conditions"),
    ("template-compare", "Versions"),
)


def of(template: Template, here: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "address": reverse(route, args=[template.id]), "here": route == here,
         "count": None}
        for route, label in PAGES
    ]  # fmt: skip
