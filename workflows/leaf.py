"""The question that workflows add to the segment language: where is the person on a journey?

    {"journey": {"workflow": id, "step": "remind", "before": {"ago": 7, "unit": "days"}}}

holds for whom a way through the workflow stands at that step, arrived there more than seven days
ago. `is` says which ways are meant: `in` (waiting now; so it is when left out), `finished`,
`stopped`, or `ever`. Without a step the whole workflow is meant. The window (`since`, `before`,
`within_days` and so on, as for events) is about the arrival at the step for `in` with a step, the
end for `finished` and `stopped`, else the entry into the workflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from contacts.fields import DataClass, Sensitivity
from contacts.segments import catalogue, entry_clauses, language, reading, references
from contacts.segments.bounds import window_bounds
from contacts.segments.facts import Facts
from contacts.segments.flips import relatives
from contacts.segments.models import Segment
from contacts.segments.nodes import Window
from contacts.segments.phrases import window_in_words
from contacts.segments.reading import DefinitionInvalid, Problem, Reader
from contacts.segments.references import Dependencies
from workflows.models import Enrolment, Workflow, WorkflowVersion

KEY: Final = "journey"
WAYS: Final = ("in", "finished", "stopped", "ever")
_STATES: Final = {
    "in": Enrolment.State.WAITING,
    "finished": Enrolment.State.DONE,
    "stopped": Enrolment.State.STOPPED,
}


@dataclass(frozen=True, slots=True)
class OnJourney:
    """A way of the person through the workflow is in this state, at this step, since then."""

    workflow: UUID
    step: str
    way: str
    window: Window

    @property
    def moves_with_time(self) -> bool:
        return bool(relatives(self.window))

    @property
    def data_classes(self) -> frozenset[str]:
        """Being on a journey betrays whatever led there: what any of its steps may say."""
        said = {DataClass.ENGAGEMENT.value}
        for version in self._versions():
            for classes in version.path_classes.values():
                said.update(classes)
        return frozenset(said)

    @property
    def labels(self) -> Sensitivity:
        """The labels of all conditions in any version, and of the segments that they name."""
        found = Sensitivity.NONE
        for version in self._versions():
            found |= _labels_in(version.graph)
        return found

    @property
    def depends(self) -> Dependencies:
        return Dependencies(journeys=frozenset({self.workflow}), clocks=self.moves_with_time)

    def in_words(self) -> str:
        named = Workflow.objects.filter(pk=self.workflow).values_list("name", flat=True).first()
        said = {"in": "is in", "finished": "finished", "stopped": "was stopped in"}
        step = f"step “{self.step}” of " if self.step else ""
        parts = [f"journey {said.get(self.way, 'ever came to')} {step}“{named or 'a workflow'}”"]
        return " ".join([*parts, *window_in_words(self.window)])

    def gone(self) -> str:
        if not Workflow.objects.filter(pk=self.workflow).exists():
            return "refers to a workflow that is gone"
        steps = {node["id"] for version in self._versions() for node in version.graph["nodes"]}
        if self.step and steps and self.step not in steps:
            return "refers to a step that no version of the workflow has"
        return ""

    def _versions(self) -> list[WorkflowVersion]:
        return list(WorkflowVersion.objects.filter(workflow_id=self.workflow))

    def holds(self, facts: Facts, *, now: datetime) -> bool:
        return self in facts.registered.get(KEY, ())

    def contact_ids(
        self, *, now: datetime, among: Sequence[int] | None = None
    ) -> npt.NDArray[np.int64]:
        asked = Q(workflow_id=self.workflow) & self._place() & self._time(now)
        if among is not None:
            asked &= Q(contact_id__in=list(among))
        found = Enrolment.objects.filter(asked).values_list("contact_id", flat=True).distinct()
        return np.fromiter(found.iterator(), np.int64)

    def _place(self) -> Q:
        asked = Q() if self.way == "ever" else Q(state=_STATES[self.way])
        if not self.step:
            return asked
        here = Q(node=self.step)
        return asked & (here | Q(path__contains=[self.step]) if self.way == "ever" else here)

    def _time(self, now: datetime) -> Q:
        column = "entered_at" if self.way == "ever" or not self.step else "arrived_at"
        if self.way in ("finished", "stopped"):
            column = "ended_at"
        first, after = window_bounds(self.window, now)
        asked = Q() if first is None else Q(**{f"{column}__gte": first})
        return asked if after is None else asked & Q(**{f"{column}__lt": after})


def _labels_in(tree: Any) -> Sensitivity:
    """Every part of a graph that reads as a definition, and every segment that it listens to."""
    if isinstance(tree, list):
        return _union(_labels_in(one) for one in tree)
    if not isinstance(tree, dict):
        return Sensitivity.NONE
    found = _union(_labels_in(one) for one in tree.values())
    if isinstance(tree.get("segment"), str):
        found |= _labels_of_segment(tree["segment"])
    if len(language.keys() & tree.keys()) == 1:
        try:
            found |= references.labels(catalogue.expanded(catalogue.read(tree)))
        except DefinitionInvalid:
            return found
    return found


def _labels_of_segment(segment_id: str) -> Sensitivity:
    try:
        held = Segment.objects.filter(pk=UUID(segment_id)).first()
    except ValueError:
        return Sensitivity.NONE
    names = held.labels if held is not None else ()
    return _union(Sensitivity[name.upper()] for name in names)


def _union(several: Iterator[Sensitivity]) -> Sensitivity:
    found = Sensitivity.NONE
    for one in several:
        found |= one
    return found


class JourneyLeaf:
    """Reads the question."""

    key = KEY
    label = "Where they are in a workflow"

    def parse(self, value: Any, path: str) -> OnJourney:
        problems: list[Problem] = []
        if not isinstance(value, dict):
            raise DefinitionInvalid([Problem(path, 'must be an object such as {"workflow": id}')])
        at = Reader(value, path, problems)
        workflow = at.take("workflow", reading.uuid, "the id of a workflow")
        step = at.maybe("step", reading.text, "the key of a step") or ""
        place = at.maybe("is", WAYS.index, f"one of {', '.join(WAYS)}") or 0
        window = entry_clauses.window(at, dated=False)
        at.close()
        if workflow is None or problems:
            raise DefinitionInvalid(problems)
        return OnJourney(workflow, step, WAYS[place], window)
