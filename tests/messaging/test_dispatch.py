from __future__ import annotations

import email
import email.policy
import hashlib
import json
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from audit.models import Entry
from consent import ledger, suppression
from contacts.models import Event
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from messaging import claims, compose, dispatch, evidence, reconcile, sender, tracking, versions
from messaging.models import Message, Pickup, Transition
from messaging.protect import Hop, Onward
from messaging.transports.base import Fate, Outcome, Outgoing
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, approved, person, sign, template

LATER = NOON + timedelta(hours=1)


def send(memory: Memory, *, now: datetime = NOON, **more: Any) -> dispatch.Dispatched:
    more = {"onward": Onward.ENFORCED} | more
    return dispatch.run_once(transport=memory, now=now, **more)


def states() -> list[str]:
    return list(Message.objects.order_by("id").values_list("state", flat=True))


def parsed(mail: Outgoing) -> EmailMessage:
    message = email.message_from_bytes(mail.data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def answering(fate: Fate, reply: str = "", code: str = "") -> Memory:
    return Memory(answer=lambda mail: Outcome(mail.number, fate, reply, code))


def test_a_due_message_is_sent_once(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    assert send(memory).sent == 1
    assert send(memory).sent == 0
    assert [mail.recipient for mail in memory.sent] == ["Ada@Example.org"]
    assert states() == ["sent"]


def test_a_message_that_is_not_due_waits(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada], due_at=LATER)
    assert send(memory).sent == 0


def test_the_mail_greets_by_name_and_carries_both_one_click_headers(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """EM-02"""
    enqueue([ada])
    send(memory)
    message = parsed(memory.sent[0])
    assert "Dear Ada," in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    (uri,) = message.get_all("List-Unsubscribe", [])
    assert uri.startswith("<https://h.example/m/u/")
    assert uri.count("<") == 1


def test_a_withdrawal_after_the_order_stops_it(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """CS-01, PR-04"""
    enqueue([ada])
    ledger.revoke_all(ada, received_by="paper", now=NOON)
    assert send(memory).refused == 1
    assert (states(), memory.sent) == (["refused"], [])
    assert Message.objects.get().refusal_code == "auth_revoked"


def test_a_death_after_the_order_stops_it(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """HD-06, PR-36: also what is queued already."""
    enqueue([ada])
    person("ada", deceased=True)
    send(memory)
    assert Message.objects.get().refusal_code == "deceased"


def test_pr22_a_confidential_mail_goes_to_the_address_asked_for_and_names_no_other(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """PR-22: RCPT TO is the alternative; the primary address stands nowhere in the mail."""
    safe = NewPoint(kind="email", value="safe@elsewhere.example", categories=frozenset({"harbor"}))
    keeping.add(ada, safe, source="staff", now=NOON)
    kept_apart = approved(template("apart", topic="harbor"))
    enqueue([ada], template_version=kept_apart.id)
    enqueue([ada], step="other")
    send(memory)
    kept, other = sorted(memory.sent, key=lambda mail: mail.recipient != "safe@elsewhere.example")
    assert (kept.recipient, other.recipient) == ("safe@elsewhere.example", "Ada@Example.org")
    assert b"ada@example.org" not in kept.data.lower()
    assert b"elsewhere" not in other.data


def test_pr22_without_a_way_to_the_safe_address_nothing_goes(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """PR-22: never the shared inbox instead."""
    safe = NewPoint(kind="email", value="safe@elsewhere.example", categories=frozenset({"harbor"}))
    keeping.add(ada, safe, source="staff", now=NOON)
    keeping.bounced(ada, "email", "safe@elsewhere.example", now=NOON)
    kept_apart = approved(template("apart", topic="harbor"))
    enqueue([ada], template_version=kept_apart.id)
    send(memory)
    assert memory.sent == []


def test_pr22_what_its_author_declares_it_says_counts_though_it_prints_nothing_of_it(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """PR-22: a mail about mental health needs no field to say so."""
    safe = NewPoint(
        kind="email", value="safe@elsewhere.example", categories=frozenset({"mental_health"})
    )
    keeping.add(ada, safe, source="staff", now=NOON)
    about = approved(template("group", purpose="treatment", audience=["mental_health"]))
    enqueue([ada], template_version=about.id, purpose="treatment")
    enqueue([ada], step="other")
    send(memory)
    assert {mail.recipient for mail in memory.sent} == {"safe@elsewhere.example", "Ada@Example.org"}
    kept = next(mail for mail in memory.sent if mail.recipient == "safe@elsewhere.example")
    assert b"ada@example.org" not in kept.data.lower()


def test_st03_a_minors_own_mail_never_goes_to_the_address_that_the_family_shares(
    enqueue: Enqueue, memory: Memory
) -> None:
    """ST-03: by what its author declares, too; to the minor's own address it goes."""
    child = person("child", email="family@example.org", birth_date="2014-04-05")
    own = approved(template("own", purpose="treatment", audience=["minor"]))
    enqueue([child], template_version=own.id, purpose="treatment")
    send(memory)
    assert (memory.sent, Message.objects.get().refusal_code) == ([], "minors_own_services")
    safe = NewPoint(kind="email", value="child@example.org", categories=frozenset({"minor"}))
    keeping.add(child, safe, source="staff", now=NOON)
    enqueue([child], template_version=own.id, purpose="treatment", step="again")
    send(memory)
    assert [mail.recipient for mail in memory.sent] == ["child@example.org"]


def test_it_reveals_only_what_the_version_declares(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """PR-20"""
    enqueue([ada])
    send(memory)
    (entry,) = Entry.objects.filter(action="contact.revealed")
    assert json.loads(entry.detail)["classes"] == ["contact_point", "identity"]


def test_a_sent_message_is_in_the_trail_and_among_the_events(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    send(memory)
    row = Message.objects.get()
    event = Event.objects.get(kind="message.sent")
    assert (event.contact_id, event.message_id) == (ada, row.id)
    assert event.campaign == row.version.template_id
    entry = Entry.objects.get(action="message.sent")
    assert (entry.subject, json.loads(entry.detail)["basis"]) == (
        f"message:{row.id}",
        "authorization",
    )


def test_the_same_bytes_can_be_made_again(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """W9: evidence without a copy."""
    enqueue([ada])
    send(memory)
    row = Message.objects.get()
    merged = evidence.merged(row)
    loaded = versions.load([row.version_id])[row.version_id]
    again = compose.compose(
        row.public_id,
        loaded.parts,
        merged,
        purpose=row.purpose,
        unsubscribes=loaded.unsubscribes,
        sender=sender.current(),
    )
    assert again.data == memory.sent[0].data
    assert hashlib.sha256(again.data).hexdigest() == row.sha256


def test_what_is_kept_holds_no_name_and_no_address(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """SR-03"""
    enqueue([ada])
    send(memory)
    kept = bytes(Message.objects.get().merge or b"")
    assert kept
    assert b"Ada" not in kept
    assert len(kept) < 700


def test_a_person_who_declined_tracking_gets_direct_links(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """TR-04"""
    tracking.decline(ada, now=NOON)
    enqueue([ada])
    send(memory)
    html = parsed(memory.sent[0]).get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "https://harbor.example/class" in html
    assert "<img" not in html


def test_the_message_id_is_the_rows_own(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    send(memory)
    row = Message.objects.get()
    assert parsed(memory.sent[0])["Message-ID"] == row.message_id_header
    assert row.public_id.hex in row.message_id_header


# What the server says


def test_a_4xx_is_tried_again_later(enqueue: Enqueue, ada: int) -> None:
    """EM-09"""
    enqueue([ada])
    assert send(answering(Fate.DEFERRED, "451 4.3.0")).deferred == 1
    row = Message.objects.get()
    assert (row.state, row.smtp_reply, row.attempts) == ("deferred", "451 4.3.0", 1)
    assert row.due_at == NOON + timedelta(minutes=2)


def test_a_deferred_message_is_sent_when_its_time_comes(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    send(answering(Fate.DEFERRED, "451"))
    assert send(memory, now=NOON + timedelta(minutes=1)).sent == 0
    assert send(memory, now=NOON + timedelta(minutes=2)).sent == 1


def test_4xx_for_ever_ends_when_it_is_too_late(enqueue: Enqueue, ada: int) -> None:
    enqueue([ada], not_after=NOON + timedelta(minutes=1))
    assert send(answering(Fate.DEFERRED, "451")).failed == 1
    assert Message.objects.get().refusal_code == "too_late"


def test_a_message_found_too_late_is_not_sent(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada], not_after=NOON + timedelta(minutes=1))
    assert send(memory, now=LATER).failed == 1
    assert memory.sent == []


def test_a_550_unknown_user_fails_and_suppresses_the_address(enqueue: Enqueue, ada: int) -> None:
    """EM-09, EM-22"""
    enqueue([ada])
    assert send(answering(Fate.REJECTED, "550 5.1.1")).failed == 1
    assert suppression.is_suppressed("ada@example.org")
    assert Event.objects.filter(kind="message.bounced").count() == 1


@pytest.mark.parametrize("reply", ["550 5.7.1", "554", "552 5.2.2"])
def test_another_5xx_fails_but_suppresses_nobody(enqueue: Enqueue, ada: int, reply: str) -> None:
    enqueue([ada])
    assert send(answering(Fate.REJECTED, reply)).failed == 1
    assert not suppression.is_suppressed("ada@example.org")


def test_a_server_that_is_down_loses_nothing(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    assert send(answering(Fate.NOT_TRIED, code="connect_failed")).deferred == 1
    row = Message.objects.get()
    assert (row.attempts, row.refusal_code) == (0, "connect_failed")
    assert send(memory, now=NOON + timedelta(seconds=15)).sent == 1


def test_an_unclear_answer_is_never_resent(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    """EM-09"""
    enqueue([ada])
    assert send(answering(Fate.UNCLEAR, code="connection_lost")).unknown == 1
    assert send(memory, now=LATER).sent == 0
    assert states() == ["unknown"]


def test_one_refused_recipient_does_not_touch_the_others(enqueue: Enqueue, ada: int) -> None:
    """EM-09: per recipient."""
    dora = person("dora", email="dora@example.org")
    sign(dora)

    def answer(mail: Outgoing) -> Outcome:
        bad = mail.recipient.startswith("dora")
        return Outcome(
            mail.number, *((Fate.REJECTED, "550 5.1.1") if bad else (Fate.ACCEPTED, "250"))
        )

    enqueue([ada, dora])
    send(Memory(answer=answer))
    assert states() == ["sent", "failed"]


# Protection


def test_nothing_goes_over_an_unverified_hop(enqueue: Enqueue, ada: int) -> None:
    """EM-01"""
    enqueue([ada])
    clear = Memory(hop=Hop.CLEAR)
    assert send(clear).deferred == 1
    assert (clear.sent, Message.objects.get().refusal_code) == ([], "tls_unverified")


def test_a_clinical_path_without_enforced_tls_goes_to_the_portal(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """EM-01, EM-26"""
    enqueue([ada], path_classes=frozenset({"clinical"}))
    send(memory, onward=Onward.OPPORTUNISTIC)
    assert Message.objects.get().route == "portal"
    assert Pickup.objects.count() == 1
    message = parsed(memory.sent[0])
    for part in message.iter_parts():
        assert "Ada" not in part.get_content()
        assert "eat well" not in part.get_content()
        assert "/m/p/" in part.get_content()


# Crashes (EM-10)


class Killed(BaseException):
    """The process is gone: nothing after this line runs."""


def killing(at: dispatch.Step) -> dispatch.Pause:
    def pause(step: dispatch.Step) -> None:
        if step == at:
            raise Killed

    return pause


AFTER_LEASE = NOON + claims.LEASE + timedelta(seconds=1)


@pytest.mark.parametrize("step", ["claimed", "composed"])
def test_a_crash_before_the_mark_sends_it_later_once(
    enqueue: Enqueue, ada: int, memory: Memory, step: dispatch.Step
) -> None:
    enqueue([ada])
    with pytest.raises(Killed):
        send(memory, pause=killing(step))
    assert (memory.sent, states()) == ([], ["claimed"])
    assert send(memory, now=NOON + timedelta(minutes=5)).sent == 0, "the lease still stands"
    assert send(memory, now=AFTER_LEASE).sent == 1
    assert len(memory.sent) == 1


@pytest.mark.parametrize(("step", "delivered"), [("marked", 0), ("handed_over", 1)])
def test_a_crash_around_the_hand_over_leaves_unknown(
    enqueue: Enqueue, ada: int, memory: Memory, step: dispatch.Step, delivered: int
) -> None:
    enqueue([ada])
    with pytest.raises(Killed):
        send(memory, pause=killing(step))
    assert (len(memory.sent), states()) == (delivered, ["handing_over"])
    assert send(memory, now=AFTER_LEASE).unknown == 1
    send(memory, now=AFTER_LEASE + timedelta(hours=1))
    assert (len(memory.sent), states()) == (delivered, ["unknown"])


def test_a_crash_after_the_result_changes_nothing(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])
    with pytest.raises(Killed):
        send(memory, pause=killing("noted"))
    send(memory, now=AFTER_LEASE)
    assert (len(memory.sent), states()) == (1, ["sent"])


def test_a_worker_that_lost_its_claim_does_not_send(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    """EM-10: the slow worker wakes up after another one sent it."""
    enqueue([ada])

    def overtaken(step: dispatch.Step) -> None:
        if step == "composed":
            assert send(memory, now=AFTER_LEASE).sent == 1

    assert send(memory, pause=overtaken).sent == 0
    assert (len(memory.sent), states()) == (1, ["sent"])


def test_a_result_that_comes_after_the_lease_still_counts(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    enqueue([ada])

    def slow(step: dispatch.Step) -> None:
        if step == "handed_over":
            assert claims.recover(now=AFTER_LEASE)

    assert send(memory, pause=slow).sent == 1
    assert states() == ["sent"]


# Reconciling


def unclear(enqueue: Enqueue, contact_id: int) -> Message:
    enqueue([contact_id])
    send(answering(Fate.UNCLEAR))
    return Message.objects.get()


def test_a_message_found_in_the_mailbox_was_sent(enqueue: Enqueue, ada: int) -> None:
    row = unclear(enqueue, ada)
    done = reconcile.reconcile({row.message_id_header}, complete_until=None, now=LATER)
    assert (done.found, states()) == (1, ["sent"])
    assert Event.objects.filter(kind="message.sent").count() == 1


def test_a_message_not_found_in_a_complete_record_is_sent_again(
    enqueue: Enqueue, ada: int, memory: Memory
) -> None:
    unclear(enqueue, ada)
    done = reconcile.reconcile(set(), complete_until=LATER, now=LATER)
    assert (done.requeued, send(memory, now=LATER).sent) == (1, 1)


def test_not_finding_it_in_an_incomplete_record_proves_nothing(enqueue: Enqueue, ada: int) -> None:
    unclear(enqueue, ada)
    done = reconcile.reconcile(set(), complete_until=None, now=LATER)
    assert (done.left, states()) == (1, ["unknown"])


def test_a_postfix_log_names_what_it_took_in() -> None:
    lines = ["Mar  2 12:00:01 mx postfix/cleanup[9]: 4A: message-id=<a1@h.example>", "noise"]
    assert reconcile.from_log(lines) == {"<a1@h.example>"}


def test_each_result_is_kept_with_its_moment(enqueue: Enqueue, ada: int, memory: Memory) -> None:
    enqueue([ada])
    send(answering(Fate.DEFERRED, "451 4.3.0"))
    send(memory, now=LATER)
    kept = Transition.objects.order_by("id").values_list("state", "code", "at")
    assert list(kept) == [("deferred", "server_said_later", NOON), ("sent", "250", LATER)]
