"""The virtual clock: what happens to everybody, in the order of its time. Pure but for the world.

Everything that is to happen stands on one heap. What falls on the same instant is worked off
together: first what people do, then the steps they take, then the mails that are due, each set in
one go. So a mail that a step asks for goes out at that instant, as it does behind the live runner.

What a step does is decided by `engine.advance` alone; the world only answers its questions.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Protocol
from uuid import UUID

from consent.policy import Answer as Decided
from consent.policy import Hold, Permit, Refusal
from workflows.engine import (
    CALL_ENDED,
    TASK_ENDED,
    AskAdmission,
    AskCall,
    AskClock,
    AskFirst,
    AskForeseen,
    AskHappened,
    AskLot,
    AskSegment,
    AskSend,
    AskTask,
    CallIs,
    Chosen,
    Clock,
    Effect,
    Leave,
    Lot,
    Outcome,
    Place,
    Stay,
    TaskIs,
    TurnedAway,
    advance,
)
from workflows.graph import Graph
from workflows.simulate.people import Did, Mail, Person
from workflows.simulate.plan import Act, CallEnds, Plan, Reaction, TaskEnds
from workflows.steps import Condition, Foreseen, Goal, Happened, InSegment, Until

OPENED, CLICKED, SENT, FAILED = (
    "message.opened", "message.clicked", "message.sent", "message.failed"
)  # fmt: skip
DECEASED = "contact.deceased"
_TASK_ENDS = {"task.done": "done", "task.failed": "failed"}
_CALL = "call."
"""Before `answered`, `failed`, or the number of the reply that fitted."""
_DOES, _STEPS, _MAILS = range(3)
NOT_ANSWERED = "not_simulated"
BROKEN = "segment_broken"
UNFORESEEN = "way_not_known"
CEILING = "daily_ceiling"


class World(Protocol):
    """What the course has to ask."""

    def accept(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Decided]:
        """May the message of this step be queued for each?"""

    def send(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Decided]:
        """May the message go out now? Asked again at the moment of sending, caps included."""

    def inside(
        self, condition: InSegment, people: Sequence[Person], *, now: datetime
    ) -> set[int] | None:
        """Return the numbers of those in the segment; None where it cannot be asked."""

    def foreseen(self, condition: Foreseen, people: Sequence[Person]) -> dict[int, bool | None]:
        """Say by a person's number whether such a message would go one of these ways, as far as
        is known when the simulation begins; None where nothing is."""

    def clock(self, person: Person, step: Until) -> Clock:
        """Return the person's zone, and the date that the step waits for."""

    def lot(self, person: Person, node: str) -> float | None:
        """Return the lot that a known person draws live at this split; None for the invented."""

    def hear(self, person: Person, did: Did) -> None:
        """Take in what an event does to consent."""

    def change(self, person: Person, effect: Effect) -> str:
        """Keep what a step changed for the rest of the simulation; return it in a word or two."""


