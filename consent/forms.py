"""The wordings that people sign. A version never changes; new words are a new version (PR-15)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from consent.models import FormVersion


def add_version(
    name: str, *, language: str, text: str, states_remuneration: bool = False, now: datetime
) -> FormVersion:
    """Add the next version of a form; the same words as the latest version add nothing."""
    sha256 = hashlib.sha256(text.encode()).digest()
    with transaction.atomic():
        versions = FormVersion.objects.filter(name=name, language=language)
        latest = versions.order_by("-number").first()
        if latest and bytes(latest.sha256) == sha256:
            return latest
        return FormVersion.objects.create(
            name=name,
            language=language,
            number=latest.number + 1 if latest else 1,
            text=text,
            sha256=sha256,
            states_remuneration=states_remuneration,
            created_at=now,
        )


def add_composed(
    name: str,
    *,
    language: str,
    number: int,
    text: str,
    elements: Mapping[str, Any],
    states_remuneration: bool,
    now: datetime,
) -> FormVersion:
    """Add a version that a form was published as, with the elements it was composed of."""
    return FormVersion.objects.create(
        name=name,
        language=language,
        number=number,
        text=text,
        sha256=hashlib.sha256(text.encode()).digest(),
        elements=dict(elements),
        states_remuneration=states_remuneration,
        created_at=now,
    )
