"""What the engine asks under the virtual clock, answered by the world, the plan and the dice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consent.policy import Hold, Refusal
from workflows.asks import (
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
    Lot,
    Outcome,
    TaskIs,
    TurnedAway,
)
from workflows.simulate.clockwork import DOES, MAILS, STEPS, Clockwork
from workflows.simulate.people import Did, Mail, Person
from workflows.simulate.plan import CallEnds, TaskEnds
from workflows.steps import Condition, Foreseen, Happened, InSegment

TASK_ENDS = {"task.done": "done", "task.failed": "failed"}
CALL = "call."
"""Before `answered`, `failed`, or the number of the reply that fitted."""
NOT_ANSWERED = "not_simulated"
BROKEN = "segment_broken"
UNFORESEEN = "way_not_known"
CEILING = "daily_ceiling"


@dataclass(slots=True)
class Answering(Clockwork):
    """Answers each kind of question once for all who ask it."""

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
                self._put(moment, DOES, person, Did(CALL + ends, moment, node))
        said = [one.event for one in person.did if one.of == node and one.event.startswith(CALL)]
        if not said:
            return CallIs("open")
        became = said[0].removeprefix(CALL)
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
                self._put(moment, DOES, person, Did(ends, moment, node))
        said = [one for one in person.did if one.of == node and one.event in TASK_ENDS]
        return TaskIs(TASK_ENDS[said[0].event] if said else "open")

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
        self._put(person.due_at, STEPS, person)
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
            self._put(mail.due_at, MAILS, person, mail)

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
