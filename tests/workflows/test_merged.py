"""What waits for two contacts that become one person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contacts import erase
from contacts.merge import acts
from messaging.models import Message
from tests.conftest import NOON
from tests.workflows.conftest import Publish
from tests.workflows.test_runner import go, mail, places
from workflows import runner, triggers
from workflows.models import Enrolment

LATER = NOON + timedelta(hours=1)


def test_a_waiting_enrolment_goes_with_the_person_and_comes_back(
    publish: Publish, ada: int, cleo: int
) -> None:
    workflow = publish()
    go(workflow, ada)
    made = acts.merge(cleo, ada, now=NOON)
    merged = places(workflow)
    acts.undo(made.pk, now=LATER)
    assert (merged, places(workflow)) == ({cleo: "clicked"}, {ada: "clicked"})


def test_whom_the_workflow_has_twice_it_has_once(publish: Publish, ada: int, cleo: int) -> None:
    workflow = publish()
    go(workflow, ada, cleo)
    made = acts.merge(cleo, ada, now=NOON)
    merged = places(workflow)[ada]
    acts.undo(made.pk, now=LATER)
    assert merged == "merged"
    assert Enrolment.objects.get(contact_id=ada).state == "waiting"


def test_a_queued_message_goes_with_the_person(publish: Publish, ada: int, cleo: int) -> None:
    go(publish(), ada)
    made = acts.merge(cleo, ada, now=NOON)
    merged = mail(cleo)
    acts.undo(made.pk, now=LATER)
    assert (merged, mail(ada)) == (["educate:queued"], ["educate:queued"])


def test_one_message_to_both_is_not_sent_twice(publish: Publish, ada: int, cleo: int) -> None:
    go(publish(), ada, cleo)
    Message.objects.filter(contact_id=cleo).update(state="queued", refusal_code="")
    acts.merge(cleo, ada, now=NOON)
    assert Message.objects.filter(contact_id=cleo).count() == 1


@pytest.mark.usefixtures("committed_db")
def test_hd06_death_that_a_merge_brings_stops_what_waits(
    publish: Publish, ada: int, cleo: int
) -> None:
    """HD-06, PR-36"""
    from contacts.amending import amend

    workflow = publish()
    go(workflow, ada)
    amend({cleo: {"deceased": True}}, source="staff", now=NOON)
    acts.merge(ada, cleo, now=NOON)
    triggers.run_once(now=LATER)
    runner.run_once(now=LATER)
    assert places(workflow)[ada] == "deceased"


def test_erasing_a_person_stops_the_way_and_cancels_what_waits(publish: Publish, ada: int) -> None:
    """SE-06"""
    workflow = publish()
    go(workflow, ada)
    told = erase.foresee(ada).gone
    erase.erase(ada, now=NOON)
    assert (told["journeys"], told["messages_waiting"]) == (1, 1)
    assert places(workflow) == {ada: "erased"}
    (message,) = Message.objects.filter(contact_id=ada)
    assert (message.state, message.refusal_code) == ("cancelled", "erased")
