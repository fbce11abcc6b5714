"""What people write back: with the message and the person, for those who may read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from contacts import erase
from contacts.models import Contact, Event
from contacts.segments.definition import data_classes, parse
from messaging import dispatch
from messaging.answers import reading
from messaging.hearing import intake
from messaging.models import Message
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue

SignedIn = Callable[[User], Client]
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def sent(ada: int, enqueue: Enqueue, memory: Memory) -> Message:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    return Message.objects.get()


def write(message: Message, words: str, **headers: str) -> intake.Taken:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    raw = (
        "From: Ada <ada@example.org>\r\nTo: care@harbor.example\r\nSubject: Re: News\r\n"
        f"In-Reply-To: {message.message_id_header}\r\n{more}\r\n{words}\r\n"
    )
    return intake.take(raw.encode(), source="pipe", now=LATER)


WORDS = "I have moved to Quincy, is the class there too?"


def test_an_answer_stands_with_its_message_and_the_person(
    sent: Message, omar: User, sign_in_as: SignedIn
) -> None:
    write(sent, WORDS)
    client = sign_in_as(omar)
    public_id = Contact.objects.get(pk=sent.contact_id).public_id
    page = client.get(f"/contacts/{public_id}/").content.decode()
    assert "Answered" in page and f'href="/messages/{sent.public_id}/"' in page
    assert WORDS not in page
    said = client.get(f"/messages/{sent.public_id}/answers/").content.decode()
    assert WORDS in said
    assert Entry.objects.filter(action="message.answer_viewed").count() == 1


def test_a_marketer_sees_that_there_is_an_answer_and_not_what_it_says(
    sent: Message, mara: User, sign_in_as: SignedIn
) -> None:
    write(sent, WORDS)
    client = sign_in_as(mara)
    page = client.get(f"/messages/{sent.public_id}/").content.decode()
    assert "An answer came" in page and WORDS not in page
    assert client.get(f"/messages/{sent.public_id}/answers/").status_code == 403


def test_the_words_are_sealed_and_go_with_the_person(sent: Message) -> None:
    write(sent, WORDS)
    held = Event.objects.get(kind="message.replied").properties
    assert held is not None and b"Quincy" not in bytes(held)
    erase.erase(sent.contact_id, now=LATER)
    assert [one.words for one in reading.of_message(sent)] == [""]


def test_a_question_about_the_words_is_clinical() -> None:
    """Whoever does not see clinical facts must not look for them in what people write."""
    where = [{"property": "said", "op": "contains", "value": "pregnant"}]
    definition = parse({"event": "message.replied", "where": where})
    assert "clinical" in {one.value for one in data_classes(definition)}


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Return_Path": "<>", "Auto_Submitted": "auto-replied (vacation)"},
    ],
)
def test_em23_an_automatic_answer_is_no_answer(sent: Message, headers: dict[str, str]) -> None:
    assert write(sent, "I am away until Monday.", **headers).kind == "auto_reply"
    assert not Event.objects.filter(kind="message.replied").exists()


def test_em23_our_mail_says_that_it_is_automatic(sent: Message, memory: Memory) -> None:
    assert b"Auto-Submitted: auto-generated" in memory.sent[-1].data
