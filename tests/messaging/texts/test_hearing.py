from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from consent import suppression
from consent.models import OptOut, Reply
from consent.sending import terms
from contacts.models import Event
from messaging.models import IncomingText, Message, TemplateVersion
from messaging.texts import answering
from tests.conftest import NOON
from tests.messaging.texts.conftest import (
    ADA,
    DAY,
    NUMBER,
    Line,
    door,
    order,
    post_signed,
    send,
    states,
)


@pytest.fixture
def texted(carried: Line, ada: int, reminder: TemplateVersion) -> Line:
    """Ada got the reminder."""
    order(reminder, ada)
    send()
    Message.objects.update(handed_over_at=timezone.now())
    return carried


def answer(**more: Any) -> int:
    return answering.run_once(now=timezone.now(), **more)


def test_a_delivery_report_is_noted(texted: Line) -> None:
    assert texted.report() == [204]
    row = Message.objects.get()
    assert (row.state, row.delivered_at is not None) == ("sent", True)
    assert Event.objects.filter(kind="message.delivered").count() == 1


def test_a_report_that_comes_twice_counts_once(texted: Line) -> None:
    texted.phone.reported()
    texted.reports *= 2
    assert texted.report() == [204, 204]
    assert Event.objects.filter(kind="message.delivered").count() == 1


