"""Which workflows lean on a field, a code group or an endpoint, for whoever takes it away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from contacts.dependants import Dependant, names
from messaging.dependants import versions_asking
from messaging.models import TemplateVersion
from workflows.models import Enrolment, Workflow, WorkflowVersion

NAMING = ("field", "fields", "write", "set", "values", "clear", "add")
"""Keys of a graph under which fields stand."""


Versions = Callable[[Collection[str]], set[UUID]]
"""Which of these versions of mails lean on what is asked about."""


def of_field(key: str) -> list[Dependant]:
    """Return the workflows that ask about the field, write it, or send a mail that reads it."""

    def mails(sent: Collection[str]) -> set[UUID]:
        reading = TemplateVersion.objects.filter(pk__in=sent, fields_read__contains=[key])
        return versions_asking("field", key, sent) | set(reading.values_list("pk", flat=True))

    return _leaning(lambda graph: any(names(graph, name, key) for name in NAMING), mails)


def of_code_group(group_id: UUID) -> list[Dependant]:
    """Return the workflows that ask about the group's codes, on the way or in a mail they send."""
    return _leaning(
        lambda graph: names(graph, "group", str(group_id)),
        lambda sent: versions_asking("group", str(group_id), sent),
    )


def of_endpoint(endpoint_id: UUID) -> list[Dependant]:
    """Return the workflows with a step that calls the endpoint."""
    return _leaning(lambda graph: names(graph, "endpoint", str(endpoint_id)), lambda _: set())


def _leaning(asks: Callable[[Any], bool], mails: Versions) -> list[Dependant]:
    rows = list(Workflow.objects.order_by("name"))
    drawn = _drawn(rows)
    sent = {one for some in drawn.values() for _, versions in some for one in versions}
    leaning = {str(one) for one in mails(sent)} if sent else set()
    return [
        Dependant("workflow", row.id, row.name)
        for row in rows
        if any(asks(graph) or not leaning.isdisjoint(sent) for graph, sent in drawn[row.id])
    ]


def _drawn(rows: Sequence[Workflow]) -> dict[UUID, list[tuple[Any, frozenset[str]]]]:
    """Return each one's draft, and each version that people are in or come into, with the versions
    of mails that it sends.
    """
    found: dict[UUID, list[tuple[Any, frozenset[str]]]] = {
        row.id: [] if row.state == Workflow.State.CLOSED else [(row.draft, frozenset())]
        for row in rows
    }
    waiting = Enrolment.objects.filter(version_id=OuterRef("id"), state=Enrolment.State.WAITING)
    within = Q(Exists(waiting)) | Q(id__in=[row.live_id for row in rows if row.live_id])
    for version in WorkflowVersion.objects.filter(within, workflow__in=rows):
        sent = frozenset((version.templates or {}).values())
        found[version.workflow_id].append((version.graph, sent))
    return found
