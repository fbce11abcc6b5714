"""People who go the same way are written as one stretch, and each still has what is their own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from messaging.models import Message
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from workflows import enrol, journeys, runner, written
from workflows.journeys import Engine
from workflows.models import Enrolment, Move

MINUTE = timedelta(minutes=1)


def test_each_move_names_the_message_of_its_own_person(publish: Publish) -> None:
    """CA-15: refused and accepted in one turn, let in at two moments."""
    agreed = people("a", "b", "c")
    sign(agreed)
    workflow = publish()
    enrol.enrol(workflow.id, [agreed[0], *people("d")], now=NOON - MINUTE)
    enrol.enrol(workflow.id, agreed[1:], now=NOON)
    runner.run_once(now=NOON)
    whose = dict(Enrolment.objects.values_list("id", "contact_id"))
    told = dict(Message.objects.values_list("id", "contact_id"))
    named = {
        whose[one.enrolment_id]: told[one.message_id]
        for one in Move.objects.filter(node="educate")
        if one.message_id is not None
    }
    assert named == {one: one for one in agreed}


def test_who_was_let_in_together_stands_at_one_place(publish: Publish) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, people("a", "b"), now=NOON)
    enrol.enrol(workflow.id, people("c"), now=NOON + MINUTE)
    with transaction.atomic():
        claimed = journeys.claim(now=NOON + MINUTE, limit=10)
    assert len({id(one.place) for one in claimed}) == 2 and len(claimed) == 3


def test_a_turn_is_undone_where_a_row_it_holds_is_not_found(publish: Publish) -> None:
    workflow = publish()
    enrol.enrol(workflow.id, people("a"), now=NOON)
    (one,) = journeys.claim(now=NOON, limit=1)
    Engine(now=NOON).move(one)
    one.id += 1_000_000
    with pytest.raises(written.PlaceLost), transaction.atomic():
        written.write([one], now=NOON)
