"""Where one person is, across all workflows, and the way that somebody took through one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from contacts import persons
from workflows.models import Enrolment, Move, Workflow, WorkflowVersion

MOST = 200


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One enrolment: the person's place in one version of one workflow, or where it ended."""

    enrolment: Enrolment
    workflow: Workflow
    version: WorkflowVersion

    @property
    def inside(self) -> bool:
        return self.enrolment.state == Enrolment.State.WAITING

    @property
    def classes(self) -> frozenset[str]:
        """What it says of a person to have come here by this way."""
        walked = {*self.enrolment.path, self.enrolment.node}
        return frozenset(
            kind for node, said in self.version.path_classes.items() if node in walked
            for kind in said
        )  # fmt: skip


def of_person(contact_id: int, *, within: Collection[str]) -> list[Whereabouts]:
    """Return where the person is, then where the person was, the latest first.

    Ways that say more of a person than the classes `within` are left out, and not counted: that
    there is one says it already.
    """
    ids = persons.ids_of([contact_id])[contact_id]
    rows = Enrolment.objects.filter(contact_id__in=ids).order_by("-entered_at", "-id")[:MOST]
    found = [one for one in _with_versions(list(rows)) if one.classes <= set(within)]
    return sorted(found, key=lambda one: not one.inside)


def one(enrolment_id: int, *, workflow_id: UUID) -> Whereabouts | None:
    rows = Enrolment.objects.filter(id=enrolment_id, workflow_id=workflow_id)
    return next(iter(_with_versions(list(rows))), None)


def moves(enrolment: Enrolment) -> list[Move]:
    """Return the steps that were left behind, in the order of leaving them."""
    place = {node: at for at, node in enumerate(enrolment.path)}
    found = Move.objects.filter(enrolment_id=enrolment.id)
    return sorted(found, key=lambda move: (move.left_at, place.get(move.node, len(place))))


def _with_versions(rows: Collection[Enrolment]) -> list[Whereabouts]:
    versions: Mapping[UUID, WorkflowVersion] = WorkflowVersion.objects.select_related(
        "workflow"
    ).in_bulk({row.version_id for row in rows})
    return [
        Whereabouts(row, versions[row.version_id].workflow, versions[row.version_id])
        for row in rows
        if row.version_id in versions
    ]
