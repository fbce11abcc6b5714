"""The views of the consent desk, as its tabs."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

VIEWS = {
    "consent": "Today",
    "agreements": "Who agreed",
    "coverage": "Coverage",
    "withdrawals": "Withdrawals",
    "refusals": "Refusals",
    "notices": "Privacy notice",
    "consent-samples": "Samples",
    "consent-imported": "From elsewhere",
    "consent-retention": "Six years",
}


def tabs(here: str) -> list[dict[str, Any]]:
    return [
        {"address": reverse(route), "label": label, "here": route == here, "count": None}
        for route, label in VIEWS.items()
    ]
