from __future__ import annotations

import json
from datetime import timedelta

import pytest

from audit.models import Entry
from consent import ledger, suppression
from consent.choices import suppression_files
from contacts.models import Event
from messaging import evidence, settling
from messaging.models import Message, TemplateVersion
from messaging.pools import facts
from tests.messaging.conftest import approved, person, template
from tests.messaging.texts.conftest import (
    ADA,
    DAY,
    NAMED,
    NUMBER,
    Line,
    order,
    send,
    states,
    text_template,
    warned,
)

SAID = "Harbor Clinic: your visit is coming up. Questions? 617-555-0000. Reply STOP to end."


def test_a_text_goes_to_the_phone_once(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    """CA-52"""
    order(reminder, ada)
    assert send().sent == 1
    assert send().sent == 0
    (text,) = carried.phone.store.texts()
    assert (text.phone, text.other, text.words) == (ADA, NUMBER, SAID)
    assert states() == ["sent"]


def test_the_row_says_by_which_channel_and_pool(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    row = Message.objects.get()
    assert (row.channel, row.pool, row.state) == ("sms", "texts", "queued")


def test_marketing_texts_have_a_pool_of_their_own(carried: Line, ada: int) -> None:
    words = "{{ organisation.name }}: come to our class. Reply STOP to end."
    order(approved(text_template(words, purpose="marketing")), ada)
    assert Message.objects.get().pool == "marketing_texts"


def test_no_pool_of_mail_takes_a_text(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    assert send("care").sent == 0
    assert states() == ["queued"]


def test_what_was_said_is_kept_sealed_and_said_again(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    send()
    row = Message.objects.get()
    assert evidence.said(row).text.strip() == SAID
    assert (row.route, row.message_id_header, row.reference[:4]) == (
        "text",
        row.public_id.hex,
        "sim-",
    )


def test_the_trail_says_that_it_was_a_text(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    send()
    detail = json.loads(Entry.objects.get(action="message.sent").detail)
    assert (detail["channel"], detail["route"]) == ("sms", "text")


def test_marketing_by_text_needs_a_signature_that_names_it(carried: Line, ada: int) -> None:
    """TC-01"""
    from tests.messaging.conftest import sign

    sign(ada)
    words = "{{ organisation.name }}: come to our class. Reply STOP to end."
    (one,) = order(approved(text_template(words, purpose="marketing")), ada)
    assert (one.state, one.refusal_code) == ("refused", "no_pewc")


def test_quiet_hours_hold_a_text_back(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    """TC-04: 20:59 in the east is late for nobody; 7:00 there is, wherever the number lives."""
    early = DAY.replace(hour=12)
    order(reminder, ada, now=early)
    row = Message.objects.get()
    assert (row.state, row.due_at > early) == ("queued", True)
    assert send(now=early).sent == 0


def test_the_second_text_of_a_day_is_refused(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    """TC-05"""
    order(reminder, ada)
    send()
    order(reminder, ada, step="again", now=DAY + timedelta(hours=1))
    send(now=DAY + timedelta(hours=1))
    assert Message.objects.order_by("-id")[0].refusal_code == "cap_reached"


def test_a_mail_of_the_same_day_is_no_text(carried: Line, ada: int) -> None:
    order(approved(template("care", purpose="appointment")), ada)
    assert Message.objects.get().pool == "care"


def test_a_name_goes_only_to_who_took_the_warning(carried: Line, ada: int) -> None:
    """PR-38"""
    version = approved(text_template(NAMED, declared=["given_name"]))
    (refused,) = order(version, ada)
    warned(ada)
    (allowed,) = order(version, ada, step="again")
    assert (refused.refusal_code, allowed.state) == ("plain_not_agreed", "queued")
    send()
    assert carried.words() == [
        "Harbor Clinic: Ada, your visit is near. Call 617-555-0000. STOP to end."
    ]


def test_whom_the_path_names_as_sensitive_gets_no_text(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    """W8: being among the recipients says it, whatever the words are."""
    from messaging import outbox
    from tests.messaging.conftest import SOURCE

    warned(ada)
    one = outbox.Order(
        ada, reminder.id, "appointment", SOURCE, "x", 1, "", DAY, frozenset({"mental_health"})
    )
    outbox.enqueue([one], now=DAY)
    send()
    row = Message.objects.get()
    assert (row.state, row.refusal_code) == ("failed", "never_by_text")
    assert carried.words() == []


def test_a_number_without_its_country_gets_none(carried: Line, reminder: TemplateVersion) -> None:
    order(reminder, person("dora", phone="0161 496 0000"))
    send()
    assert Message.objects.get().refusal_code == "number_unusable"


def test_a_value_that_makes_it_too_long_stops_it(carried: Line, at_harbor: object) -> None:
    """TC-05: 161 characters are too many, whosever name it is."""
    version = approved(text_template(NAMED, declared=["given_name"]))
    long = person("lena", phone="617-555-0102", given_name="L" * 100)
    warned(long)
    order(version, long)
    send()
    assert Message.objects.get().refusal_code == "text_too_long"


def test_a_reassigned_number_gets_none(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    """TC-06"""
    took = suppression_files.take(
        f"address,channel,reason\n{ADA},sms,reassigned\n".encode(), received_by="file", now=DAY
    )
    assert took.added == 1
    (one,) = order(reminder, ada)
    assert one.refusal_code == "reassigned"


@pytest.mark.parametrize(
    ("status", "code", "kept"),
    [(422, "number_unusable", "number_unusable"), (400, "strange", "gateway_refused")],
)
def test_a_refusal_fails_the_message(
    carried: Line, ada: int, reminder: TemplateVersion, status: int, code: str, kept: str
) -> None:
    carried.phone.behaviour.refuse[ADA] = (status, code)
    order(reminder, ada)
    assert send().failed == 1
    assert Message.objects.get().refusal_code == kept


def test_a_number_that_nobody_has_is_suppressed(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.refuse[ADA] = (422, "number_unusable")
    order(reminder, ada)
    send()
    (one,) = order(reminder, ada, step="again")
    assert one.refusal_code == "no_address"
    assert suppression.is_suppressed(ADA, channel="sms")


def test_a_stop_that_the_carrier_heard_is_a_no(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.refuse[ADA] = (422, "opted_out")
    order(reminder, ada)
    send()
    (one,) = order(reminder, ada, step="again")
    assert one.refusal_code == "opted_out"


def test_a_busy_gateway_is_tried_again(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    carried.phone.behaviour.busy = True
    order(reminder, ada)
    assert send().deferred == 1
    carried.phone.behaviour.busy = False
    assert send(now=DAY + timedelta(minutes=5)).sent == 1


def test_a_gateway_that_is_away_loses_nothing(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    carried.phone.stop()
    assert send().deferred == 1
    assert Message.objects.get().refusal_code == "connect_failed"
    carried.phone.start()
    assert send(now=DAY + timedelta(minutes=1)).sent == 1


def test_no_answer_leaves_it_unclear_and_it_is_never_sent_again(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.hang_up_after_keeping.add(ADA)
    order(reminder, ada)
    assert send().unknown == 1
    assert send(now=DAY + timedelta(minutes=5)).sent == 0
    assert len(carried.words()) == 1


def test_the_gateway_settles_what_it_took_in(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.hang_up_after_keeping.add(ADA)
    order(reminder, ada)
    send()
    assert settling.run_once(now=DAY + timedelta(minutes=5)) == 1
    assert states() == ["sent"]


def test_what_the_gateway_never_had_goes_once_more(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.hang_up_before_keeping.add(ADA)
    order(reminder, ada)
    send()
    carried.phone.behaviour.hang_up_before_keeping.clear()
    later = DAY + timedelta(minutes=5)
    assert settling.run_once(now=later) == 1
    assert send(now=later).sent == 1
    assert carried.words() == [SAID]


def test_a_gateway_that_is_away_settles_nothing(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    carried.phone.behaviour.hang_up_before_keeping.add(ADA)
    order(reminder, ada)
    send()
    carried.phone.stop()
    assert settling.run_once(now=DAY + timedelta(minutes=5)) == 0
    assert states() == ["unknown"]
    carried.phone.start()


def test_without_a_gateway_nothing_carries_texts(at_harbor: object) -> None:
    from messaging import sender

    assert sender.carrier(facts.of("texts")) is None


def test_a_withdrawal_after_the_order_stops_it(
    carried: Line, ada: int, reminder: TemplateVersion
) -> None:
    order(reminder, ada)
    ledger.opt_out(ada, channel="sms", received_by="phone", now=DAY)
    assert send().refused == 1
    assert carried.words() == []


def test_who_said_no_to_texts_still_gets_mail(carried: Line, ada: int) -> None:
    ledger.opt_out(ada, channel="sms", received_by="phone", now=DAY)
    (one,) = order(approved(template("care", purpose="appointment")), ada)
    assert one.state == "queued"


def test_it_is_an_event_of_the_person(carried: Line, ada: int, reminder: TemplateVersion) -> None:
    order(reminder, ada)
    send()
    assert Event.objects.get(kind="message.sent").contact_id == ada
