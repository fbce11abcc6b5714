"""Which templates lean on a field or a code group, for whoever is about to take it away.

A template leans by its draft, and by its newest and its newest approved version; older versions are
not sent any more, save by workflows, which say so.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Max, Q

from contacts.dependants import Dependant, names
from messaging.models import Template, TemplateVersion


def of_field(key: str) -> list[Dependant]:
    """Return the templates that declare the field, read it, or ask about it in a condition."""
    current = _current()
    reading = TemplateVersion.objects.filter(pk__in=current, fields_read__contains=[key])
    ids = set(reading.values_list("template_id", flat=True))
    asking = _asking("field", key, current)
    return _templates(Q(declared__contains=[key]) | Q(id__in=ids | asking))


def of_code_group(group_id: UUID) -> list[Dependant]:
    """Return the templates that ask about the codes of the group in a condition."""
    return _templates(Q(id__in=_asking("group", str(group_id), _current())))


def versions_asking(name: str, value: str, among: Collection[UUID | str]) -> set[UUID]:
    """Return those of these versions that name this in a condition, as `contacts.dependants.names`
    looks for it. Conditions are sealed: each is opened.
    """
    rows = TemplateVersion.objects.filter(pk__in=among).only("id", "conditions")
    return {row.pk for row in rows if names(row.conditions, name, value)}


def _current() -> set[UUID]:
    versions = TemplateVersion.objects.values("template_id").annotate(
        newest=Max("number"), approved=Max("number", filter=Q(approval__isnull=False))
    )
    sent = {(row["template_id"], row["newest"]) for row in versions}
    sent |= {(row["template_id"], row["approved"]) for row in versions}
    every = TemplateVersion.objects.values_list("pk", "template_id", "number")
    return {pk for pk, template_id, number in every if (template_id, number) in sent}


def _asking(name: str, value: str, current: Collection[UUID]) -> set[UUID]:
    drafts = Template.objects.filter(archived_at=None).only("id", "conditions")
    found = {row.pk for row in drafts if names(row.conditions, name, value)}
    asking = TemplateVersion.objects.filter(pk__in=versions_asking(name, value, current))
    return found | set(asking.values_list("template_id", flat=True))


def _templates(which: Q) -> list[Dependant]:
    found = Template.objects.filter(which, archived_at=None).order_by("name")
    return [Dependant("template", row.id, row.name) for row in found]
