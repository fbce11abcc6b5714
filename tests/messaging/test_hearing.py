"""What a mail that came back does: to the address, the person, the message, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts.models import Organisation
from consent import suppression
from consent.models import OptOut
from contacts.models import Event
from contacts.points.models import ContactPoint
from messaging import dispatch
from messaging.hearing import figures, intake, mailbox
from messaging.models import Message, Returned
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_bounces import COMPLAINT, REPORT, plain

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    return Message.objects.get()


def bounce(message: Message, status: str = "5.1.1", said: str = "550 5.1.1 User unknown") -> bytes:
    text = REPORT.format(status=status, said=said, action="failed")
    text = text.replace("<sent@harbor.example>", message.message_id_header)
    return text.replace("0123456789abcdef0123456789abcdef", message.public_id.hex).encode()


def hear(raw: bytes, *, days: int = 0) -> intake.Taken:
    return intake.take(raw, source="api", now=LATER + timedelta(days=days))


def test_a_hard_bounce_gives_up_the_address_and_not_the_person(sent: Message) -> None:
    """EM-11"""
    assert hear(bounce(sent)).matched
    assert suppression.is_suppressed("ada@example.org")
    assert ContactPoint.objects.get().state == "bounced"
    assert not OptOut.objects.exists()


def test_a_bounce_is_the_persons_event(sent: Message) -> None:
    hear(bounce(sent))
    event = Event.objects.get(kind="message.bounced")
    assert (event.contact_id, event.message_id) == (sent.contact_id, sent.pk)


def test_the_same_bounce_counts_once(sent: Message) -> None:
    hear(bounce(sent))
    assert hear(bounce(sent)).repeated
    assert Returned.objects.count() == Event.objects.filter(kind="message.bounced").count() == 1


def test_what_is_the_senders_fault_suppresses_nobody(sent: Message) -> None:
    """EM-11"""
    hear(bounce(sent, "5.7.1", "554 5.7.1 Client host blocked using zen.spamhaus.org"))
    assert not suppression.is_suppressed("ada@example.org")


def test_a_full_mailbox_is_given_up_after_many_mails_over_a_week(
    ada: int, enqueue: Enqueue, memory: Memory
) -> None:
    """EM-11"""
    for step in range(5):
        enqueue([ada], step=f"news{step}")
    dispatch.run_once(transport=memory, now=NOON)
    for day, message in enumerate(Message.objects.order_by("id")):
        assert not suppression.is_suppressed("ada@example.org")
        hear(bounce(message, "5.2.2", "552 5.2.2 Mailbox full"), days=2 * day)
    assert suppression.is_suppressed("ada@example.org")


def test_a_complaint_without_an_address_ends_marketing_for_the_right_person(sent: Message) -> None:
    """EM-12"""
    hear(COMPLAINT.replace("<sent@harbor.example>", sent.message_id_header).encode())
    assert set(OptOut.objects.values_list("contact_id", "purpose")) == {
        (sent.contact_id, "marketing")
    }
    assert not suppression.is_suppressed("ada@example.org")  # care may go on


def test_an_automatic_answer_changes_nothing(sent: Message) -> None:
    raw = plain("Away", Auto_Submitted="auto-replied", In_Reply_To=sent.message_id_header)
    assert hear(raw).kind == "auto_reply"
    assert not OptOut.objects.exists()
    assert not Event.objects.filter(kind__in=["message.replied", "message.bounced"]).exists()


def test_a_persons_stop_by_mail_counts(sent: Message) -> None:
    hear(plain("STOP", In_Reply_To=sent.message_id_header))
    assert OptOut.objects.filter(contact_id=sent.contact_id).exists()
    assert Event.objects.filter(kind="message.replied").count() == 1


def test_an_unclear_message_is_settled_by_what_comes_back(sent: Message) -> None:
    """EM-09"""
    Message.objects.update(state="unknown", sent_at=None)
    hear(bounce(sent, "4.2.2", "452 4.2.2 Mailbox full"))
    assert Message.objects.get().state == "sent"


def test_what_answers_nothing_waits_for_review_without_a_word(sent: Message) -> None:
    taken = hear(REPORT.format(status="5.1.1", said="550 Nobody", action="failed").encode())
    row = Returned.objects.get()
    assert (taken.matched, row.reviewed_at, row.contact_id) == (False, None, None)
    assert not suppression.is_suppressed("ada@example.org")


def test_another_organisations_message_is_not_ours(sent: Message, hill: Organisation) -> None:
    from accounts import tenancy

    with tenancy.acting_for(hill.pk):
        assert not hear(bounce(sent)).matched


class Folder:
    def __init__(self, *mails: bytes) -> None:
        self.mails = dict(enumerate(mails))
        self.read: list[str] = []

    def fresh(self, *, most: int) -> Iterator[tuple[str, bytes]]:
        yield from ((str(number), raw) for number, raw in self.mails.items())

    def done(self, number: str) -> None:
        self.read.append(number)


def test_a_mailbox_of_several_organisations_gives_each_its_own(
    sent: Message, hill: Organisation
) -> None:
    folder = Folder(bounce(sent), plain("spam"))
    assert mailbox.read(folder, now=LATER) == 1
    assert folder.read == ["0"]


def test_figures_count_what_came_back(sent: Message) -> None:
    hear(bounce(sent))
    found = figures.of_period(now=LATER)
    assert (found.sent, found.bounced, found.dead) == (1, 1, 1)
    assert found.by_class == [("userunknown", 1)]