@dataclass(slots=True)
class Course:
    """Everybody on their way under the virtual clock."""

    graph: Graph
    plan: Plan
    world: World
    people: Sequence[Person]
    now: datetime = field(init=False)
    ceiling: int = 0
    """So many messages for one person within 24 hours, as behind the live runner; 0 for no limit.
    What people got before, or from other workflows, is not counted here."""
    onward: dict[UUID, int] = field(default_factory=dict)
    """How many went on to each other workflow; what they do there is not simulated."""
    _heap: list[tuple[datetime, int, int, Person, object]] = field(default_factory=list)
    _ticket: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.now = self.plan.starts_at
        for person in self.people:
            person.due_at = self.now
            person.note(self.now, "entered", person.place.node)
            self._put(self.now, _STEPS, person)
            self._decide_acts(person)

    def run(self) -> Iterator[float]:
        """Go to the end of the plan; tell after each instant how much of the time is over."""
        whole = (self.plan.ends_at - self.plan.starts_at).total_seconds()
        while self._heap and self._heap[0][0] <= self.plan.ends_at:
            self.now = self._heap[0][0]
            self._instant()
            yield (self.now - self.plan.starts_at).total_seconds() / whole
        self.now = self.plan.ends_at

    def _put(self, at: datetime, kind: int, person: Person, what: object = None) -> None:
        heapq.heappush(self._heap, (at, kind, next(self._ticket), person, what))

    def _instant(self) -> None:
        """Work off one kind of thing that is due now."""
        kind, batch = self._heap[0][1], []
        while self._heap and self._heap[0][:2] == (self.now, kind):
            *_, person, what = heapq.heappop(self._heap)
            batch.append((person, what))
        if kind == _DOES:
            for person, did in batch:
                assert isinstance(did, Did)
                self._happen(person, did)
        elif kind == _STEPS:
            unique = {one.number: one for one, _ in batch if one.due_at == self.now}
            self._travel(list(unique.values()))
        else:
            self._dispatch([(one, mail) for one, mail in batch if isinstance(mail, Mail)])

    # What people do

    def _decide_acts(self, person: Person) -> None:
        for at, act in enumerate(self.plan.acts):
            if act.person is not None and act.person != person.number:
                continue
            dice = self._dice(person, f"event {at}")
            if dice.random() < act.share and not act.of:
                moment = self.now + _when(act, dice)
                self._put(moment, _DOES, person, Did(act.event, moment))

    def _react(self, person: Person, mail: Mail) -> None:
        """Decide what the person will do about a message that has just gone out."""
        dice = self._dice(person, f"message {mail.node}")
        reaction = self.plan.messages.get(mail.node, Reaction())
        opens, clicks = dice.random() < reaction.opens, dice.random() < reaction.clicks
        opened = self.now + reaction.within * dice.random()
        if opens or clicks:
            self._put(opened, _DOES, person, Did(OPENED, opened, mail.node))
        if clicks:
            clicked = min(opened + timedelta(minutes=1), self.now + reaction.within)
            self._put(clicked, _DOES, person, Did(CLICKED, clicked, mail.node))
        for at, act in enumerate(self.plan.acts):
            if act.of != mail.node or act.person not in (None, person.number):
                continue
            own = self._dice(person, f"event {at}")
            if own.random() < act.share:
                moment = self.now + _when(act, own)
                self._put(moment, _DOES, person, Did(act.event, moment, mail.node))

    def _dice(self, person: Person, what: str) -> Random:
        """Dice of one's own for each person and thing: one more message changes no other draw."""
        return Random(f"{self.plan.seed} {person.number} {what}")  # noqa: S311  # no secret

    def _happen(self, person: Person, did: Did) -> None:
        person.did.append(did)
        person.note(self.now, "did", did.of, did.event)
        self.world.hear(person, did)
        if not person.inside:
            return
        if did.event == DECEASED:
            person.leave("deceased", at=self.now)
            return
        if did.event in self.graph.trigger.stops:
            person.leave(f"stopped:{did.event}", at=self.now)
            return
        goals = tuple(one.id for one in self.graph.goals() if self._reaches(one, did))
        if goals:
            person.place = replace(person.place, reached=(*person.place.reached, *goals))
        task = person.waiting_for == TASK_ENDED and did.event in _TASK_ENDS
        call = person.waiting_for == CALL_ENDED and did.event.startswith(_CALL)
        if goals or task or call or person.waiting_for == did.event:
            person.due_at = self.now
            self._put(self.now, _STEPS, person)

    def _reaches(self, goal: Goal, did: Did) -> bool:
        """What is about a segment cannot be told from an event of the plan, which names none."""
        return goal.event == did.event and goal.segment is None

    # The steps

    def _travel(self, people: Sequence[Person]) -> None:
        """Take everybody on until each has to wait or is out, as the live runner does."""
        under_way = list(people)
        while under_way:
            asked: list[tuple[Person, Outcome]] = []
            for person in under_way:
                outcome = advance(self.graph, person.place, now=self.now, answer=person.answer)
                self._take(person, outcome)
                if not isinstance(outcome.stopped, Stay | Leave):
                    asked.append((person, outcome))
            self._answer(asked)
            under_way = [one for one, _ in asked if one.inside and one.answer is not None]

    def _take(self, person: Person, outcome: Outcome) -> None:
        for passed in outcome.passed:
            person.passed.append(passed)
            person.note(self.now, "passed", passed.node, passed.way)
        for effect in outcome.effects:
            node = effect.id
            person.note(self.now, "changed", node, self.world.change(person, effect))
        person.place, person.answer = outcome.place, None
        stopped = outcome.stopped
        if isinstance(stopped, Leave):
            if stopped.exit is not None and stopped.exit.enter is not None:
                self.onward[stopped.exit.enter] = self.onward.get(stopped.exit.enter, 0) + 1
            person.leave(stopped.outcome, at=self.now)
        elif isinstance(stopped, Stay):
            person.due_at, person.waiting_for = stopped.due_at, stopped.waiting_for
            self._put(stopped.due_at, _STEPS, person)

    def _answer(self, asked: Sequence[tuple[Person, Outcome]]) -> None:
        kinds: dict[type, list[tuple[Person, Any]]] = {}
        for person, outcome in asked:
            kinds.setdefault(type(outcome.stopped), []).append((person, outcome.stopped))
        together: dict[type, Callable[[Any], None]] = {
            AskSend: self._queue,
            AskSegment: self._ask_segments,
            AskFirst: self._ask_in_order,
            AskForeseen: self._ask_forecasts,
            AskAdmission: self._admit,
        }
        for kind, askers in kinds.items():
            if kind in together:
                together[kind](askers)
                continue
            for person, ask in askers:
                self._answer_alone(person, ask)

    def _ask_segments(self, asked: Sequence[tuple[Person, AskSegment]]) -> None:
        conditions: dict[InSegment, list[Person]] = {}
        for person, ask in asked:
            conditions.setdefault(ask.condition, []).append(person)
        for condition, people in conditions.items():
            self._ask_segment(condition, people)

    def _ask_forecasts(self, asked: Sequence[tuple[Person, AskForeseen]]) -> None:
        conditions: dict[Foreseen, list[Person]] = {}
        for person, ask in asked:
            conditions.setdefault(ask.condition, []).append(person)
        for condition, people in conditions.items():
            self._ask_foreseen(condition, people)

    def _answer_alone(self, person: Person, ask: object) -> None:
        if isinstance(ask, AskHappened):
            person.answer = _did(person, ask)
        elif isinstance(ask, AskLot):
            drawn = self.world.lot(person, ask.node)
            dice = self._dice(person, f"split {ask.node}")
            person.answer = Lot(dice.random() if drawn is None else drawn)
        elif isinstance(ask, AskClock):
            person.answer = self.world.clock(person, ask.step)
        elif isinstance(ask, AskTask):
            person.answer = self._task(person, ask)
        elif isinstance(ask, AskCall):
            person.answer = self._call(person, ask)
        else:
            self._hold(person, NOT_ANSWERED)

    def _call(self, person: Person, ask: AskCall) -> CallIs:
        """The endpoint is called once; what it will answer is decided then."""
        node, known = ask.step.id, person.tasks
        if node not in known:
            known.add(node)
            dice, plan = self._dice(person, f"call {node}"), self.plan.calls.get(node, CallEnds())
            lot, moment = dice.random(), self.now + plan.within * dice.random()
            ends = _fate(plan, lot, len(ask.step.replies))
            if ends:
                self._put(moment, _DOES, person, Did(_CALL + ends, moment, node))
        said = [one.event for one in person.did if one.of == node and one.event.startswith(_CALL)]
        if not said:
            return CallIs("open")
        became = said[0].removeprefix(_CALL)
        return CallIs("answered", int(became)) if became.isdecimal() else CallIs(became)

    def _task(self, person: Person, ask: AskTask) -> TaskIs:
        """Staff see the task once; what they will say of it is decided then."""
        node, known = ask.step.id, person.tasks
        if node not in known:
            known.add(node)
            dice, plan = self._dice(person, f"task {node}"), self.plan.tasks.get(node, TaskEnds())
            lot, moment = dice.random(), self.now + plan.within * dice.random()
            ends = "task.done" if lot < plan.done else "task.failed"
            if lot < plan.done + plan.failed:
                self._put(moment, _DOES, person, Did(ends, moment, node))
        said = [one for one in person.did if one.of == node and one.event in _TASK_ENDS]
        return TaskIs(_TASK_ENDS[said[0].event] if said else "open")

    def _ask_in_order(self, asked: Sequence[tuple[Person, AskFirst]]) -> None:
        steps: dict[tuple[Condition, ...], list[tuple[Person, AskFirst]]] = {}
        for person, ask in asked:
            steps.setdefault(ask.conditions, []).append((person, ask))
        for conditions, askers in steps.items():
            self._ask_each(conditions, askers)

    def _ask_each(
        self, conditions: Sequence[Condition], left: Sequence[tuple[Person, AskFirst]]
    ) -> None:
        for place, condition in enumerate(conditions):
            if isinstance(condition, Happened):
                for person, ask in left:
                    person.answer = _did(person, AskHappened(condition, ask.since, ask.until))
            elif isinstance(condition, Foreseen):
                self._ask_foreseen(condition, [person for person, _ in left])
            else:
                self._ask_segment(condition, [person for person, _ in left])
            for person, _ in left:
                if person.answer is True:
                    person.answer = Chosen(place)
            left = [(person, ask) for person, ask in left if person.answer is False]
        for person, _ in left:
            person.answer = Chosen(-1)

    def _admit(self, asked: Sequence[tuple[Person, AskAdmission]]) -> None:
        trigger, people = self.graph.trigger, [person for person, _ in asked]
        for segment, wanted in ((trigger.only, True), (trigger.never, False)):
            left = [one for one in people if one.answer is not False and not one.held]
            if segment is None:
                for person in left:
                    person.answer = True
                continue
            self._ask_segment(InSegment({"segment": str(segment)}), left)
            for person in left:
                if person.answer is not None:
                    person.answer = person.answer is wanted

    def _full(self, person: Person) -> bool:
        """Let whom the ceiling holds wait until a place is free; say whether it does."""
        since = self.now - timedelta(hours=24)
        got = sorted(
            mail.asked_at
            for mail in person.mails.values()
            if mail.asked_at > since and mail.state != "refused"
        )
        if not self.ceiling or len(got) < self.ceiling:
            return False
        person.due_at = got[-self.ceiling] + timedelta(hours=24)
        person.note(self.now, "held", person.place.node, CEILING)
        self._put(person.due_at, _STEPS, person)
        return True

    def _queue(self, asked: Sequence[tuple[Person, AskSend]]) -> None:
        asked = [(one, ask) for one, ask in asked if not self._full(one)]
        answers = self.world.accept([(one, ask.step.id) for one, ask in asked], now=self.now)
        for (person, ask), answer in zip(asked, answers, strict=True):
            node = ask.step.id
            mail = Mail(node, "queued", self.now, self.now + ask.step.stale_after, self.now)
            person.mails[node] = mail
            if isinstance(answer, Refusal):
                mail.state, mail.code = "refused", answer.code
                person.note(self.now, "refused", node, answer.code)
                person.answer = TurnedAway(answer.code)
                continue
            person.answer = True
            if isinstance(answer, Hold):
                mail.due_at, mail.code = answer.until, answer.code
                person.note(self.now, "held", node, answer.code)
            self._put(mail.due_at, _MAILS, person, mail)

    def _ask_segment(self, condition: InSegment, people: Sequence[Person]) -> None:
        inside = self.world.inside(condition, people, now=self.now)
        for person in people:
            if inside is None:
                self._hold(person, BROKEN)
            else:
                person.answer = person.number in inside

    def _ask_foreseen(self, condition: Foreseen, people: Sequence[Person]) -> None:
        found = self.world.foreseen(condition, people)
        for person in people:
            if found[person.number] is None:
                self._hold(person, UNFORESEEN)
            else:
                person.answer = found[person.number]

    def _hold(self, person: Person, why: str) -> None:
        """Live, it would be tried again and again; here nothing can change, so it is not."""
        person.held, person.due_at = why, None
        person.note(self.now, "stuck", person.place.node, why)

    # The mails

    def _dispatch(self, due: Sequence[tuple[Person, Mail]]) -> None:
        answers = self.world.send([(one, mail.node) for one, mail in due], now=self.now)
        for (person, mail), answer in zip(due, answers, strict=True):
            if isinstance(answer, Refusal):
                self._end_mail(person, mail, "refused", answer.code)
            elif mail.not_after < (answer.until if isinstance(answer, Hold) else self.now):
                self._end_mail(person, mail, "failed", "too_late")
            elif isinstance(answer, Hold):
                mail.due_at, mail.code = answer.until, answer.code
                person.note(self.now, "held", mail.node, answer.code)
                self._put(answer.until, _MAILS, person, mail)
            else:
                assert isinstance(answer, Permit)
                mail.sent_at = self.now
                self._end_mail(person, mail, "sent", "")
                self._happen(person, Did(SENT, self.now, mail.node))
                self._react(person, mail)

    def _end_mail(self, person: Person, mail: Mail, state: str, code: str) -> None:
        mail.state, mail.code = state, code
        if state != "sent":
            person.note(self.now, state, mail.node, code)


def _when(act: Act, dice: Random) -> timedelta:
    return act.after + act.within * dice.random()


def _fate(plan: CallEnds, lot: float, replies: int) -> str:
    """Return what the endpoint answers for this lot; empty for nothing."""
    shares = [(str(number), share) for number, share in enumerate(plan.replies[:replies], start=1)]
    for name, share in (*shares, ("failed", plan.failed), ("answered", plan.answered)):
        if lot < share:
            return name
        lot -= share
    return ""


def _did(person: Person, ask: AskHappened) -> bool:
    """Did the person do it in that time, about the message of a step that lies behind?"""
    wanted, behind = ask.happened, person.place.path
    return any(
        one.event == wanted.event
        and ask.since <= one.at <= ask.until
        and (not wanted.of or (one.of == wanted.of and wanted.of in behind))
        for one in person.did
    )


def newcomers(contact_ids: Sequence[int], graph: Graph, *, now: datetime) -> list[Person]:
    """Return the people at the start of the graph, numbered from 1."""
    return [
        Person(number, contact_id, Place(graph.start, now, now, fresh=True))
        for number, contact_id in enumerate(contact_ids, start=1)
    ]
