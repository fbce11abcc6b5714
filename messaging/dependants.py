"""Which templates lean on a contact field, for whoever is about to take it away."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max, Q

from contacts.dependants import Dependant
from messaging.models import Template, TemplateVersion


def of_field(key: str) -> list[Dependant]:
    """Return the templates whose draft declares the field, or whose newest or newest approved
    version reads it; older versions are not sent any more, save by workflows, which say so.
    """
    versions = TemplateVersion.objects.values("template_id").annotate(
        newest=Max("number"), approved=Max("number", filter=Q(approval__isnull=False))
    )
    current = {(row["template_id"], row["newest"]) for row in versions}
    current |= {(row["template_id"], row["approved"]) for row in versions}
    reading = TemplateVersion.objects.filter(fields_read__contains=[key])
    ids = {
        template_id
        for template_id, number in reading.values_list("template_id", "number")
        if (template_id, number) in current
    }
    found = Template.objects.filter(archived_at=None).order_by("name")
    return [
        Dependant("template", row.id, row.name)
        for row in found.filter(Q(declared__contains=[key]) | Q(id__in=ids))
    ]


def of_code_group(group_id: UUID) -> list[Dependant]:
    """Templates ask about no codes."""
    return []
