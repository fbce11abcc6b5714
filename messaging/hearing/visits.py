"""Openings and links followed: noted at once, judged when their neighbours are known.

    note    write the visit; surely a program's is settled at once, anything else waits a minute
    settle  judge what is due by all that came to the message, and write the contacts' events
    again   the same for what was settled, by today's rules: the event's mark changes, and nobody
            is moved a second time, for events are heard once, when they are written

A person's branch waits for the event, so what a scanner does first moves nobody (TR-05).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, QuerySet

from accounts import tenancy
from audit import trail
from contacts import events, persons
from contacts.models import Contact
from contacts.segments.live import touches
from crypto import blind_index
from messaging import machines
from messaging.machines import Trace, Verdict
from messaging.models import Link, Message, Visit

AT_ONCE: Final = 500
WAIT: Final = machines.TOGETHER
AGENT_KEPT: Final = timedelta(days=30)
"""What a program called itself is forgotten after so long; verdict and evidence stay (TR-03)."""
OPENED: Final = "message.opened"
CLICKED: Final = "message.clicked"


@dataclass(frozen=True, slots=True)
class Came:
    """How a request came: what the verdict on person or program is made from."""

    user_agent: str
    method: str = "GET"
    purpose: str = ""


@transaction.atomic
def note(
    message: Message,
    kind: str,
    came: Came,
    *,
    number: int | None = None,
    at: datetime | None = None,
    now: datetime,
) -> Verdict:
    """Write a visit down, with when it was if not just now; of an erased contact's mail nothing is
    kept."""
    at = at or now
    verdict = _alone(came, at=at, sent_at=message.handed_over_at)
    person = persons.standing_for([message.contact_id])[message.contact_id]
    if not Contact.objects.filter(id=person, erased_at=None).exists():
        return verdict
    agent = came.user_agent[:400]
    row = Visit.objects.create(
        message_id=message.pk,
        contact_id=person,
        kind=kind,
        number=number,
        at=at,
        method=came.method[:8],
        purpose=came.purpose[:40],
        agent=agent,
        agent_mark=blind_index.token(tenancy.current(), "user_agent", agent),
        evidence=list(verdict.reasons),
        due_at=now if verdict.machine else now + WAIT,
    )
    if verdict.machine:
        _settle([row], now=now)
    return verdict


@transaction.atomic
def run_once(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Judge what is due; return how many visits that were."""
    rows = list(
        Visit.objects.select_for_update(skip_locked=True)
        .filter(due_at__lte=now)
        .order_by("due_at", "id")[:limit]
    )
    if rows:
        _settle(rows, now=now)
    return len(rows)


def again(*, since: datetime, now: datetime) -> int:
    """Have everything settled since then judged by today's rules; return how much that is."""
    rows = Visit.objects.filter(settled_at__isnull=False, due_at=None, at__gte=since)
    count = rows.update(due_at=now)
    trail.record("engagement.rescored", detail={"count": count, "rules": machines.RULES})
    return count


def forget_agents(*, now: datetime) -> int:
    rows = Visit.objects.filter(at__lt=now - AGENT_KEPT, due_at=None, agent__isnull=False)
    return rows.update(agent=None)


def forget(contact_ids: Sequence[int], _: datetime) -> None:
    """Drop what erased people's programs called themselves, in the erasing transaction."""
    Visit.objects.filter(contact_id__in=contact_ids).update(agent=None)


def awaited(contact_ids: Collection[int], kind: str) -> dict[int, list[tuple[datetime, datetime]]]:
    """Return when these people's visits were that are not judged yet, and when each will be."""
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    if kind not in (OPENED, CLICKED):
        return found
    rows = Visit.objects.filter(due_at__isnull=False, settled_at=None, kind=kind)
    told = rows.filter(contact_id__in=contact_ids).values_list("contact_id", "at", "due_at")
    for contact_id, at, due_at in told:
        if due_at is not None:
            found[contact_id].append((at, due_at))
    return found


def verdicts(*, since: datetime) -> dict[UUID, str]:
    """What each settled visit since then was taken for."""
    rows = Visit.objects.filter(at__gte=since, settled_at__isnull=False)
    return dict(rows.values_list("pk", "verdict"))


