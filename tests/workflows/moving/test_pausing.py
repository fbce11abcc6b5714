"""A backlog goes out only if somebody chose that (PEERS, pain 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.models import Message
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from tests.workflows.moving.test_migrating import inside
from workflows import runner
from workflows.models import Enrolment, Pause, Workflow
from workflows.moving import pausing

BACK = NOON + timedelta(days=10)


def run(*, now: object = BACK) -> None:
    while runner.run_once(now=now).claimed:  # type: ignore[arg-type]
        pass


@pytest.fixture
def stood(publish: Publish) -> Workflow:
    """Three people wait for a click when it is paused; ten days later their time is over."""
    workflow = publish()
    inside(workflow, 3)
    pausing.pause(workflow.id, now=NOON + timedelta(days=1))
    return workflow


def mails(step: str) -> int:
    return Message.objects.filter(step=step).count()


def test_nothing_goes_out_while_it_stands(stood: Workflow) -> None:
    run()
    assert mails("remind") == 0


def test_what_is_overdue_is_counted_by_step(stood: Workflow) -> None:
    (line,) = pausing.overdue(stood.id, now=BACK)
    assert (line.number, line.node, line.people) == (1, "clicked", 3)


def test_send_sends_what_is_overdue(stood: Workflow) -> None:
    pausing.resume(stood.id, choice="send", now=BACK)
    run()
    assert mails("remind") == 3


def test_skip_goes_past_the_next_message_without_sending_it(stood: Workflow) -> None:
    pausing.resume(stood.id, choice="skip", now=BACK)
    run()
    assert mails("remind") == 0
    assert set(Enrolment.objects.values_list("outcome", flat=True)) == {"finished"}


def test_shift_puts_everything_off_by_the_length_of_the_pause(stood: Workflow) -> None:
    pausing.resume(stood.id, choice="shift", now=BACK)
    run()
    assert mails("remind") == 0
    run(now=BACK + timedelta(days=2))
    assert mails("remind") == 3


def test_the_choice_is_on_record(stood: Workflow) -> None:
    pausing.resume(stood.id, choice="skip", now=BACK)
    kept = Pause.objects.get()
    assert (kept.choice, kept.overdue, kept.resumed_at) == ("skip", 3, BACK)


def test_only_what_is_paused_is_resumed(publish: Publish) -> None:
    assert not pausing.resume(publish().id, now=BACK)


def test_closed_takes_nobody_in_and_lets_people_finish(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    assert pausing.close(workflow.id, end_inside=False, now=NOON) == 0
    run()
    assert mails("remind") == 2


def test_closed_with_everybody_out_withdraws_what_waits(publish: Publish) -> None:
    workflow = publish()
    inside(workflow, 2)
    assert pausing.close(workflow.id, end_inside=True, now=NOON) == 2
    assert set(Message.objects.values_list("state", flat=True)) == {"cancelled"}
    assert set(Enrolment.objects.values_list("outcome", flat=True)) == {"stopped_by_staff"}
