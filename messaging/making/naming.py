"""Begin a template: its slug is its name's, with a number where that is taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.text import slugify

from audit import trail
from messaging.models import Template


def begin(*, name: str, purpose: str, now: datetime, **parts: Any) -> Template:
    """Make a template's first draft."""
    base = slugify(name)[:70] or "template"
    taken = set(Template.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    free = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
    template = Template.objects.create(
        slug=next(each for each in free if each not in taken),
        name=name,
        purpose=purpose,
        created_at=now,
        changed_at=now,
        **parts,
    )
    trail.record("template.created", subject=f"template:{template.id}")
    return template