def counted(rows: QuerySet[Visit]) -> dict[str, dict[str, int]]:
    """How many by kind and verdict."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    told = rows.exclude(verdict="").values_list("kind", "verdict").annotate(number=Count("id"))
    for kind, verdict, number in told.order_by():
        found[kind.removeprefix("message.")][verdict] = number
    return dict(found)


def _settle(rows: Sequence[Visit], *, now: datetime) -> None:
    messages = Message.objects.select_related("version").in_bulk({row.message_id for row in rows})
    beside, links = _traces(messages), _links(messages.values())
    fresh, changed = [], []
    for row in rows:
        message = messages[row.message_id]
        verdict = _judged(row, message, beside[row.message_id], links=links[message.version_id])
        if row.settled_at is None:
            fresh.append(row)
        elif (row.verdict == Visit.Verdict.MACHINE) != verdict.machine:
            changed.append(row)
        row.evidence, row.verdict = list(verdict.reasons), verdict.name
        row.rules, row.due_at, row.settled_at = machines.RULES, None, row.settled_at or now
    Visit.objects.bulk_update(rows, ["evidence", "verdict", "rules", "due_at", "settled_at"])
    _write(fresh, messages, now=now)
    _mark(changed, now=now)


def _judged(row: Visit, message: Message, beside: Sequence[Trace], *, links: int) -> Verdict:
    own: Collection[str] = [one for one in row.evidence if one not in _OF_NEIGHBOURS]
    if row.agent is not None:
        came = Came(row.agent, row.method, row.purpose)
        own = _alone(came, at=row.at, sent_at=message.handed_over_at).reasons
    trace = Trace(row.at, row.number, bytes(row.agent_mark))
    return machines.verdict_of([*own, *machines.together(trace, beside, links=links)])


_OF_NEIGHBOURS: Final = frozenset({"burst", "all_links", "second_agent"})


def _alone(came: Came, *, at: datetime, sent_at: datetime | None) -> Verdict:
    return machines.judge(
        method=came.method,
        user_agent=came.user_agent,
        at=at,
        sent_at=sent_at,
        purpose=came.purpose,
    )


def _traces(messages: Mapping[int, Message]) -> dict[int, list[Trace]]:
    found: dict[int, list[Trace]] = defaultdict(list)
    rows = Visit.objects.filter(message_id__in=list(messages))
    told = rows.values_list("message_id", "at", "number", "agent_mark")
    for message_id, at, number, mark in told:
        found[message_id].append(Trace(at, number, bytes(mark)))
    return found


def _links(messages: Iterable[Message]) -> dict[object, int]:
    """How many links each version has."""
    ids = {message.version_id for message in messages}
    rows = Link.objects.filter(version_id__in=ids).values_list("version_id")
    counts = dict(rows.annotate(number=Count("id")).order_by())
    return {one: counts.get(one, 0) for one in ids}


def _write(rows: Sequence[Visit], messages: Mapping[int, Message], *, now: datetime) -> None:
    """Write the events; who was erased since has none."""
    standing = persons.standing_for({row.contact_id for row in rows})
    there = Contact.objects.filter(pk__in=set(standing.values()), erased_at=None)
    living = set(there.values_list("pk", flat=True))
    labels = _labels(rows, messages)
    found = []
    for row in rows:
        message, person = messages[row.message_id], standing[row.contact_id]
        if person in living:
            found.append(
                events.NewEvent(
                    contact_id=person,
                    through=message.contact_id if message.contact_id != person else None,
                    kind=row.kind,
                    occurred_at=row.at,
                    source="mail",
                    campaign=message.version.template_id,
                    message_id=message.pk,
                    link=labels.get((message.version_id, row.number), ""),
                    machine=row.verdict == Visit.Verdict.MACHINE,
                )
            )
    events.append(found, now=now)


def _labels(
    rows: Sequence[Visit], messages: Mapping[int, Message]
) -> dict[tuple[object, int | None], str]:
    versions = {messages[row.message_id].version_id for row in rows if row.number is not None}
    links = Link.objects.filter(version_id__in=versions)
    return {
        (version, number): label
        for version, number, label in links.values_list("version_id", "number", "label")
    }


_MARK = """
UPDATE contacts_event e SET machine = u.machine
FROM unnest(%s::int8[], %s::text[], %s::timestamptz[], %s::bool[])
    AS u (message_id, kind, at, machine)
WHERE e.organisation_id = %s AND e.message_id = u.message_id AND e.kind = u.kind
  AND e.occurred_at = u.at AND e.source = 'mail' AND e.contact_id = ANY(%s)
"""


def _mark(rows: Sequence[Visit], *, now: datetime) -> None:
    """Change what the events say of program or person. Segments that count them look again."""
    if not rows:
        return
    people = sorted(set(persons.standing_for({row.contact_id for row in rows}).values()))
    given: list[Any] = [
        [row.message_id for row in rows],
        [row.kind for row in rows],
        [row.at for row in rows],
        [row.verdict == Visit.Verdict.MACHINE for row in rows],
        tenancy.current(),
        people,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_MARK, given)
    touches.touch(people, "record", now=now)
