"""How many came, went on and left in a workflow, as the reader may be told.

Where people go says what the steps asked of them: to a role that does not see those facts, counts
are blurred like those of segments (PR-40).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Permission
from contacts.fields import DataClass
from contacts.segments.counts import Shown
from contacts.segments.told import Question, Reader, reader
from workflows.funnel import Fates, StepCount
from workflows.graph import Graph, parse
from workflows.models import Simulation, WorkflowVersion
from workflows.simulate import keeping
from workflows.steps import Step

TIME, COMPARED = "time", "compared"
"""What a drawing can show beside the counts of now."""


class Asker(Protocol):
    """Whoever reads figures: a member of staff, or a machine by its key."""

    @property
    def pk(self) -> Any: ...

    @property
    def data_classes(self) -> Collection[str]: ...

    def may(self, permission: Permission) -> bool: ...


@dataclass(slots=True)
class Teller:
    """Tells the counts of one version, or one simulation, by step and what is counted there."""

    reader: Reader
    about: Question
    free: bool = True
    """What anybody can put together at will is rationed."""
    known: dict[Question, Shown] = field(default_factory=dict)

    def __call__(self, node: str, what: str, count: int) -> Shown:
        question = (*self.about, node, what)
        if question not in self.known:
            self.ask({(node, what): count})
        return self.known[question]

    def ask(self, cells: dict[tuple[str, str], int]) -> None:
        """Have many told with few statements."""
        asked = {(*self.about, *cell): count for cell, count in cells.items()}
        self.known |= self.reader.many(asked, free=self.free)

    def steps(self, steps: Iterable[StepCount]) -> None:
        self.ask({cell: count for step in steps for cell, count in _cells(step).items()})

    def fates(self, fates: Fates) -> dict[str, str]:
        """What became of everybody, in words."""
        parts = ("reached", "refused", "failed", "inside", "left")
        cells = {("", part): int(getattr(fates, part)) for part in parts}
        self.ask({("", "entered"): fates.enrolled, **cells})
        told = {part: str(self("", part, count)) for (_, part), count in cells.items()}
        return {"enrolled": str(self("", "entered", fates.enrolled)), **told}


def teller(classes: Collection[str], user: Asker, *about: object, free: bool = True) -> Teller:
    """Tell counts that these data classes decide; `about` says of what.

    Labels among the classes are left out: who sees clinical facts sees labelled ones.
    """
    return teller_to(classes, user.data_classes, user.pk, about, free=free)


def teller_to(
    classes: Collection[str],
    granted: Collection[str],
    asker: object,
    about: Question,
    *,
    free: bool = True,
) -> Teller:
    """The same for whoever is granted these classes: a person, or a key, by its id."""
    asked = {kind.value for kind in DataClass}.intersection(classes)
    return Teller(reader(asked, granted, asker=asker, now=timezone.now()), about, free)


def of_version(version: WorkflowVersion, user: User) -> Teller:
    return teller(classes_of(version), user, "workflow", str(version.id))


def classes_of(version: WorkflowVersion) -> set[str]:
    """All that the way through the version may say of a person."""
    return {name for names in version.path_classes.values() for name in names}


def graph_of(version: WorkflowVersion) -> Graph:
    return parse(version.graph)


def steps_of(version: WorkflowVersion) -> Mapping[str, Step]:
    return parse(version.graph).steps


def in_all(
    counted: dict[UUID, tuple[int, int]], classes: dict[UUID, set[str]], user: User
) -> dict[UUID, tuple[str, str]]:
    """How many are inside each workflow, and ever entered it, with few statements for all."""
    tellers = {one: teller(classes[one], user, "workflow in all") for one in counted}
    for exact in (True, False):
        some = [one for one in counted if tellers[one].reader.exact is exact]
        if some:
            everyone = Teller(tellers[some[0]].reader, ("workflow in all",))
            everyone.ask(
                {
                    (str(one), what): count
                    for one in some
                    for what, count in zip(("inside", "entered"), counted[one], strict=True)
                }
            )
            for one in some:
                tellers[one] = everyone
    return {
        one: (str(tellers[one](str(one), "inside", inside)),
              str(tellers[one](str(one), "entered", entered)))
        for one, (inside, entered) in counted.items()
    }  # fmt: skip


def modes(version: WorkflowVersion) -> list[dict[str, str]]:
    """What the drawing can show, and where it is asked for."""
    address = reverse("workflow-drawing", args=[version.workflow_id, version.number])
    shown = [
        {"key": "live", "label": "Now", "address": address},
        {"key": TIME, "label": "Time in each step", "address": f"{address}?show={TIME}"},
    ]
    if last_simulation(version) is not None:
        label = "Beside the simulation"
        shown.append({"key": COMPARED, "label": label, "address": f"{address}?show={COMPARED}"})
    return shown


def last_simulation(version: WorkflowVersion) -> Simulation | None:
    """Return the latest simulation of the same graph, be it as a draft or as a version."""
    done = Simulation.objects.filter(workflow_id=version.workflow_id, state=Simulation.State.DONE)
    return done.filter(graph=version.graph).first()


def lasted(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    units = ((86_400, "d"), (3_600, "h"), (60, "min"))
    for place, (size, unit) in enumerate(units):
        if seconds >= size:
            count, rest = divmod(round(seconds), size)
            lower = units[place + 1] if place + 1 < len(units) else None
            more = f" {rest // lower[0]} {lower[1]}" if lower and rest >= lower[0] else ""
            return f"{count} {unit}{more}"
    return "under a minute"


def real_classes(made: Simulation) -> set[str]:
    """What a simulation says of people there are; nothing where they are invented."""
    if not any(one["contact"] for one in made.timelines):
        return set()
    return {name for names in keeping.tried(made).path_classes.values() for name in names}


def _cells(step: StepCount) -> dict[tuple[str, str], int]:
    counted = {
        "arrived": step.arrived,
        "passed": step.passed,
        "lost": step.lost,
        "inside": step.inside,
        **{f"way {way}": many for way, many in step.ways.items()},
        **{f"mail {state}": many for state, many in step.mail.items()},
    }
    return {(step.node, what): count for what, count in counted.items()}
