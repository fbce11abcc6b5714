"""Which workflows lean on a field, a code group or an endpoint, for whoever takes it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from contacts.dependants import Dependant, names
from messaging.dependants import versions_asking
from messaging.models import TemplateVersion
from workflows.models import Enrolment, Workflow, WorkflowVersion

NAMING = ("field", "fields", "write", "set", "values", "clear", "add")
"""Keys of a graph under which fields stand."""


def of_field(key: str) -> list[Dependant]:
    """Return the workflows that ask about the field, write it, or send a mail that reads it."""
    reading = TemplateVersion.objects.filter(fields_read__contains=[key])
    mails = {str(one) for one in reading.values_list("id", flat=True)}

    def leans(graph: Any, templates: Any) -> bool:
        sent = (templates or {}).values()
        asked = any(names(graph, name, key) for name in NAMING)
        return asked or not mails.isdisjoint(sent) or bool(versions_asking("field", key, sent))

    return _leaning(leans)


def of_code_group(group_id: UUID) -> list[Dependant]:
    """Return the workflows that ask about the group's codes, on the way or in a mail they send."""

    def leans(graph: Any, templates: Any) -> bool:
        sent = (templates or {}).values()
        return names(graph, "group", str(group_id)) or bool(
            versions_asking("group", str(group_id), sent)
        )

    return _leaning(leans)


def of_endpoint(endpoint_id: UUID) -> list[Dependant]:
    """Return the workflows with a step that calls the endpoint."""
    return _leaning(lambda graph, _: names(graph, "endpoint", str(endpoint_id)))


def _leaning(leans: Callable[[Any, Any], bool]) -> list[Dependant]:
    return [
        Dependant("workflow", row.id, row.name)
        for row in Workflow.objects.order_by("name")
        if any(leans(graph, templates) for graph, templates in _graphs(row))
    ]


def _graphs(row: Workflow) -> Iterator[tuple[Any, Any]]:
    """Yield the draft, and each version that people are in or come into."""
    if row.state != Workflow.State.CLOSED:
        yield row.draft, None
    waiting = Enrolment.objects.filter(version_id=OuterRef("id"), state=Enrolment.State.WAITING)
    within = Q(Exists(waiting)) | Q(id=row.live_id)
    for version in WorkflowVersion.objects.filter(within, workflow=row):
        yield version.graph, version.templates
