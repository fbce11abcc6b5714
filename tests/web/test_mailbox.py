"""The sample's mailbox in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from deploy.mailbox_store import MailboxStore

MAIL = (
    b"From: clinic@harbor.example\r\nTo: ada@example.org\r\nSubject: A class\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nCome and see\r\n"
    b"--b\r\nContent-Type: text/html\r\n\r\n"
    b"<html><head></head><body><p>Come</p><script>alert(1)</script></body></html>\r\n--b--\r\n"
)


@pytest.fixture
def key(tmp_path: Path, settings: LazySettings, now: object) -> str:
    settings.SAMPLE, settings.ATTUNE_MAILBOX = True, tmp_path / "mailbox"
    store = MailboxStore(tmp_path / "mailbox")
    store.prepare()
    return store.keep(MAIL, recipient="ada@example.org", received_at=now)  # type: ignore[arg-type]


@pytest.fixture
def client(mara: User, sign_in_as: Callable[[User], Client]) -> Client:
    return sign_in_as(mara)


def test_mails_are_listed_and_read(key: str, client: Client) -> None:
    assert "A class" in client.get("/mailbox/").content.decode()
    assert "Come and see" in client.get(f"/mailbox/{key}/").content.decode()


def test_a_mails_page_can_run_nothing(key: str, client: Client) -> None:
    response = client.get(f"/mailbox/{key}/page/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy


def test_a_mail_that_is_not_there(key: str, client: Client) -> None:
    assert client.get("/mailbox/../etc/").status_code == 404
    assert client.get("/mailbox/none.attune/").status_code == 404


def test_outside_the_sample_there_is_no_mailbox(
    key: str, client: Client, settings: LazySettings
) -> None:
    settings.SAMPLE = False
    assert client.get("/mailbox/").status_code == 404
