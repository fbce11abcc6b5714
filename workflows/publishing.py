"""From a draft to a version that never changes, and what staff do with a live workflow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import actor, trail
from contacts.segments import evaluate
from workflows import audience, clock, lint, recurring
from workflows.entry import Trigger
from workflows.models import Workflow, WorkflowVersion
from workflows.problems import GraphInvalid, Problem
from workflows.steps import Hours


def create(name: str, *, slug: str, draft: Mapping[str, Any], now: datetime) -> Workflow:
    with transaction.atomic():
        workflow = Workflow.objects.create(
            name=name, slug=slug, draft=draft, created_at=now, changed_at=now
        )
        trail.record("workflow.created", subject=f"workflow:{workflow.id}")
    return workflow


def save_draft(workflow: Workflow, draft: object, *, now: datetime) -> list[Problem]:
    """Keep the draft, sound or not, and return what is wrong with it."""
    with transaction.atomic():
        Workflow.objects.filter(id=workflow.id).update(draft=draft, changed_at=now)
        trail.record("workflow.changed", subject=f"workflow:{workflow.id}")
    return lint.check(draft, workflow_id=workflow.id)[1]


def publish(workflow_id: UUID, *, now: datetime) -> WorkflowVersion:
    """Make the draft the live version, or raise GraphInvalid with every problem.

    The templates are pinned to the versions approved now. Who is inside stays on the version of
    entry; a draft that says what the live version says publishes nothing new.
    """
    with transaction.atomic():
        workflow = Workflow.objects.select_for_update(of=("self",)).get(id=workflow_id)
        graph, problems = lint.check(workflow.draft, workflow_id=workflow_id)
        if graph is None or problems:
            raise GraphInvalid(problems)
        pinned = {node: str(one.id) for node, one in lint.templates(graph).items()}
        said = {node: sorted(of) for node, of in lint.path_classes(graph).items()}
        latest = workflow.versions.first()
        version = latest
        if latest is None or _differs(latest, workflow.draft, pinned, said):
            version = WorkflowVersion.objects.create(
                workflow=workflow,
                number=latest.number + 1 if latest else 1,
                graph=workflow.draft,
                templates=pinned,
                path_classes=said,
                published_by=actor.current().id,
                published_at=now,
            )
        assert version is not None
        first = workflow.live_id is None
        workflow.live, workflow.state = version, Workflow.State.LIVE
        workflow.listens_to = graph.trigger.listens_to
        workflow.listens_about = graph.trigger.listens_about
        workflow.lets_in_each = graph.trigger.each
        workflow.takes_present = workflow.takes_present or (first and graph.trigger.present)
        workflow.comes_at = triggers_at(graph.trigger, now=now)
        workflow.expects = max(workflow.expects, _at_once(graph.trigger, now=now))
        workflow.changed_at = now
        workflow.save()
        trail.record(
            "workflow.published",
            subject=f"workflow:{workflow_id}",
            detail={"version": version.number, "nodes": len(graph.steps)},
        )
    return version


def triggers_at(trigger: Trigger, *, now: datetime) -> datetime | None:
    """Return when people are let in next by a rule or a date; None where neither is asked."""
    if trigger.at is not None:
        hours = Hours(at=trigger.at)
        return clock.settled(now + timedelta(microseconds=1), hours, evaluate.zone())
    if not trigger.rule or trigger.first is None:
        return None
    rule = recurring.read(trigger.rule)
    return recurring.following(rule, trigger.first, zone=evaluate.zone(), after=now)


def _at_once(trigger: Trigger, *, now: datetime) -> int:
    """Return how many the trigger brings at once, were it now: what the brake takes as expected."""
    if trigger.segment is None or not (trigger.present or trigger.rule):
        return 0
    return len(audience.members(trigger.segment, now=now))


def _differs(
    latest: WorkflowVersion, graph: object, templates: object, path_classes: object
) -> bool:
    return (latest.graph, latest.templates, latest.path_classes) != (
        graph,
        templates,
        path_classes,
    )
