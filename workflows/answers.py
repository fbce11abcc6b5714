"""Answer what the engine asked, for many people at once, a statement for each kind of question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contacts.segments.reading import DefinitionInvalid
from crypto.rows import binary_cursor
from messaging import outbox
from messaging import versions as templates
from messaging.hearing import visits
from workflows import audience, clocks, foreseeing, lots, staff_tasks
from workflows.asks import (
    Ask,
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
    Chosen,
    Lot,
    Outcome,
    Stay,
    TaskIs,
    TurnedAway,
)
from workflows.contests import deciding
from workflows.journeys import Journey
from workflows.steps import Condition, Foreseen, Happened, InSegment
from workflows.webhooks import calls

RETRY = timedelta(minutes=15)

HAPPENED = """
select a.place from unnest(%b::int4[], %b::int8[], %b::timestamptz[], %b::timestamptz[])
    as a (place, contact_id, since, until)
where exists (
    select from contacts_event e
    where e.contact_id = a.contact_id and e.kind = %b and not e.machine
      and e.occurred_at between a.since and a.until
)
"""
HAPPENED_TO_MESSAGE = """
select a.place from unnest(%b::int4[], %b::int8[], %b::timestamptz[], %b::timestamptz[], %b::int8[])
    as a (place, contact_id, since, until, enrolment_id)
