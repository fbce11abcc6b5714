"""Answer what the engine asked, for many people at once, a statement for each kind of question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from contacts.segments.reading import DefinitionInvalid
from crypto.rows import binary_cursor
from messaging import outbox
from messaging import versions as templates
from messaging.hearing import visits
from workflows import audience
from workflows.engine import AskHappened, AskSegment, AskSend, Outcome, Stay, TurnedAway
from workflows.journeys import Journey
from workflows.steps import Happened, InSegment

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
    sends = [(one, out.stopped) for one, out in asked if isinstance(out.stopped, AskSend)]
    happened = [(one, out.stopped) for one, out in asked if isinstance(out.stopped, AskHappened)]
    segments = [(one, out.stopped) for one, out in asked if isinstance(out.stopped, AskSegment)]
    if sends:
        _send(sends, now=now)
    if happened:
        _look_back(happened)
    if segments:
        _look_up(segments, now=now)


def _send(asked: Sequence[tuple[Journey, AskSend]], *, now: datetime) -> None:
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


def _look_back(asked: Sequence[tuple[Journey, AskHappened]]) -> None:
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


def _look_up(asked: Sequence[tuple[Journey, AskSegment]], *, now: datetime) -> None:
    """Evaluate each condition once for all who stand before it.

    A condition that cannot be read any more (its segment was broken or deleted) decides nothing:
    the people wait, and are tried again. They are never sent down a way that nobody chose.
    """
    conditions: dict[InSegment, list[Journey]] = defaultdict(list)
    for one, ask in asked:
        conditions[ask.condition].append(one)
    for condition, people in conditions.items():
        try:
            ids = [one.contact_id for one in people]
            inside = audience.among(condition.definition, ids, now=now)
        except DefinitionInvalid:
            for one in people:
                one.stopped = Stay(now + RETRY)
            continue
        for one in people:
            one.answer = one.contact_id in inside
