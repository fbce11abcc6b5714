"""W10: versions of an earlier release go on waiting by the clock they were published by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from accounts import tenancy
from accounts.models import Organisation
from tests.conftest import NOON
from tests.ground.server import OwnDatabase
from workflows.graph import parse
from workflows.models import Workflow, WorkflowVersion
from workflows.steps import Until

BEFORE = ("workflows", "0009_write_back_receivers")


def until(node: str, **more: Any) -> dict[str, Any]:
    return {"id": node, "kind": "until", "at": "09:00", "next": "end", **more}


GRAPH = {
    "trigger": {"kind": "api"},
    "start": "plain",
    "nodes": [until("plain", next="said"), until("said", clock="contact"),
              {"id": "end", "kind": "exit"}],
}  # fmt: skip


@pytest.fixture
def published(committed_db: OwnDatabase, harbor: Organisation) -> Iterator[MigrationExecutor]:
    """A version as the release before left it, in one organisation of several."""
    executor = MigrationExecutor(connections["owner"])
    executor.migrate([BEFORE])
    with tenancy.acting_for(harbor.pk):
        made = Workflow.objects.create(
            slug="w", name="W", draft=GRAPH, created_at=NOON, changed_at=NOON
        )
        WorkflowVersion.objects.create(
            workflow=made,
            number=1,
            graph=GRAPH,
            templates={},
            path_classes={},
            published_by="x",
            published_at=NOON,
        )
    executor.loader.build_graph()
    yield executor
    connections["owner"].close()


def test_w10_a_published_wait_keeps_the_clock_it_went_by(
    published: MigrationExecutor, harbor: Organisation
) -> None:
    published.migrate(published.loader.graph.leaf_nodes("workflows"))
    with tenancy.acting_for(harbor.pk):
        steps = parse(WorkflowVersion.objects.get().graph).steps
        said = {node: step.ours for node, step in steps.items() if isinstance(step, Until)}
        assert said == {"plain": True, "said": False}
        assert Workflow.objects.get().draft == GRAPH
        with pytest.raises(DatabaseError):
            WorkflowVersion.objects.update(number=2)
    assert WorkflowVersion.objects.count() == 0, "row security holds again"
