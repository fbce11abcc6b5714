"""Published versions as the engine reads them. A version never changes, so it is read once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from workflows.graph import Graph, parse
from workflows.models import WorkflowVersion

KEPT = 1_000


@dataclass(frozen=True)
class Published:
    """A checked graph, pinned: templates by send step, classes of information by step."""

    id: UUID
    workflow_id: UUID
    graph: Graph
    templates: Mapping[str, UUID]
    path_classes: Mapping[str, frozenset[str]]

    @cached_property
    def first(self) -> str:
        return self.graph.start


_known: dict[UUID, Published] = {}


def load(version_ids: Collection[UUID]) -> dict[UUID, Published]:
    """Return the versions, reading with one query those that this process has not seen."""
    unseen = set(version_ids) - _known.keys()
    if unseen:
        if len(_known) + len(unseen) > KEPT:
            _known.clear()
            unseen = set(version_ids)
        for row in WorkflowVersion.objects.filter(id__in=unseen):
            _known[row.id] = of_row(row)
    return {id_: _known[id_] for id_ in version_ids}


def of_row(row: WorkflowVersion) -> Published:
    return Published(
        id=row.id,
        workflow_id=row.workflow_id,
        graph=parse(row.graph),
        templates={node: UUID(template) for node, template in row.templates.items()},
        path_classes={node: frozenset(said) for node, said in row.path_classes.items()},
    )
