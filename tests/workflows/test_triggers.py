"""What happens to people lets them in, wakes them, or stops them. Commits are real here."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import events
from contacts.events import NewEvent
from contacts.records import Change, upsert
from contacts.segments import membership
from contacts.segments.models import Segment
from messaging.hearing import visits
from messaging.hearing.visits import Came
from messaging.models import Message, Visit
from tests.conftest import NOON
from tests.messaging.test_machines import FIREFOX
from tests.workflows.conftest import Publish, people, sign
from tests.workflows.test_runner import click, go, happened, mail, places
from workflows import runner, triggers
from workflows.models import Enrolment, Move, Workflow

pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)
MISSED = {"kind": "event", "event": "appointment.missed"}


def test_an_event_lets_a_person_in_once(publish: Publish, ada: int) -> None:
    workflow = publish(trigger=MISSED)
    for _ in range(2):
        happened(ada, "appointment.missed", at=NOON)
        triggers.run_once(now=NOON)
    assert places(workflow) == {ada: "educate"}


def test_an_event_can_let_a_person_in_each_time(publish: Publish, ada: int) -> None:
    publish(trigger={**MISSED, "again": "each"})
    for _ in range(2):
        happened(ada, "appointment.missed", at=NOON)
    triggers.run_once(now=NOON)
    assert Enrolment.objects.count() == 2


def test_an_event_is_taken_in_once(publish: Publish, ada: int) -> None:
    publish(trigger=MISSED)
    triggers.run_once(now=NOON)
    happened(ada, "appointment.missed", at=NOON)
    assert [triggers.run_once(now=NOON).events for _ in "ab"] == [1, 0]


def test_an_event_still_being_written_is_waited_for(publish: Publish, ada: int) -> None:
    """An event that commits after a later one was read is not skipped."""
    workflow = publish(trigger=MISSED)
    triggers.run_once(now=NOON)
    organisation = tenancy.current()
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with (
            acting_as(Actor("system", "test")),
            tenancy.acting_for(organisation),
            transaction.atomic(),
        ):
            happened(ada, "appointment.missed", at=NOON)
            written.set()
            go_on.wait(10)
        connection.close()

    writer = threading.Thread(target=slow)
    writer.start()
    written.wait(10)
    happened(ada, "appointment.booked", at=NOON)
    early = triggers.run_once(now=NOON)
    go_on.set()
    writer.join()
    triggers.run_once(now=NOON)
    assert early.entered == 0 and places(workflow) == {ada: "educate"}


def test_entering_a_segment_lets_people_in(publish: Publish, women: str, ada: int) -> None:
    workflow = publish(trigger={"kind": "segment", "segment": women})
    membership.refresh(Segment.objects.get(id=women), now=NOON)
    triggers.run_once(now=NOON)
    assert places(workflow) == {ada: "educate"}


def test_who_was_in_the_segment_before_is_let_in_where_asked(
    publish: Publish, women: str, ada: int
) -> None:
    membership.refresh(Segment.objects.get(id=women), now=NOON)
    people("man", gender="male")
    triggers.run_once(now=NOON)
    workflow = publish(trigger={"kind": "segment", "segment": women, "present": True})
    triggers.run_once(now=NOON)
    assert places(workflow) == {ada: "educate"}


def test_who_was_in_the_segment_before_stays_out_otherwise(
    publish: Publish, women: str, ada: int
) -> None:
    membership.refresh(Segment.objects.get(id=women), now=NOON)
    triggers.run_once(now=NOON)
    workflow = publish(trigger={"kind": "segment", "segment": women})
    triggers.run_once(now=NOON)
    assert places(workflow) == {}


def test_a_click_wakes_the_person_at_once(publish: Publish, ada: int) -> None:
    """CA-04"""
    workflow = publish()
    go(workflow, ada)
    triggers.run_once(now=NOON)
    click(ada, at=NOON + DAY)
    assert triggers.run_once(now=NOON + DAY).woken == 1
    runner.run_once(now=NOON + DAY)
    assert mail(ada)[1:] == ["invite:queued"]


def test_a_click_of_a_machine_wakes_nobody(publish: Publish, ada: int) -> None:
    go(publish(), ada)
    triggers.run_once(now=NOON)
    click(ada, at=NOON + DAY, machine=True)
    assert triggers.run_once(now=NOON + DAY).woken == 0


def test_a_click_that_comes_late_or_twice_changes_nothing(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    runner.run_once(now=NOON + 3 * DAY)
    for _ in range(2):
        click(ada, at=NOON + DAY)
    triggers.run_once(now=NOON + 4 * DAY)
    runner.run_once(now=NOON + 4 * DAY)
    assert mail(ada) == ["educate:queued", "remind:queued"] and places(workflow)[ada] == "finished"


def test_death_ends_every_journey(publish: Publish, ada: int) -> None:
    """HD-06, PR-36"""
    workflow = publish()
    go(workflow, ada)
    dead = Change(source="ehr", record_number="ada", values={"deceased": True})
    upsert([dead], now=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    assert places(workflow) == {ada: "deceased"}


def test_two_workers_move_nobody_twice(publish: Publish, at_harbor: Organisation) -> None:
    """EM-10"""
    from workflows import enrol

    workflow = publish()
    some = people(*(f"p{number}" for number in range(120)))
    sign(some)
    enrol.enrol(workflow.id, some, now=NOON)
    moved: list[int] = []

    def work() -> None:
        with acting_as(Actor("system", "test")), tenancy.acting_for(at_harbor.pk):
            while claimed := runner.run_once(now=NOON, limit=7).claimed:
                moved.append(claimed)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sum(moved) == Message.objects.count() == Move.objects.count() == 120


KILLED_AT = ["written.write", "answers.find", "effects.apply", "trail.record"]


@pytest.mark.parametrize("place", KILLED_AT)
def test_a_worker_killed_anywhere_loses_nobody_and_repeats_nothing(
    publish: Publish, at_harbor: Organisation, place: str
) -> None:
    """EM-10: kill -9 right after each part of a run; another worker finishes the work."""
    from workflows import enrol

    workflow = publish()
    some = people(*(f"p{number}" for number in range(20)))
    sign(some)
    enrol.enrol(workflow.id, some, now=NOON)
    connection.close()
    child = os.fork()
    if child == 0:
        _run_until(place, at_harbor.pk)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert Message.objects.count() == 0
    runner.run_once(now=NOON)
    assert Message.objects.count() == Move.objects.count() == 20


def _run_until(place: str, organisation: int) -> None:
    """In the child: run, and die without a word right after the named part."""
    room, name = place.split(".")
    module: Any = getattr(runner, room)
    whole = getattr(module, name)

    def part(*args: Any, **kwargs: Any) -> None:
        whole(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, part)
    with acting_as(Actor("system", "test")), tenancy.acting_for(organisation):
        runner.run_once(now=NOON)
    os._exit(0)


def test_a_paused_workflow_lets_nobody_in(publish: Publish, ada: int) -> None:
    workflow = publish(trigger=MISSED)
    Workflow.objects.filter(id=workflow.id).update(state="paused")
    events.append([NewEvent(contact_id=ada, kind="appointment.missed", occurred_at=NOON)], now=NOON)
    triggers.run_once(now=NOON)
    assert places(workflow) == {}


def visited(contact_id: int, at: datetime, *, agent: str = FIREFOX) -> None:
    message = Message.objects.select_related("version").get(contact_id=contact_id, step="educate")
    Message.objects.filter(pk=message.pk).update(handed_over_at=NOON)
    message.refresh_from_db()
    visits.note(message, "message.clicked", Came(agent), number=0, now=at)


def test_tr05_a_programs_click_moves_nobody_and_a_persons_does_after_a_minute(
    publish: Publish, ada: int
) -> None:
    """CA-04: the scanner comes first, and the reader an hour later."""
    go(publish(), ada)
    triggers.run_once(now=NOON)
    visited(ada, NOON + timedelta(minutes=5), agent="curl/8.0")
    assert triggers.run_once(now=NOON + timedelta(minutes=6)).woken == 0
    read = NOON + timedelta(hours=1)
    visited(ada, read)
    assert triggers.run_once(now=read).woken == 0
    visits.run_once(now=read + visits.WAIT)
    assert triggers.run_once(now=read + visits.WAIT).woken == 1
    runner.run_once(now=read + visits.WAIT)
    assert mail(ada)[1:] == ["invite:queued"]


def test_tr05_judging_again_moves_nobody_a_second_time(publish: Publish, ada: int) -> None:
    workflow = publish()
    go(workflow, ada)
    triggers.run_once(now=NOON)
    visited(ada, NOON + DAY, agent="curl/8.0")
    runner.run_once(now=NOON + 3 * DAY)
    assert mail(ada)[1:] == ["remind:queued"]
    row = Visit.objects.get()
    row.agent = FIREFOX
    row.save()
    visits.again(since=NOON, now=NOON + 4 * DAY)
    visits.run_once(now=NOON + 4 * DAY)
    assert triggers.run_once(now=NOON + 4 * DAY).woken == 0
    runner.run_once(now=NOON + 5 * DAY)
    assert mail(ada)[1:] == ["remind:queued"]


def test_a_click_in_the_last_minute_is_judged_before_the_deadline_decides(
    publish: Publish, ada: int
) -> None:
    go(publish(), ada)
    deadline = NOON + 3 * DAY
    visited(ada, deadline - timedelta(seconds=20))
    runner.run_once(now=deadline)
    assert mail(ada)[1:] == []
    later = deadline + timedelta(seconds=40)
    visits.run_once(now=later)
    triggers.run_once(now=later)
    runner.run_once(now=later)
    assert mail(ada)[1:] == ["invite:queued"]
