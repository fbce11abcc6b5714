"""A reply that came after its session had ended waits for the person who wrote it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from contacts import erase
from messaging.models import Answer, Pickup
from messaging.portal import holding
from tests.messaging.portal.conftest import PDF, Visitor
from tests.messaging.portal.test_answers import WORDS, named, reply


@pytest.fixture
def late(ada_waits: Visitor) -> Visitor:
    """Ada, who wrote so long that her session ended."""
    ada_waits.enter()
    ada_waits.clock.forward(minutes=30)
    return ada_waits


def test_it_is_held_sealed_and_the_door_says_so(late: Visitor) -> None:
    answer = late.client.post(late.path + "/message", {"words": WORDS})
    assert answer["Location"] == f"{late.path}?held=1"
    assert (
        "What you wrote is kept for an hour" in late.client.get(answer["Location"]).content.decode()
    )
    assert WORDS.encode() not in bytes(Pickup.objects.get().held)
    assert not Answer.objects.exists()


def test_it_stands_there_again_once_the_person_is_let_in_and_is_sent_once(late: Visitor) -> None:
    reply(late)
    late.clock.forward(minutes=2)
    late.enter()
    page = late.message()
    assert WORDS in page
    assert "What you wrote is here again" in page
    assert reply(late) == 303
    assert Answer.objects.count() == 1
    assert "What you wrote is here again" not in late.message()


def test_another_browser_with_the_same_link_does_not_get_it(late: Visitor) -> None:
    reply(late)
    late.clock.forward(minutes=2)
    late.client = Client()
    late.enter()
    assert WORDS not in late.message()


def test_after_an_hour_it_is_gone(late: Visitor) -> None:
    reply(late)
    late.clock.forward(minutes=61)
    late.enter()
    assert WORDS not in late.message()


def test_files_of_who_was_not_let_in_are_passed_over(late: Visitor) -> None:
    assert reply(late, WORDS, named("claim.pdf", PDF)) == 303
    assert Pickup.objects.get().held


def test_nothing_is_held_for_a_message_that_was_taken_back(late: Visitor) -> None:
    Pickup.objects.update(recalled_at=late.clock.now)
    reply(late)
    assert not Pickup.objects.get().held


def test_it_goes_with_the_person(late: Visitor, ada: int) -> None:
    reply(late)
    erase.erase(ada, now=late.clock.now)
    row = Pickup.objects.get()
    assert not row.held
    soon = late.clock.now + timedelta(seconds=1)
    assert holding.held(row, "anything", now=soon) == ""
