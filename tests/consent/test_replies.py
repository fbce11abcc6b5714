"""Replies: counted at once, or read by a person first (TC-02, TC-03, CS-03)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from accounts.models import Organisation
from consent import gate
from consent.choices import replies
from consent.gate import GateRequest, Permit
from consent.models import Entry, OptOut, Reply
from consent.sending import terms
from contacts import erase
from tests.conftest import NOON
from tests.consent.conftest import person

ADA = "ada@patients.example"


def take(
    text: str, *, address: str = ADA, late: timedelta = timedelta(), **more: str
) -> replies.Taken:
    return replies.take(
        text, address=address, channel="email", received_at=NOON - late, now=NOON, **more
    )


def asked(contact_id: int, purpose: str = "appointment") -> str:
    (answer,) = gate.ask([GateRequest(contact_id, purpose)], now=NOON)
    return "permit" if isinstance(answer, Permit) else answer.code


def test_a_keyword_by_reply_ends_the_channel_at_once(ada: int, ben: int) -> None:
    """TC-02, CS-03"""
    assert take("Unsubscribe").verdict == "stop"
    assert (asked(ada), asked(ben)) == ("opted_out", "permit")


def test_it_is_confirmed_once_and_only_within_five_minutes(ada: int, ben: int) -> None:
    """TC-02"""
    assert take("STOP").confirm
    assert not take("STOP").confirm
    assert not take("STOP", address="ben@patients.example", late=timedelta(minutes=6)).confirm


def test_the_confirmation_has_no_link_and_sells_nothing() -> None:
    """TC-02"""
    for said in replies.CONFIRMATION.values():
        assert "http" not in said and "www" not in said and len(said) < 130


def test_stop_ends_what_it_answered_and_everything_from_the_day_that_was_set(ada: int) -> None:
    """TC-03"""
    take("STOP", purpose="marketing")
    assert asked(ada) == "permit"
    terms.set_stop_scope(date(2026, 3, 1), now=NOON)
    assert asked(ada) == "opted_out"


def test_a_free_text_holds_sends_until_a_person_decides(ada: int, ben: int) -> None:
    """TC-02"""
    taken = take("please leave me alone")
    assert (taken.verdict, asked(ada), asked(ben)) == ("review", "in_review", "permit")
    assert asked(ada, "service_notice") == "permit"
    assert taken.reply_id
    replies.decide(taken.reply_id, "nothing", now=NOON)
    assert asked(ada) == "permit"


@pytest.mark.parametrize("decision", ["stop", "everything"])
def test_a_decision_counts_and_drops_the_words(ada: int, decision: str) -> None:
    taken = take("please leave me alone")
    assert taken.reply_id and replies.decide(taken.reply_id, decision, now=NOON)
    assert asked(ada) == "opted_out"
    assert Reply.objects.get().said is None
    assert not replies.decide(taken.reply_id, "nothing", now=NOON)


def test_a_reply_of_nobody_known_holds_the_address(at_harbor: Organisation) -> None:
    taken = take("who are you?", address="new@patients.example")
    assert taken.verdict == "review"
    later = person("new", email="new@patients.example")
    assert asked(later) == "in_review"


def test_two_people_of_one_address_are_both_left_alone(at_harbor: Organisation) -> None:
    both = [person(one, email="home@patients.example") for one in ("eve", "fay")]
    take("STOP", address="home@patients.example")
    assert [asked(one) for one in both] == ["opted_out", "opted_out"]


def test_erasing_a_person_drops_what_they_wrote(ada: int) -> None:
    """GD-03"""
    take("please leave me alone, my diabetes is my business")
    take("STOP")
    erase.erase(ada, now=NOON)
    assert Reply.objects.get().said is None
    again = person("again", email=ADA)
    assert asked(again) == "opted_out"
    assert Entry.objects.filter(kind="opted_out").exists()


def test_a_keyword_is_marked_as_one(ada: int) -> None:
    take("STOP")
    assert set(OptOut.objects.values_list("keyword", flat=True)) == {True}
