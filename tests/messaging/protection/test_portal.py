"""What waits on the portal: its files, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from audit.models import Entry
from messaging import attachments, dispatch, pickup
from messaging.attachments import Given
from messaging.models import Message, Pickup
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import path_in

PDF = b"%PDF-1.7\nclaim 4711"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(hours=1))
    return Client()


def waiting(enqueue: Enqueue, contact_id: int) -> str:
    """Send a message with a file by the portal; return its address there."""
    message_id = enqueue([contact_id], path_classes=frozenset({"clinical"}))[0].message_id
    attachments.attach(message_id, [Given("Ada's letter.pdf", PDF)], now=NOON)
    memory = Memory()
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.OPPORTUNISTIC)
    mail = parsed(memory.sent[0])
    assert b"letter" not in memory.sent[0].data
    assert not list(mail.iter_attachments())
    return path_in(next(mail.iter_parts()).get_content(), "p")


def enter(client: Client, path: str) -> str:
    client.post(path, {"month": "4", "day": "5", "year": "1960"})
    return client.get(path + "/message").content.decode()


def test_the_files_are_there_after_the_identity_step_and_only_to_be_saved(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    """EM-26"""
    path = waiting(enqueue, ada)
    address = f"{path}/files/{attachments.of_message(Message.objects.get().pk)[0].pk}"
    assert outside.get(address).status_code == 302, "the link alone opens nothing"
    assert "Ada&#x27;s letter.pdf" in enter(outside, path)
    answer = outside.get(address)
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert Entry.objects.get(action="message.file_opened").actor_kind == "patient"


def test_a_recall_counts_at_once_also_for_who_has_it_open(
    enqueue: Enqueue, ada: int, outside: Client, mara: User, sign_in_as: Callable[[User], Client]
) -> None:
    """EM-26"""
    path = waiting(enqueue, ada)
    enter(outside, path)
    row = Message.objects.get()
    client = sign_in_as(mara)
    assert client.post(reverse("message-recall", args=[row.public_id])).status_code == 302
    assert outside.get(path + "/message").status_code == 302
    assert outside.get(path + "/body").status_code == 302
    assert "took this message back" in outside.get(path).content.decode()
    assert not pickup.renew(Pickup.objects.get(), now=NOON)
    assert Entry.objects.filter(action="message.recalled").count() == 1


def test_who_may_not_send_takes_nothing_back(
    enqueue: Enqueue, ada: int, omar: User, sign_in_as: Callable[[User], Client]
) -> None:
    waiting(enqueue, ada)
    address = reverse("message-recall", args=[Message.objects.get().public_id])
    assert sign_in_as(omar).post(address).status_code == 403
    assert Pickup.objects.get().recalled_at is None
