"""What waits on the portal: its files, its read receipt, and taking it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from contacts.models import Event
from messaging import attachments, tracking
from messaging.models import Message, Pickup
from messaging.portal import pickup
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.portal.conftest import PDF, Visitor, waiting

SignedIn = Callable[[User], Client]


@pytest.fixture
def with_file(visitor: Visitor, enqueue: Enqueue, ada: int) -> Visitor:
    visitor.path = waiting(enqueue, ada, files=True)
    return visitor


def test_the_files_are_there_after_the_identity_step_and_only_to_be_saved(
    with_file: Visitor,
) -> None:
    """EM-26"""
    client = with_file.client
    number = attachments.of_message(Message.objects.get().pk)[0].pk
    address = f"{with_file.path}/files/{number}"
    assert client.get(address).status_code == 303, "the link alone opens nothing"
    with_file.enter()
    assert "Ada&#x27;s letter.pdf" in with_file.message()
    answer = client.get(address)
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert Entry.objects.get(action="message.file_opened").actor_kind == "patient"


def test_a_recall_counts_at_once_also_for_who_has_it_open(
    ada_waits: Visitor, mara: User, sign_in_as: SignedIn
) -> None:
    """EM-26"""
    ada_waits.enter()
    row = Message.objects.get()
    assert sign_in_as(mara).post(reverse("message-recall", args=[row.public_id])).status_code == 302
    client = ada_waits.client
    assert client.get(ada_waits.path + "/message").status_code == 303
    assert client.get(ada_waits.path + "/body").status_code == 303
    assert "took this message back" in client.get(ada_waits.path).content.decode()
    assert not pickup.renew(Pickup.objects.get(), now=NOON)
    assert Entry.objects.filter(action="message.recalled").count() == 1


def test_the_message_page_says_when_it_was_read(
    ada_waits: Visitor, mara: User, sign_in_as: SignedIn
) -> None:
    page = reverse("message", args=[Message.objects.get().public_id])
    assert "Not read yet" in sign_in_as(mara).get(page).content.decode()
    ada_waits.enter()
    assert Pickup.objects.get().opened_at is None, "the way in is not yet the reading"
    ada_waits.message()
    first = Pickup.objects.get().opened_at
    ada_waits.clock.forward(minutes=2)
    ada_waits.message()
    assert Pickup.objects.get().opened_at == first == ada_waits.clock.now.replace(minute=0)
    assert "Read on the portal" in sign_in_as(mara).get(page).content.decode()
    viewed = Entry.objects.filter(action="message.viewed", actor_kind="patient")
    assert viewed.count() == 2


def test_workflows_hear_once_that_the_person_opened_it(ada_waits: Visitor) -> None:
    ada_waits.enter()
    ada_waits.message()
    ada_waits.message()
    assert Event.objects.filter(kind="message.opened", machine=False).count() == 1


def test_looking_again_is_no_opening_of_the_mail(
    ada_waits: Visitor, omar: User, sign_in_as: SignedIn
) -> None:
    """TR-05: a picture that our own page loads would be a second opening, or staff's."""
    Message.objects.update(classes=["clinical", "identity"])
    ada_waits.enter()
    page = ada_waits.client.get(ada_waits.path + "/body").content.decode()
    assert "/m/c/" in page and "/m/o/" not in page
    address = reverse("message-said", args=[Message.objects.get().public_id])
    page = sign_in_as(omar).get(address).content.decode()
    assert "Dear Ada" in page and "/m/o/" not in page and "/m/c/" not in page


def test_of_who_declined_measuring_workflows_hear_nothing(ada_waits: Visitor, ada: int) -> None:
    """TR-04"""
    tracking.decline(ada, now=NOON)
    ada_waits.enter()
    ada_waits.message()
    assert not Event.objects.filter(kind="message.opened").exists()
    assert Pickup.objects.get().opened_at is not None


def test_a_recall_says_honestly_whether_it_came_in_time(
    ada_waits: Visitor, mara: User, sign_in_as: SignedIn
) -> None:
    row = Message.objects.get()
    ada_waits.enter()
    ada_waits.message()
    client = sign_in_as(mara)
    told = client.post(reverse("message-recall", args=[row.public_id]), follow=True)
    assert "it was read before" in told.content.decode()
    assert "after it was read" in told.content.decode()
    assert Entry.objects.get(action="message.recalled").outcome == "after_reading"


def test_who_may_not_send_takes_nothing_back(
    ada_waits: Visitor, omar: User, sign_in_as: SignedIn
) -> None:
    address = reverse("message-recall", args=[Message.objects.get().public_id])
    assert sign_in_as(omar).post(address).status_code == 403
    assert Pickup.objects.get().recalled_at is None


def test_without_a_birth_date_nothing_waits_that_nobody_could_open(
    visitor: Visitor, enqueue: Enqueue, at_harbor: object
) -> None:
    from messaging import dispatch
    from messaging.protect import Onward
    from messaging.transports.memory import Memory
    from tests.messaging.conftest import person, sign

    number = person("eve", email="eve@example.org", birth_date=None)
    sign(number)
    enqueue([number], path_classes=frozenset({"clinical"}))
    memory = Memory()
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.OPPORTUNISTIC)
    row = Message.objects.get()
    assert (row.state, row.refusal_code) == ("failed", "no_birth_date")
    assert memory.sent == []
