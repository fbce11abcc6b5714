"""The people behind a report's figures: what each got, what they did with it, and where they are.

For readers whose role sees all that the journey's steps ask; the caller says so in the trail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import tenancy
from marketing.reports.cohort import ANSWERED, CLICKED, ENTERED, KINDS, OPENED, Cohort
from messaging.models import Message

PAGE = 50
_MESSAGE = """
exists (
    select from messaging_message m
    where m.organisation_id = %(organisation)s and m.source = e.workflow_id
      and m.contact_id = e.contact_id and m.occurrence = e.occurrence
      and (%(step)s = '' or m.step = %(step)s) and {that})
"""
_DID = """
exists (
    select from contacts_event ev
    where ev.message_id = m.id and ev.contact_id = m.contact_id and ev.kind = '{kind}'
      and ev.machine = {machine})
"""
_HERE = "(%(step)s = '' or e.node = %(step)s)"
_STATES = {
    "sent": "('sent')",
    "refused": "('refused')",
    "failed": "('failed', 'unknown', 'cancelled')",
    "waits": "('queued', 'paused', 'claimed', 'handing_over', 'deferred')",
}


def _did(kind: str, *, machine: bool = False) -> str:
    said = _DID.format(kind=kind, machine="true" if machine else "false")
    return _MESSAGE.format(that=said)


@dataclass(frozen=True, slots=True)
class Who:
    """Whom one may ask for: in a word, in words, and as a condition on the enrolment `e`."""

    label: str
    words: str
    that: str


WHO: dict[str, Who] = {
    "": Who("Everybody", "who entered", "true"),
    "sent": Who("Sent", "who was sent it", _MESSAGE.format(that=f"m.state in {_STATES['sent']}")),
    "opened": Who("Opened", "who opened it", _did(OPENED)),
    "clicked": Who("Clicked", "who followed a link", _did(CLICKED)),
    "answered": Who("Answered", "who answered", _did(ANSWERED)),
    "programs": Who("Programs", "whose program opened it", _did(OPENED, machine=True)),
    "refused": Who(
        "Refused", "who was refused it", _MESSAGE.format(that=f"m.state in {_STATES['refused']}")
    ),
    "failed": Who(
        "Failed", "whom it did not reach", _MESSAGE.format(that=f"m.state in {_STATES['failed']}")
    ),
    "waits": Who(
        "Waiting", "for whom it waits", _MESSAGE.format(that=f"m.state in {_STATES['waits']}")
    ),
    "inside": Who("Here now", "who is here now", f"e.state = 'waiting' and {_HERE}"),
    "left": Who("Left", "who left before the end", f"e.state = 'stopped' and {_HERE}"),
    "goal": Who("Goal", "who left by reaching a goal", "e.outcome like 'goal:%%'"),
}
"""What can be asked for; `step` narrows it."""

_PEOPLE = f"""
with {ENTERED}
select e.id, e.contact_id, c.public_id, e.entered_at, e.state, e.node, e.outcome, e.ended_at,
       e.occurrence, e.workflow_id
from entered e join contacts_contact c on c.id = e.contact_id
where e.id > %(after)s and {{that}}
order by e.id limit %(limit)s
"""
_HEARD = """
select message_id, kind, machine, min(occurred_at) from contacts_event
where organisation_id = %(organisation)s and contact_id = any(%(contacts)s)
  and message_id = any(%(messages)s) and kind = any(%(kinds)s)
group by 1, 2, 3
"""


@dataclass(slots=True)
class Got:
    """One message, and when first a person, or a program, did what with it."""

    message: Message
    people: dict[str, datetime] = field(default_factory=dict)
    programs: dict[str, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """One way through the journey. `node` is where they are, or where they left."""

    id: int
    contact_id: int
    public_id: UUID
    entered_at: datetime
    state: str
    node: str
    outcome: str
    ended_at: datetime | None
    got: list[Got] = field(default_factory=list)


def page(
    cohort: Cohort, *, who: str = "", step: str = "", after: int = 0, limit: int = PAGE
) -> list[Person]:
    """Return people in the order of their entering, beginning behind `after`.

    KeyError for a `who` that is none of WHO.
    """
    query = _PEOPLE.format(that=WHO[who].that)
    rows = cohort.rows(query, step=step, after=after, limit=limit)
    people = {row[0]: Person(*row[:8]) for row in rows}
    _take_messages(cohort, people, {(row[1], row[8]): row[0] for row in rows})
    return list(people.values())


def _take_messages(
    cohort: Cohort, people: dict[int, Person], places: dict[tuple[int, str], int]
) -> None:
    contacts = [contact for contact, _ in places]
    sent = Message.objects.filter(
        source=cohort.version.workflow_id, contact_id__in=contacts
    ).order_by("id")
    found: dict[int, Got] = {}
    for message in sent.defer("permit", "merge"):
        place = places.get((message.contact_id, message.occurrence))
        if place is not None:
            found[message.pk] = Got(message)
            people[place].got.append(found[message.pk])
    for message_id, heard in _heard(cohort, contacts, list(found)).items():
        for kind, machine, at in heard:
            got = found[message_id]
            (got.programs if machine else got.people)[kind.removeprefix("message.")] = at


def _heard(
    cohort: Cohort, contacts: Sequence[int], messages: Sequence[int]
) -> dict[int, list[tuple[Any, ...]]]:
    asked = {
        "organisation": tenancy.current(),
        "contacts": contacts,
        "messages": messages,
        "kinds": list(KINDS),
    }
    found: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    if messages:
        for message_id, *rest in cohort.rows(_HEARD, **asked):
            found[message_id].append(tuple(rest))
    return found
