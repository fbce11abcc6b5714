"""The brakes in one turn of the runner: who of those in hand may come in, and who may be sent to.

Nothing that was held is lost. Whom the ceiling holds waits at the step until a place is free;
whom the brake holds stays where they are in the paused workflow, untouched.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from accounts import tenancy
from audit import trail
from contacts import persons
from crypto.rows import binary_cursor
from messaging import pace as people_held
from workflows.asks import AskSend, Outcome, Stay
from workflows.brakes import tally
from workflows.brakes.tally import Pace, Settings
from workflows.journeys import Journey
from workflows.models import Workflow
from workflows.moving import holding

DAY = timedelta(hours=24)
SOON = timedelta(seconds=5)
CEILING = "brake.ceiling"
"""What a place shows that somebody waits for, whom the ceiling holds."""
TOO_MANY_ENTER, TOO_MANY_MESSAGES = "entry_rate", "message_rate"

_ASKED = """
select m.contact_id, m.created_at from messaging_message m
where m.contact_id = any(%b::int8[]) and m.organisation_id = %b and m.created_at > %b
  and m.state not in ('refused', 'cancelled')
  and m.source in (select id from workflows_workflow)
order by m.created_at
"""

Asking = tuple[Journey, Outcome]


@dataclass(slots=True)
class Turn:
    """The brakes as they stand for the people in hand."""

    now: datetime
    settings: Settings
    paces: dict[UUID, Pace]
    tripped: dict[UUID, bool] = field(default_factory=dict)

    @classmethod
    def begin(cls, people: Sequence[Journey], *, now: datetime) -> Turn:
        settings = tally.settings()
        versions = {id(one.version): one.version for one in people}  # few, of many people
        workflows = {one.workflow_id for one in versions.values()}
        return cls(now, settings, tally.read(workflows, settings, now=now))

    def admit(self, people: Sequence[Journey]) -> list[Journey]:
        """Return whom the brake lets through; the others stay exactly as they are."""
        coming = Counter(one.version.workflow_id for one in people if one.place.fresh)
        for workflow_id, many in coming.items():
            pace = self.paces[workflow_id]
            if pace.entered + many <= pace.most_entered or not self._trip(
                workflow_id, TOO_MANY_ENTER, pace.entered + many, pace.most_entered
            ):
                pace.entering += many
        if not self.tripped:
            return list(people)
        return [one for one in people if not self.tripped.get(one.version.workflow_id)]

    def let_in(self, people: Sequence[Journey]) -> None:
        """Count who comes in, and stop nobody: staff saw how many there are, and chose."""
        for one in people:
            if one.place.fresh:
                self.paces[one.version.workflow_id].entering += 1

    def hold(self, asked: Sequence[Asking]) -> list[Asking]:
        """Let wait whom the ceiling or the brake keeps from a message; return the others."""
        sends = [one for one, outcome in asked if isinstance(outcome.stopped, AskSend)]
        if not sends:
            return list(asked)
        self._brake(sends)
        self._under_the_ceiling([one for one in sends if one.stopped is None])
        for one in sends:
            if one.stopped is None:
                self.paces[one.version.workflow_id].asking += 1
        return [(one, outcome) for one, outcome in asked if one.stopped is None]

    def end(self) -> None:
        tally.count(self.paces, now=self.now)

    def _brake(self, sends: Sequence[Journey]) -> None:
        for workflow_id, many in Counter(one.version.workflow_id for one in sends).items():
            pace = self.paces[workflow_id]
            asked = pace.asked + pace.asking + many
            if asked > pace.most_asked:
                usual = tally.inside(workflow_id)
                pace.most_asked = max(pace.most_asked, self.settings.most(usual))
            if asked > pace.most_asked:
                self._trip(workflow_id, TOO_MANY_MESSAGES, asked, pace.most_asked)
        for one in sends:
            if self.tripped.get(one.version.workflow_id):
                one.stopped = Stay(self.now + SOON)

    def _trip(self, workflow_id: UUID, why: str, figure: int, most: int) -> bool:
        """Pause the workflow; False where it is closed, and only lets people finish."""
        if workflow_id not in self.tripped:
            holding.pause(workflow_id, why=why, figure=figure, most=most, now=self.now)
            state = Workflow.objects.values_list("state", flat=True).get(id=workflow_id)
            self.tripped[workflow_id] = state == Workflow.State.PAUSED
        return self.tripped[workflow_id]

    def _under_the_ceiling(self, sends: Sequence[Journey]) -> None:
        """Count what each person was asked for, while no other worker can count the same place."""
        if not sends:
            return
        free = people_held.held([one.contact_id for one in sends])
        got, held = asked_of(free, since=self.now - DAY), 0
        most = self.settings.most_a_day
        for one in sends:
            if one.contact_id not in free:
                one.stopped = Stay(self.now + SOON)
                continue
            times = got[one.contact_id]
            if len(times) < most:
                times.append(self.now)
            else:
                # A place taken in this very turn is free again if the gate refuses the message.
                taken = times[-most]
                free_at = self.now + SOON if taken == self.now else taken + DAY
                one.stopped = Stay(free_at, waiting_for=CEILING)
                held += 1
        if held:
            trail.record("workflow.held", detail={"count": held, "reason": "ceiling"})


def asked_of(contact_ids: Collection[int], *, since: datetime) -> dict[int, list[datetime]]:
    """Return when each person was asked for a message of any workflow, the earliest first.

    Contacts that were merged are one person, and share one list.
    """
    families = persons.ids_of(contact_ids)
    everyone = sorted(set(chain.from_iterable(families.values())))
    found: dict[int, list[datetime]] = defaultdict(list)
    with binary_cursor() as cursor:
        cursor.execute(_ASKED.encode(), [everyone, tenancy.current(), since])
        for contact_id, at in cursor.fetchall():
            found[contact_id].append(at)
    shared: dict[tuple[int, ...], list[datetime]] = {}
    for family in families.values():
        if family not in shared:
            shared[family] = sorted(chain.from_iterable(found.get(one, ()) for one in family))
    return {one: shared[family] for one, family in families.items()}
