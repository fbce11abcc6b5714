"""Files of messages: what may come, how it is kept, and that a mail names none of them."""

from __future__ import annotations

import hashlib

import pytest

from contacts import erase
from messaging import attachments
from messaging.attachments import FileRefused, Given, kinds
from messaging.models import Attachment, Message
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue

PDF = Given("Ada's benefits.pdf", b"%PDF-1.7\nclaim 4711")


def test_a_file_is_sealed_hashed_and_joins_its_classes(enqueue: Enqueue, ada: int) -> None:
    """EM-26"""
    message_id = enqueue([ada])[0].message_id
    (row,) = attachments.attach(message_id, [PDF], classes={"coverage"}, now=NOON)
    assert row.sha256 == hashlib.sha256(PDF.content).hexdigest()
    kept = Attachment.objects.get()
    assert b"4711" not in bytes(kept.content)
    assert b"benefits" not in bytes(kept.name)
    assert "coverage" in Message.objects.get().classes
    (opened,) = attachments.opened(attachments.of_message(message_id))
    assert (opened.name, opened.content) == ("Ada's benefits.pdf", PDF.content)


def test_an_erased_persons_files_do_not_open(enqueue: Enqueue, ada: int) -> None:
    message_id = enqueue([ada])[0].message_id
    attachments.attach(message_id, [PDF], now=NOON)
    erase.erase(ada, now=NOON)
    assert attachments.opened(attachments.of_message(message_id)) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "File 1 is empty"),
        (b"MZ\x90\x00\xff\xff", "not a PDF"),
        (b"<html><script>alert(1)</script>", "not a PDF"),
        (b"%PDF-" + b"x" * kinds.LARGEST, "larger than 10 MB"),
    ],
)
def test_what_may_not_travel_is_refused_by_its_content(
    enqueue: Enqueue, ada: int, content: bytes, says: str
) -> None:
    message_id = enqueue([ada])[0].message_id
    with pytest.raises(FileRefused, match=says):
        attachments.attach(message_id, [Given("a.pdf", content)], now=NOON)
    assert not Attachment.objects.exists()


def test_nothing_is_attached_to_what_was_sent(enqueue: Enqueue, ada: int) -> None:
    message_id = enqueue([ada])[0].message_id
    Message.objects.update(state="sent")
    with pytest.raises(LookupError, match="sent"):
        attachments.attach(message_id, [PDF], now=NOON)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("a\r\nX: y.pdf", "aX y.pdf"),
        ("\u202efdp.exe", "fdp.pdf"),
        ("", "document.pdf"),
    ],
)
def test_a_name_is_made_safe(name: str, clean: str) -> None:
    assert kinds.clean_name(name, "application/pdf") == clean
