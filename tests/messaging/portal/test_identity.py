"""EM-26: who is let in to a message that waits, and who is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Organisation, Throttle
from audit.models import Entry
from messaging import dispatch, links
from messaging.models import Message, Pickup
from messaging.portal import carriers, codes, identity, pickup
from messaging.protect import Onward
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, person, sign
from tests.messaging.portal.conftest import Visitor, waiting
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import path_in

WRONG = "do not fit together"


def test_the_link_alone_shows_nothing_and_sends_nothing(ada_waits: Visitor) -> None:
    """EM-26"""
    page = ada_waits.client.get(ada_waits.path).content.decode()
    assert "date of birth" in page
    for secret in ("Ada", "eat well", "neighbour"):
        assert secret not in page
    for part in ("message", "body", "key"):
        assert ada_waits.client.get(f"{ada_waits.path}/{part}").status_code == 303
    assert not codes.due(now=ada_waits.clock.now)


def test_code_and_date_open_it_and_the_trail_knows(ada_waits: Visitor) -> None:
    """EM-26"""
    assert ada_waits.enter().status_code == 303
    assert "News from Harbor Clinic" in ada_waits.message()
    body = ada_waits.client.get(ada_waits.path + "/body")
    assert "Dear Ada," in body.content.decode()
    assert "script" not in body["Content-Security-Policy"]
    entry = Entry.objects.get(action="message.picked_up")
    assert (entry.actor_kind, entry.outcome) == ("patient", "done")
    assert Entry.objects.get(action="message.code_sent").facts()["channel"] == "email"


def test_the_code_goes_to_the_address_of_the_notice_and_says_nothing_else(
    ada_waits: Visitor,
) -> None:
    ada_waits.ask()
    code = ada_waits.mailed()
    (mail,) = ada_waits.memory.sent
    assert mail.recipient == "Ada@Example.org"
    assert code not in str(parsed(mail)["Subject"])
    text = next(parsed(mail).iter_parts()).get_content()
    assert "Ada" not in text and "/m/" not in text
    assert parsed(mail)["Auto-Submitted"] == "auto-generated"


def test_no_answer_says_which_of_the_two_was_wrong(ada_waits: Visitor) -> None:
    ada_waits.ask()
    right = ada_waits.mailed()
    other = f"{(int(right) + 1) % 10**6:06}"
    pages = [
        ada_waits.say(right, year="1961").content.decode(),
        ada_waits.say(other).content.decode().replace("3 attempts", "4 attempts"),
    ]
    assert all(WRONG in page for page in pages)
    assert pages[0].replace('value="1961"', 'value="1960"') == pages[1]


def test_the_last_attempt_is_one_attempt(ada_waits: Visitor) -> None:
    ada_waits.ask()
    code = ada_waits.mailed()
    pages = [ada_waits.say(code, year="1961").content.decode() for _ in range(4)]
    assert "2 attempts left" in pages[2]
    assert "1 attempt left" in pages[3]


def test_a_code_opens_once(ada_waits: Visitor) -> None:
    ada_waits.ask()
    code = ada_waits.mailed()
    assert ada_waits.say(code).status_code == 303
    other = Visitor(Client(), ada_waits.clock, ada_waits.path)
    assert WRONG in other.say(code).content.decode()


def test_a_code_ends_after_a_quarter_of_an_hour(ada_waits: Visitor) -> None:
    ada_waits.ask()
    code = ada_waits.mailed()
    ada_waits.clock.forward(minutes=15)
    assert ada_waits.say(code).status_code == 422


def test_a_newer_code_ends_the_one_before(ada_waits: Visitor) -> None:
    ada_waits.ask()
    first = ada_waits.mailed()
    ada_waits.clock.forward(minutes=2)
    ada_waits.ask()
    second = ada_waits.mailed()
    assert first != second
    assert ada_waits.say(first).status_code == 422
    assert ada_waits.say(second).status_code == 303


def test_a_guess_before_any_code_was_sent_opens_nothing(ada_waits: Visitor) -> None:
    """What would be derived from number nought is no code."""
    standing = codes.derived(Pickup.objects.get())
    assert ada_waits.say(standing).status_code == 422


def test_five_wrong_ones_close_it_and_say_what_to_do(ada_waits: Visitor) -> None:
    """EM-26"""
    ada_waits.ask()
    code = ada_waits.mailed()
    for _ in range(Pickup.MOST_ATTEMPTS):
        ada_waits.say(code, year="1961")
    page = ada_waits.say(code)
    assert page.status_code == 200, "the right one comes too late"
    assert "Send me a new link" in page.content.decode()
    assert ada_waits.client.get(ada_waits.path + "/message").status_code == 303
    assert Entry.objects.filter(action="message.picked_up", outcome="refused").count() == 5


def test_a_slip_of_the_finger_costs_no_attempt(ada_waits: Visitor) -> None:
    ada_waits.ask()
    assert ada_waits.say("12").status_code == 422
    assert ada_waits.say("123456", day="31", month="2").status_code == 422
    assert ada_waits.say("１２３４５６").status_code == 422
    assert Pickup.objects.get().attempts == 0


def test_wrong_answers_for_many_messages_of_a_person_make_all_of_them_wait(
    visitor: Visitor, enqueue: Enqueue, ada: int
) -> None:
    """A thief with several links gets no more guesses than one with one."""
    for place in range(3):
        visitor.path = waiting(enqueue, ada, step=f"s{place}")
        for _ in range(4):
            answer = visitor.say("000000", year="1961")
    assert answer.status_code == 429
    assert "wait" in answer.content.decode()
    visitor.clock.forward(minutes=16)
    visitor.ask()
    assert visitor.say(visitor.mailed()).status_code == 303


def test_wrong_answers_from_one_network_make_it_wait(
    visitor: Visitor, enqueue: Enqueue, at_harbor: Organisation
) -> None:
    people = [person(f"p{place}", email=f"p{place}@example.org") for place in range(8)]
    sign(*people)
    statuses = []
    for number in people:
        visitor.path = waiting(enqueue, number)
        statuses += [visitor.say("000000").status_code for _ in range(4)]
    assert statuses[-1] == 429
    elsewhere = visitor.client.post(
        visitor.path,
        {"act": "enter", "code": "000000"} | {"month": "4", "day": "5", "year": "1960"},
        REMOTE_ADDR="203.0.113.9",
    )
    assert elsewhere.status_code != 429


def test_codes_are_rationed_for_a_link(ada_waits: Visitor) -> None:
    assert "wait a minute" in (ada_waits.ask(), ada_waits.ask())[1]
    for _ in range(codes.MOST - 1):
        ada_waits.clock.forward(minutes=2)
        ada_waits.ask()
        ada_waits.mailed()
    ada_waits.clock.forward(minutes=2)
    assert "No more codes" in ada_waits.ask()
    assert len(ada_waits.memory.sent) == codes.MOST - 1
    assert Pickup.objects.get().code_number == codes.MOST


def test_who_stopped_everything_by_mail_gets_no_code_and_is_told_to_call(
    ada_waits: Visitor, ada: int
) -> None:
    from consent import ledger

    ledger.opt_out(ada, channel="email", received_by="link", now=NOON)
    assert "We cannot send you a code" in ada_waits.ask()
    assert not codes.due(now=ada_waits.clock.now)


class Flaky(Memory):
    """Says "not now" the first time."""

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]:
        if not getattr(self, "tried", False):
            self.tried = True
            return [Outcome(one.number, Fate.DEFERRED, "451") for one in batch]
        return super().send(batch, stays=stays)


def test_a_code_that_did_not_leave_is_tried_again(ada_waits: Visitor) -> None:
    ada_waits.ask()
    flaky = Flaky()
    assert codes.send_due(carriers.usual(flaky), now=ada_waits.clock.now) == 0
    assert codes.send_due(carriers.usual(flaky), now=ada_waits.clock.now) == 1
    assert codes.send_due(carriers.usual(flaky), now=ada_waits.clock.now) == 0


def test_no_code_stands_in_the_database(ada_waits: Visitor) -> None:
    ada_waits.ask()
    code = ada_waits.mailed()
    assert code not in str(Pickup.objects.values().get())


# The session


def test_a_session_ends_after_twenty_minutes_without_use(ada_waits: Visitor) -> None:
    ada_waits.enter()
    for _ in range(3):
        ada_waits.clock.forward(minutes=19)
        assert ada_waits.client.get(ada_waits.path + "/message").status_code == 200
    ada_waits.clock.forward(minutes=20)
    assert ada_waits.client.get(ada_waits.path + "/message").status_code == 303


def test_a_session_ends_after_two_hours_whatever_its_use(ada_waits: Visitor) -> None:
    ada_waits.enter()
    for _ in range(7):
        ada_waits.clock.forward(minutes=17)
        last = ada_waits.client.get(ada_waits.path + "/message").status_code
    assert last == 200
    ada_waits.clock.forward(minutes=2)
    assert ada_waits.client.get(ada_waits.path + "/message").status_code == 303


def test_signing_out_ends_the_pass_wherever_it_is_kept(ada_waits: Visitor) -> None:
    ada_waits.enter()
    stolen = ada_waits.client.cookies["pickup"].value
    page = ada_waits.client.post(ada_waits.path + "/leave").content.decode()
    assert "signed out" in page
    thief = Client()
    thief.cookies["pickup"] = stolen
    assert thief.get(ada_waits.path + "/message").status_code == 303
    assert Entry.objects.filter(action="message.portal_left").count() == 1


def test_a_newer_session_ends_the_one_before(ada_waits: Visitor) -> None:
    ada_waits.enter()
    ada_waits.clock.forward(minutes=2)
    second = Visitor(Client(), ada_waits.clock, ada_waits.path)
    assert second.enter().status_code == 303
    assert ada_waits.client.get(ada_waits.path + "/message").status_code == 303


def test_a_pass_for_one_message_opens_no_other(
    ada_waits: Visitor, enqueue: Enqueue, ada: int
) -> None:
    ada_waits.enter()
    other = Client()
    other.cookies["pickup"] = ada_waits.client.cookies["pickup"].value
    second = waiting(enqueue, ada, step="second")
    assert other.get(second + "/message").status_code == 303


def test_the_cookie_is_for_this_message_and_no_script_alone(ada_waits: Visitor) -> None:
    answer = ada_waits.enter()
    cookie = answer.cookies["pickup"]
    assert cookie["path"] == ada_waits.path
    assert cookie["httponly"] and cookie["samesite"] == "Strict"
    for address in (ada_waits.path, ada_waits.path + "/message", ada_waits.path + "/body"):
        page = ada_waits.client.get(address)
        assert page["Cache-Control"] == "no-store"
        assert page["Referrer-Policy"] == "no-referrer"


def test_an_expired_link_brings_a_new_one_by_mail(ada_waits: Visitor) -> None:
    """EM-26"""
    ada_waits.clock.now = NOON + links.PICKUP_LASTS + timedelta(hours=1)
    page = ada_waits.client.get(ada_waits.path).content.decode()
    assert "does not open any more" in page
    asked = ada_waits.client.post(ada_waits.path, {"act": "renew"}).content.decode()
    assert "on its way" in asked
    memory = Memory()
    dispatch.run_once(transport=memory, now=ada_waits.clock.now, onward=Onward.OPPORTUNISTIC)
    fresh = path_in(next(parsed(memory.sent[0]).iter_parts()).get_content(), "p")
    assert ada_waits.client.get(ada_waits.path).status_code == 404, "the old link is dead"
    ada_waits.path = fresh
    assert ada_waits.enter().status_code == 303


def test_a_link_that_still_opens_is_not_renewed(ada_waits: Visitor) -> None:
    assert not pickup.renew(Pickup.objects.get(), now=NOON)


def test_a_request_that_is_too_large_is_not_read(ada_waits: Visitor) -> None:
    answer = ada_waits.client.post(
        ada_waits.path + "/message", {}, CONTENT_LENGTH=str(60 * 1024 * 1024)
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("act", ["enter", "code"])
def test_a_recalled_message_takes_no_attempts_and_sends_no_codes(
    ada_waits: Visitor, act: str
) -> None:
    pickup.recall(Message.objects.get(), now=NOON)
    ada_waits.client.post(ada_waits.path, {"act": act, "code": "123456"})
    row = Pickup.objects.get()
    assert (row.attempts, row.code_number) == (0, 0)
    assert not Throttle.objects.exists()
    assert identity.IDLE < identity.LONGEST