def test_a_text_that_the_carrier_could_not_deliver_failed(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.undelivered[ADA] = "carrier_blocked"
    order(reminder, ada)
    send()
    carried.report()
    row = Message.objects.get()
    assert (row.state, row.refusal_code) == ("failed", "carrier_blocked")
    assert Event.objects.filter(kind="message.bounced").count() == 1


def test_a_number_that_is_dead_by_report_is_suppressed(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.undelivered[ADA] = "number_unusable"
    order(reminder, ada)
    send()
    carried.report()
    (one,) = order(reminder, ada, step="again")
    assert one.refusal_code == "no_address"
    assert suppression.is_suppressed(ADA, channel="sms")


def test_what_was_delivered_does_not_fail_any_more(texted: Line) -> None:
    texted.report()
    row = Message.objects.get()
    said = {"type": "message.status", "id": row.public_id.hex, "status": "failed"}
    assert post_signed(door(), said).status_code == 204
    assert states() == ["sent"]


def test_a_report_settles_an_unclear_text(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.hang_up_after_keeping.add(ADA)
    order(reminder, ada)
    send()
    carried.report()
    assert states() == ["sent"]


WORDS = ["STOP", "stop.", "Quit", "END!", "Opt out", "leave me alone, stop texting me", "Baja"]


@pytest.mark.parametrize("word", WORDS)
def test_stop_counts_at_once(texted: Line, ada: int, reminder: TemplateVersion, word: str) -> None:
    """TC-02"""
    assert texted.write(word).status_code == 204
    (one,) = order(reminder, ada, step="again", now=DAY + timedelta(days=2))
    assert one.refusal_code == "opted_out"


def test_stop_reaches_what_the_text_was_for(texted: Line, ada: int) -> None:
    """TC-03: by default what it answered, and no more."""
    texted.write("STOP")
    scopes = set(OptOut.objects.values_list("channel", "purpose"))
    assert scopes == {("sms", "appointment")}


def test_stop_reaches_every_text_from_the_day_that_was_set(texted: Line, ada: int) -> None:
    """TC-03"""
    from consent.gate import GateRequest, ask
    from consent.policy import Refusal

    terms.set_stop_scope(NOON.date(), now=NOON)
    texted.write("STOP")
    (said,) = ask([GateRequest(ada, "treatment", "sms")], now=DAY + timedelta(days=9))
    assert isinstance(said, Refusal)
    assert said.code == "opted_out"


def test_one_confirmation_within_five_minutes_without_a_link(texted: Line) -> None:
    """TC-02"""
    texted.write("STOP")
    texted.write("STOP")
    assert answer() == 1
    assert answer() == 0
    assert texted.words()[1:] == [
        "Harbor Clinic: you will get no more of these messages from us. Nothing else is needed."
    ]
    assert IncomingText.objects.filter(answer_to__isnull=False).count() == 0


def test_a_confirmation_that_would_be_late_does_not_go(texted: Line) -> None:
    """TC-02"""
    texted.write("STOP")
    assert answering.run_once(now=timezone.now() + timedelta(minutes=6)) == 1
    assert len(texted.words()) == 1


def test_a_stop_that_arrives_late_counts_and_is_not_confirmed(texted: Line) -> None:
    texted.write("STOP", at=(timezone.now() - timedelta(minutes=9)).isoformat())
    assert (OptOut.objects.exists(), answer()) == (True, 0)


def test_a_confirmation_of_unclear_fate_is_not_sent_again(texted: Line) -> None:
    texted.phone.behaviour.hang_up_after_keeping.add(ADA)
    texted.write("STOP")
    answer()
    assert answer() == 0
    assert IncomingText.objects.get().answer_state == "unclear"
    assert len(texted.words()) == 2


def test_an_answer_whose_worker_was_lost_is_not_sent_again(texted: Line) -> None:
    texted.write("HELP")
    ago = timezone.now() - timedelta(minutes=3)
    IncomingText.objects.update(answer_state="sending", answered_at=ago)
    assert answer() == 0
    assert IncomingText.objects.get().answer_state == "unclear"


def test_a_gateway_that_is_away_answers_later(texted: Line) -> None:
    texted.write("HELP")
    texted.phone.stop()
    assert answer() == 0
    texted.phone.start()
    assert answer() == 1


def test_help_says_how_to_reach_us_and_how_to_stop(texted: Line) -> None:
    texted.write("help")
    answer()
    assert "Reply STOP" in texted.words()[1]
    assert not OptOut.objects.exists()


def test_help_is_answered_once_an_hour(texted: Line) -> None:
    texted.write("HELP")
    texted.write("HELP")
    answer()
    assert len(texted.words()) == 2


def test_start_takes_a_stop_back(texted: Line, ada: int, reminder: TemplateVersion) -> None:
    texted.write("STOP")
    texted.write("START")
    (one,) = order(reminder, ada, step="again", now=DAY + timedelta(days=2))
    assert one.state == "queued"


def test_start_takes_back_nothing_that_was_said_otherwise(texted: Line, ada: int) -> None:
    from consent import ledger

    ledger.opt_out(ada, channel="sms", received_by="phone", now=NOON)
    texted.write("START")
    assert OptOut.objects.filter(lifted_at=None).exists()


def test_unclear_words_wait_for_a_reader_and_hold_sends(
    texted: Line, ada: int, reminder: TemplateVersion
) -> None:
    """TC-02"""
    texted.write("please leave me alone")
    assert Reply.objects.get().channel == "sms"
    later = DAY + timedelta(days=2)
    order(reminder, ada, step="again", now=later)
    assert send(now=later).sent == 0
    assert Message.objects.order_by("-id")[0].due_at > later


def test_what_somebody_wrote_is_an_answer_to_the_text(texted: Line, ada: int) -> None:
    from messaging.answers import reading

    texted.write("Can I come at three?")
    assert [one.words for one in reading.of_message(Message.objects.get())] == [
        "Can I come at three?"
    ]


def test_the_same_text_counts_once(texted: Line) -> None:
    said = {"type": "message.received", "from": ADA, "to": NUMBER, "text": "hello"}
    for _ in range(2):
        assert post_signed(door(), said, number="one-and-the-same").status_code == 204
    assert IncomingText.objects.count() == 1


def test_a_stop_from_a_number_that_nobody_has_is_kept_for_the_number(texted: Line) -> None:
    texted.write("STOP", number="+16175550999")
    assert OptOut.objects.get().contact_id is None
    assert answer() == 1


def test_a_wrong_signature_opens_nothing(texted: Line) -> None:
    said = {"type": "message.received", "from": ADA, "to": NUMBER, "text": "STOP"}
    other = "whsec_" + "A" * 32 + "AAAA"
    assert post_signed(door(), said, secret=other).status_code == 403
    assert not OptOut.objects.exists()


def test_another_organisation_hears_nothing_of_ours(texted: Line, hill: Organisation) -> None:
    """W2: its door leads to its own people, though the gateway is the same."""
    with tenancy.acting_for(hill.pk):
        theirs = door()
    row = Message.objects.get()
    said = {"type": "message.status", "id": row.public_id.hex, "status": "failed"}
    assert post_signed(theirs, said).status_code == 204
    assert states() == ["sent"]
    said = {"type": "message.received", "from": ADA, "to": NUMBER, "text": "STOP"}
    post_signed(theirs, said)
    assert not OptOut.objects.exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"type": "message.sold"}, "type"),
        ({"type": "message.status", "status": "eaten", "id": "0" * 32}, "status"),
        ({"type": "message.status", "status": "sent", "id": "x"}, "id"),
        ({"type": "message.received", "from": ADA}, "text"),
        ({"type": "message.received", "from": ADA, "text": "x", "at": "noon"}, "at"),
    ],
)
def test_what_cannot_be_read_is_named(texted: Line, said: dict[str, Any], field: str) -> None:
    answered = post_signed(door(), said)
    assert (answered.status_code, answered.content.decode().split(":")[0]) == (400, field)


def test_an_old_signature_is_none(texted: Line) -> None:
    import json

    from messaging import signed
    from tests.messaging.texts.conftest import SECRET, post

    body = json.dumps({"type": "message.received", "from": ADA, "text": "STOP"}).encode()
    old = datetime(2026, 1, 1, tzinfo=UTC)
    headers = signed.headers(body, number="x", secret=SECRET, now=old)
    assert post(door(), body, headers).status_code == 403