join workflows_move m on m.enrolment_id = a.enrolment_id and m.node = %b
where exists (
    select from contacts_event e
    where e.contact_id = a.contact_id and e.kind = %b and not e.machine
      and e.occurred_at between a.since and a.until and e.message_id = m.message_id
)
"""

Asked = Sequence[tuple[Journey, Outcome]]


def find(asked: Asked, *, now: datetime) -> None:
    """Give every journey the answer to its question, or let it wait where there is none."""
    kinds: dict[type, list[tuple[Journey, Any]]] = defaultdict(list)
    for one, out in asked:
        kinds[type(out.stopped)].append((one, out.stopped))
    for kind, askers in kinds.items():
        _FIND[kind](askers, now)


def _send(asked: Sequence[tuple[Journey, AskSend]], now: datetime) -> None:
    """Have the messages accepted; the row that stands for each says what became of it."""
    pinned = templates.load({one.version.templates[ask.step.id] for one, ask in asked})
    orders = [_order(one, ask, pinned, now=now) for one, ask in asked]
    for (one, _), message in zip(asked, outbox.enqueue(orders, now=now), strict=True):
        one.message_id = message.message_id
        refused = message.state == "refused"
        one.answer = TurnedAway(message.refusal_code) if refused else True


def _order(
    journey: Journey, ask: AskSend, pinned: Mapping[UUID, templates.Loaded], *, now: datetime
) -> outbox.Order:
    node = ask.step.id
    template_version = journey.version.templates[node]
    return outbox.Order(
        contact_id=journey.contact_id,
        template_version=template_version,
        purpose=pinned[template_version].purpose,
        source=journey.version.workflow_id,
        step=node,
        visit=0,
        occurrence=journey.occurrence,
        due_at=now,
        path_classes=journey.version.path_classes.get(node, frozenset()),
        not_after=now + ask.step.stale_after,
    )


def _look_back(asked: Sequence[tuple[Journey, AskHappened]], _now: datetime) -> None:
    """Ask the event log, with one statement for each kind of event and message asked about."""
    kinds: dict[Happened, list[tuple[Journey, AskHappened]]] = defaultdict(list)
    for one, ask in asked:
        kinds[ask.happened].append((one, ask))
    for happened, askers in kinds.items():
        did = _who_did(happened, askers)
        judged = visits.awaited([one.contact_id for one, _ in askers], happened.event)
        for place, (one, ask) in enumerate(askers):
            seen = [due for at, due in judged.get(one.contact_id, ()) if at <= ask.until]
            if place not in did and seen:
                # It may be a person's: in a minute it is known, and counts by when it was.
                one.stopped = Stay(max(seen), waiting_for=happened.event)
            else:
                one.answer = place in did


def _who_did(happened: Happened, askers: Sequence[tuple[Journey, AskHappened]]) -> set[int]:
    columns: list[object] = [
        list(range(len(askers))),
        [one.contact_id for one, _ in askers],
        [ask.since for _, ask in askers],
        [ask.until for _, ask in askers],
    ]
    if happened.of:
        columns += [[one.id for one, _ in askers], happened.of]
    with binary_cursor() as cursor:
        statement = HAPPENED_TO_MESSAGE if happened.of else HAPPENED
        cursor.execute(statement.encode(), [*columns, happened.event])
        return {row[0] for row in cursor.fetchall()}


def _look_up(asked: Sequence[tuple[Journey, AskSegment]], now: datetime) -> None:
    """Evaluate each condition once for all who stand before it.

    A condition that cannot be read any more (its segment was broken or deleted) decides nothing:
    the people wait, and are tried again. They are never sent down a way that nobody chose.
    """
    conditions: dict[InSegment, list[Journey]] = defaultdict(list)
    for one, ask in asked:
        conditions[ask.condition].append(one)
    for condition, people in conditions.items():
        inside = _inside(condition.definition, people, now)
        for one in people:
            if inside is None:
                one.stopped = Stay(now + RETRY)
            else:
                one.answer = one.contact_id in inside


def _inside(tree: Mapping[str, Any], people: Sequence[Journey], now: datetime) -> set[int] | None:
    """Return who of them is in the segment; None where it cannot be asked."""
    try:
        return audience.among(tree, [one.contact_id for one in people], now=now)
    except DefinitionInvalid:
        return None


def _foresee(asked: Sequence[tuple[Journey, AskForeseen]], now: datetime) -> None:
    """Ask each forecast once for all who stand before it; who is not known yet waits a while."""
    conditions: dict[Foreseen, list[tuple[Journey, AskForeseen]]] = defaultdict(list)
    for one, ask in asked:
        conditions[ask.condition].append((one, ask))
    for condition, askers in conditions.items():
        found = foreseeing.among(condition, [one.contact_id for one, _ in askers], now=now)
        for one, ask in askers:
            answer = found[one.contact_id]
            if answer is None and now < ask.since + foreseeing.PATIENCE:
                one.stopped = Stay(now + RETRY)
            else:
                one.answer = answer is True


def _look_up_first(asked: Sequence[tuple[Journey, AskFirst]], now: datetime) -> None:
    """Ask the conditions of a step in order, each of those alone whom none before it took."""
    steps: dict[tuple[Condition, ...], list[tuple[Journey, AskFirst]]] = defaultdict(list)
    for one, ask in asked:
        steps[ask.conditions].append((one, ask))
    for conditions, askers in steps.items():
        left = askers
        for place, condition in enumerate(conditions):
            _answer_condition(condition, left, now)
            for one, _ in left:
                if one.answer is True:
                    one.answer = Chosen(place)
            left = [(one, ask) for one, ask in left if one.answer is False]
        for one, _ in left:
            one.answer = Chosen(-1)


def _answer_condition(
    condition: Condition, askers: Sequence[tuple[Journey, AskFirst]], now: datetime
) -> None:
    if isinstance(condition, Happened):
        _look_back([(one, AskHappened(condition, a.since, a.until)) for one, a in askers], now)
    elif isinstance(condition, Foreseen):
        _foresee([(one, AskForeseen(condition, a.arrived_at)) for one, a in askers], now)
    else:
        _look_up([(one, AskSegment(condition)) for one, _ in askers], now)


def _admit(asked: Sequence[tuple[Journey, AskAdmission]], now: datetime) -> None:
    """Let in who is in the one segment of the trigger and not in the other."""
    versions: dict[UUID, list[Journey]] = defaultdict(list)
    for one, _ in asked:
        versions[one.version.id].append(one)
    for people in versions.values():
        trigger = people[0].version.graph.trigger
        for segment, wanted in ((trigger.only, True), (trigger.never, False)):
            left = [one for one in people if one.answer is not False and one.stopped is None]
            inside = _inside(audience.of(segment), left, now) if segment and left else None
            for one in left if segment else ():
                if inside is None:
                    one.stopped, one.answer = Stay(now + RETRY), None
                else:
                    one.answer = (one.contact_id in inside) is wanted


def _draw(asked: Sequence[tuple[Journey, AskLot]], _now: datetime) -> None:
    won = deciding.winners({one.version.id: one.version for one, _ in asked}.values())
    for one, ask in asked:
        drawn = lots.drawn(one.version.workflow_id, ask.node, one.contact_id, one.occurrence)
        one.answer = Lot(drawn, won.get((one.version.id, ask.node), ""))


def _have_done(asked: Sequence[tuple[Journey, AskTask]], now: datetime) -> None:
    wanted = [
        staff_tasks.Wanted(
            enrolment_id=one.id,
            workflow_id=one.version.workflow_id,
            contact_id=one.contact_id,
            node=ask.step.id,
            title=ask.step.title,
            due_at=ask.since + ask.step.patience,
        )
        for one, ask in asked
    ]
    states = staff_tasks.open_or_read(wanted, now=now)
    over = []
    for one, ask in asked:
        state = states[one.id, ask.step.id]
        one.answer = TaskIs(state)
        if state == "open" and now >= ask.since + ask.step.patience:
            over.append((one.id, ask.step.id))
    if over:
        staff_tasks.close(over, now=now)


def _have_called(asked: Sequence[tuple[Journey, AskCall]], now: datetime) -> None:
    wanted = [
        calls.Wanted(
            enrolment_id=one.id,
            workflow_id=one.version.workflow_id,
            endpoint_id=ask.step.endpoint,
            node=ask.step.id,
            deadline=ask.since + ask.step.patience,
        )
        for one, ask in asked
    ]
    became = calls.open_or_read(wanted, now=now)
    for one, ask in asked:
        one.answer = became[one.id, ask.step.id]


_FIND: dict[type[Ask], Callable[[Any, datetime], None]] = {
    AskSend: _send,
    AskHappened: _look_back,
    AskSegment: _look_up,
    AskForeseen: _foresee,
    AskFirst: _look_up_first,
    AskAdmission: _admit,
    AskLot: _draw,
    AskClock: clocks.tell,
    AskTask: _have_done,
    AskCall: _have_called,
}
