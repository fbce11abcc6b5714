"""What is tried, and on whom: a version or a draft with its messages, and the people of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

from contacts.models import Contact
from contacts.segments.definition import DefinitionInvalid
from workflows import audience, lint, versions
from workflows.graph import Graph
from workflows.models import WorkflowVersion
from workflows.simulate.plan import Chosen, Plan, Sample, Synthetic


class NobodyThere(ValueError):
    """The plan names nobody who could be simulated; it says why."""


@dataclass(frozen=True)
class Tried:
    """The graph that is tried, with what its messages are pinned to and say of people."""

    graph: Graph
    templates: Mapping[str, UUID]
    path_classes: Mapping[str, frozenset[str]]
    number: int | None = None
    """Of the version; None for a draft, which is pinned as if it were published now."""
    workflow_id: UUID | None = None
    """Whose stated payments count; None for a graph that belongs to no workflow."""


def of_version(version: WorkflowVersion) -> Tried:

    known = versions.of_row(version)
    return Tried(
        known.graph, known.templates, known.path_classes, version.number, version.workflow_id
    )


def of_draft(graph: Graph, *, workflow_id: UUID | None = None) -> Tried:
    pinned = {node: one.id for node, one in lint.templates(graph).items()}
    return Tried(graph, pinned, lint.path_classes(graph), workflow_id=workflow_id)


def whom(plan: Plan, graph: Graph) -> list[int]:
    """Return the contacts of the plan; invented people have numbers below zero."""
    if isinstance(plan.whom, Synthetic):
        return [-number for number in range(1, plan.whom.count + 1)]
    found = _sampled(plan, plan.whom, graph) if isinstance(plan.whom, Sample) else []
    if isinstance(plan.whom, Chosen):
        known = dict(
            Contact.objects.filter(public_id__in=plan.whom.contacts, erased_at=None).values_list(
                "public_id", "id"
            )
        )
        found = [known[one] for one in plan.whom.contacts if one in known]
    if not found:
        raise NobodyThere("Nobody is there to simulate: the segment is empty, or no id is known.")
    return found


def _sampled(plan: Plan, sample: Sample, graph: Graph) -> list[int]:
    segment = sample.segment or graph.trigger.segment
    if segment is None:
        raise NobodyThere("The trigger has no segment to draw from: name one, or invent people.")
    try:
        members = sorted(audience.members(segment, now=plan.starts_at))
    except DefinitionInvalid as invalid:
        raise NobodyThere(f"The segment cannot be asked: {invalid}") from invalid
    dice = Random(plan.seed)  # noqa: S311  # no secret
    return sorted(dice.sample(members, min(sample.count, len(members))))
