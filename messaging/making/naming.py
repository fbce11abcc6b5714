"""Begin a template: its slug is its name's, with a number where that is taken."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, count
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import slugify

from audit import trail
from messaging.models import Template, Translation

LONGEST_SLUG = 70
"""Characters, so that a number has room behind it."""


def free(base: str, rows: QuerySet[Any, Any]) -> str:
    """Return the slug, or the first with a number behind it that none of the rows has."""
    base = base[:LONGEST_SLUG]
    taken = set(rows.filter(slug__startswith=base).values_list("slug", flat=True))
    names = chain([base], (f"{base}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


_COPIED = (
    "channel", "purpose", "topic", "remuneration", "new_formulation", "drug", "language",
    "subject", "mjml", "text", "declared", "audience", "conditions",
)  # fmt: skip
_TRANSLATED = ("language", "subject", "mjml", "text", "main")


@transaction.atomic
def copied(template: Template, *, name: str, now: datetime) -> Template:
    """Begin another template with this one's draft, its languages and conditions; no version."""
    parts = {one: getattr(template, one) for one in _COPIED}
    made = begin(name=name, now=now, **parts)
    Translation.objects.bulk_create(
        Translation(
            template=made, changed_at=now, **{one: getattr(row, one) for one in _TRANSLATED}
        )
        for row in template.translations.all()
    )
    return made


def begin(*, name: str, purpose: str, now: datetime, slug: str = "", **parts: Any) -> Template:
    """Make a template's first draft."""
    base = slug or slugify(name) or "template"
    template = Template.objects.create(
        slug=free(base, Template.objects.all()),
        name=name,
        purpose=purpose,
        created_at=now,
        changed_at=now,
        **parts,
    )
    trail.record("template.created", subject=f"template:{template.id}")
    return template
