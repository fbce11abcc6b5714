"""Killed at any statement of a turn or of event intake: nothing is doubled, nobody is lost.

The short form kills at every seventh place, the full one at each: `pytest tests/workflows -m full`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Organisation
from contacts import events, lists
from contacts.events import NewEvent
from contacts.models import ContactList, Event, ListMember
from messaging.models import Message, Template
from tests.conftest import NOON
from tests.workflows.conftest import people, sign
from tests.workflows.faults.killing import killed_at_every_statement
from tests.workflows.graphs import series
from workflows import publishing, runner, triggers
from workflows.models import Enrolment, Move, StaffTask

pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)
SENDS = ("educate", "invite", "remind")
TRIGGER = {
    "kind": "event",
    "event": "visit.done",
    "key": "ref",
    "date": "begins",
    "moved": ["visit.moved"],
    "stops": ["visit.cancelled"],
}
EVERY = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.full)])


@pytest.fixture
def lost(at_harbor: Organisation) -> ContactList:
    return lists.create("Not reached", now=NOON)


@pytest.fixture
def journey(mails: dict[str, Template], lost: ContactList) -> None:
    """A way with each kind of step that writes, entered once for each visit."""
    raw = series(
        **{slug: {"template": str(one.id)} for slug, one in mails.items()},
        clicked={"unheard": "call"},
    )
    raw["trigger"] = TRIGGER
    raw["nodes"][0] |= {"refused": "lost", "next": "note"}
    raw["nodes"] += [
        {"id": "note", "kind": "update", "set": {"language": "es"}, "next": "clicked"},
        {"id": "lost", "kind": "list", "add": str(lost.id), "next": "end"},
        {"id": "call", "kind": "task", "title": "Call", "due": {"days": 1}}
        | {"done": "end", "failed": "end", "overdue": "morning"},
        {"id": "morning", "kind": "until", "at": "09:00", "next": "remind"},
        {"id": "booked", "kind": "goal", "event": "class.booked", "then": "exit"},
    ]
    made = publishing.create("Visits", slug="visits", draft=raw, now=NOON)
    publishing.publish(made.id, now=NOON)


def visit(contact_id: int, ref: str, kind: str = "visit.done", *, at: datetime) -> NewEvent:
    said = {"ref": ref, "begins": (at + 5 * DAY).isoformat()}
    return NewEvent(
        contact_id=contact_id, kind=kind, occurred_at=at, properties=said, key=f"{kind} {ref}"
    )


def sound(most: int) -> None:
    """What holds at any moment at which nobody works: what was begun and not committed is not."""
    inside = {one.id: one for one in Enrolment.objects.all()}
    assert len(inside) <= most
    assert len({(one.contact_id, one.occurrence) for one in inside.values()}) == len(inside)
    moves = list(Move.objects.order_by("left_at"))
    assert Counter(one.enrolment_id for one in moves) == Counter(
        {id_: len(one.path) for id_, one in inside.items() if one.path}
    )
    sent = Counter((one.contact_id, one.occurrence, one.step) for one in Message.objects.all())
    assert sent == Counter(
        (inside[one.enrolment_id].contact_id, inside[one.enrolment_id].occurrence, one.node)
        for one in moves
        if one.node in SENDS
    )
    tasks = Counter(StaffTask.objects.values_list("enrolment_id", "node"))
    assert not tasks or max(tasks.values()) == 1
    for one in inside.values():
        assert (one.due_at is None) == (one.state != "waiting") == (one.ended_at is not None)


def endure(act: Callable[[], object], at: Organisation, *, step: int, most: int) -> None:
    for _ in killed_at_every_statement(act, organisation=at.pk, step=step):
        sound(most)
    sound(most)


def all_turns(now: datetime) -> Callable[[], None]:
    def turns() -> None:
        while runner.run_once(now=now).claimed:
            pass

    return turns


def hears(now: datetime) -> Callable[[], None]:
    def intake() -> None:
        while triggers.run_once(now=now).events:
            pass

    return intake


@EVERY
def test_nothing_is_doubled_and_nobody_lost_wherever_a_worker_dies(  # noqa: PLR0915  # one journey, told in its order
    journey: None, at_harbor: Organisation, lost: ContactList, step: int
) -> None:
    """CA-15, EM-10: entries, answers, a stop, a death, deadlines; each turn killed everywhere."""
    agreed, others = people("a", "b", "c", "d"), people("e", "f")
    sign(agreed)
    first = [visit(one, f"v{one}", at=NOON) for one in [*agreed, *others]]
    second = visit(agreed[0], "again", at=NOON)
    most = len(first) + 1

    def everybody(act: Callable[[datetime], Callable[[], None]], now: datetime) -> None:
        endure(act(now), at_harbor, step=step, most=most)

    # The sender repeats itself, as one does who was not answered.
    endure(lambda: events.append([*first, second], now=NOON), at_harbor, step=step, most=most)
    events.append([*first, second], now=NOON)
    assert Event.objects.filter(kind="visit.done").count() == most
    everybody(hears, NOON)
    assert Enrolment.objects.count() == most
    everybody(all_turns, NOON)
    assert Counter(Enrolment.objects.values_list("node", flat=True)) == {"clicked": 5, "end": 2}

    happened(agreed[1], "message.clicked", about="educate")
    happened(agreed[3], "contact.deceased")
    ended = [
        visit(agreed[0], "again", "visit.cancelled", at=NOON + DAY),
        visit(agreed[2], f"v{agreed[2]}", "class.booked", at=NOON + DAY),
    ]
    events.append(ended, now=NOON + DAY)
    everybody(hears, NOON + DAY)
    everybody(all_turns, NOON + DAY)
    for late in (3 * DAY, 4 * DAY, 6 * DAY):
        everybody(all_turns, NOON + late)

    outcomes = Counter(Enrolment.objects.values_list("outcome", flat=True))
    assert outcomes == {
        "finished": 4, "goal:booked": 1, "deceased": 1, "stopped:visit.cancelled": 1
    }  # fmt: skip
    assert Counter(Message.objects.values_list("step", flat=True)) == {
        "educate": 7, "invite": 1, "remind": 1
    }  # fmt: skip
    assert ListMember.objects.filter(list=lost).count() == 2 and StaffTask.objects.count() == 1


def happened(contact_id: int, kind: str, *, about: str = "") -> None:
    message = Message.objects.get(contact_id=contact_id, step=about).id if about else None
    one: Any = NewEvent(
        contact_id=contact_id, kind=kind, occurred_at=NOON + DAY, message_id=message
    )
    events.append([one], now=NOON + DAY)
