"""The virtual clock: what happens to everybody, in the order of its time. Pure but for the world.

Everything that is to happen stands on one heap. What falls on the same instant is worked off
together: first what people do, then the steps they take, then the mails that are due, each set in
one go. So a mail that a step asks for goes out at that instant, as it does behind the live runner.

What a step does is decided by `engine.advance` alone; the world only answers its questions.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from consent.policy import Hold, Permit, Refusal
from workflows.asks import Leave, Outcome, Place, Stay
from workflows.engine import CALL_ENDED, TASK_ENDED, advance
from workflows.graph import Graph
from workflows.simulate.answering import CALL, TASK_ENDS, Answering
from workflows.simulate.clockwork import DOES, MAILS, STEPS
from workflows.simulate.people import Did, Mail, Person
from workflows.simulate.plan import Act, Reaction
from workflows.steps import Goal

OPENED, CLICKED, SENT, FAILED = (
    "message.opened", "message.clicked", "message.sent", "message.failed"
)  # fmt: skip
DECEASED = "contact.deceased"


@dataclass(slots=True)
class Course(Answering):
    """Everybody on their way under the virtual clock."""

    def __post_init__(self) -> None:
        self.now = self.plan.starts_at
        for person in self.people:
            person.due_at = self.now
            person.note(self.now, "entered", person.place.node)
            self._put(self.now, STEPS, person)
            self._decide_acts(person)

    def run(self) -> Iterator[float]:
        """Go to the end of the plan; tell after each instant how much of the time is over."""
        whole = (self.plan.ends_at - self.plan.starts_at).total_seconds()
        while self._heap and self._heap[0][0] <= self.plan.ends_at:
            self.now = self._heap[0][0]
            self._instant()
            yield (self.now - self.plan.starts_at).total_seconds() / whole
        self.now = self.plan.ends_at

    def _instant(self) -> None:
        """Work off one kind of thing that is due now."""
        kind, batch = self._heap[0][1], []
        while self._heap and self._heap[0][:2] == (self.now, kind):
            *_, person, what = heapq.heappop(self._heap)
            batch.append((person, what))
        if kind == DOES:
            for person, did in batch:
                assert isinstance(did, Did)
                self._happen(person, did)
        elif kind == STEPS:
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
                self._put(moment, DOES, person, Did(act.event, moment))

    def _react(self, person: Person, mail: Mail) -> None:
        """Decide what the person will do about a message that has just gone out."""
        dice = self._dice(person, f"message {mail.node}")
        reaction = self.plan.messages.get(mail.node, Reaction())
        opens, clicks = dice.random() < reaction.opens, dice.random() < reaction.clicks
        opened = self.now + reaction.within * dice.random()
        if opens or clicks:
            self._put(opened, DOES, person, Did(OPENED, opened, mail.node))
        if clicks:
            clicked = min(opened + timedelta(minutes=1), self.now + reaction.within)
            self._put(clicked, DOES, person, Did(CLICKED, clicked, mail.node))
        for at, act in enumerate(self.plan.acts):
            if act.of != mail.node or act.person not in (None, person.number):
                continue
            own = self._dice(person, f"event {at}")
            if own.random() < act.share:
                moment = self.now + _when(act, own)
                self._put(moment, DOES, person, Did(act.event, moment, mail.node))

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
        task = person.waiting_for == TASK_ENDED and did.event in TASK_ENDS
        call = person.waiting_for == CALL_ENDED and did.event.startswith(CALL)
        if goals or task or call or person.waiting_for == did.event:
            person.due_at = self.now
            self._put(self.now, STEPS, person)

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
            self._put(stopped.due_at, STEPS, person)

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
                self._put(answer.until, MAILS, person, mail)
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


def newcomers(contact_ids: Sequence[int], graph: Graph, *, now: datetime) -> list[Person]:
    """Return the people at the start of the graph, numbered from 1."""
    return [
        Person(number, contact_id, Place(graph.start, now, now, fresh=True))
        for number, contact_id in enumerate(contact_ids, start=1)
    ]
