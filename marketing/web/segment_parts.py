"""The steps of a workflow and the links of a message, for a condition that asks about one of them.

The builder's script asks for them once the whole is chosen, so that nobody types a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from marketing.web import canvas
from messaging.models import Link
from workflows.graph import parse
from workflows.models import Workflow, WorkflowVersion
from workflows.problems import GraphInvalid

MANY = 200
Options = list[dict[str, str]]


@require_GET
@requires(Permission.SEGMENTS_EDIT)
def steps(request: HttpRequest, workflow_id: UUID) -> JsonResponse:
    """The steps of the newest version by what they do; then those that only older ones have.

    A workflow that never was published gives the steps of its draft. One that is not there, or of
    another organisation, gives none.
    """
    user, found = staff_of(request), dict[str, str]()
    if user.may(Permission.WORKFLOWS_VIEW):
        for place, graph in enumerate(_graphs(workflow_id)):
            for node, title in _titled(graph, user):
                found.setdefault(node, title if place == 0 else f"{title}, in an earlier version")
    return JsonResponse({"options": _options(found)})


@require_GET
@requires(Permission.SEGMENTS_EDIT)
def links(request: HttpRequest, template_id: UUID) -> JsonResponse:
    """The labels of the links of a message, the newest version's first; clicks carry them."""
    found = dict[str, str]()
    if staff_of(request).may(Permission.TEMPLATES_VIEW):
        rows = Link.objects.filter(version__template_id=template_id)
        order = rows.order_by("-version__number", "number")
        found = {label: label for label in order.values_list("label", flat=True)[: 5 * MANY]}
    return JsonResponse({"options": _options(found)})


def _options(found: dict[str, str]) -> Options:
    return [{"value": value, "label": label} for value, label in found.items()][:MANY]


def _graphs(workflow_id: UUID) -> list[Any]:
    """What the workflow's versions say, newest first, or its draft."""
    versions = WorkflowVersion.objects.filter(workflow_id=workflow_id).order_by("-number")
    return list(versions.values_list("graph", flat=True)) or list(
        Workflow.objects.filter(pk=workflow_id).values_list("draft", flat=True)
    )


def _titled(graph: Any, user: User) -> Iterator[tuple[str, str]]:
    """Each step's key, and its key with what it does; alone where a draft cannot be read yet."""
    try:
        read = parse(graph)
    except GraphInvalid:
        nodes = graph.get("nodes", ()) if isinstance(graph, dict) else ()
        keys = (node.get("id") for node in nodes if isinstance(node, dict))
        yield from ((key, key) for key in keys if isinstance(key, str) and key)
        return
    names = canvas.names(user)
    for node in read.in_order():
        yield node, f"{canvas.title(read.steps[node], names)} ({node})"
