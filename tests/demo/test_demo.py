"""The demo command, on a mailbox and a database of this test's own."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from contacts.sample import people
from contacts.sample.fhir import write_bundles
from deploy.mailbox import Mailbox
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("committed_db", "as_test")


@pytest.fixture(autouse=True)
def own_mailbox(tmp_path: Path, settings: Settings, mailbox: Mailbox) -> Mailbox:
    settings.ATTUNE_HOME, settings.ATTUNE_ANCHOR_DIR = tmp_path, tmp_path / "anchor"
    settings.ATTUNE_MAILBOX = mailbox.store.folder
    settings.SMTP_HOST, settings.SMTP_PORT = "localhost", mailbox.port
    settings.SMTP_CA_FILE, settings.SMTP_ONWARD_TLS = str(mailbox.ca_file), "enforced"
    return mailbox


def demo(*arguments: str) -> str:
    told = io.StringIO()
    call_command("demo", *arguments, stdout=told)
    return told.getvalue()


def invented(folder: Path, count: int = 120) -> str:
    path = folder / "people.ndjson"
    write_bundles(path, people(7, count, now=NOON))
    return str(path)


def test_the_main_job_runs_and_every_figure_adds_up(tmp_path: Path, own_mailbox: Mailbox) -> None:
    told = demo(invented(tmp_path))
    assert "✗" not in told and told.count("✓") == 7
    assert len(own_mailbox.letters()) > 20


def test_nobody_is_reached_where_nobody_signed(tmp_path: Path, own_mailbox: Mailbox) -> None:
    """A demo without a single click proves nothing, so it says that it failed."""
    with pytest.raises(CommandError, match="does not add up"):
        demo(invented(tmp_path), "--signed", "0")
    assert own_mailbox.letters() == []


def test_a_mail_that_vanished_from_the_mailbox_is_noticed(
    tmp_path: Path, own_mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketing.demo import journey

    whole = journey.new_letters
    monkeypatch.setattr(journey, "new_letters", lambda store, seen: whole(store, seen=seen)[1:])
    with pytest.raises(CommandError, match="does not add up"):
        demo(invented(tmp_path))


def test_a_broken_file_imports_nobody_and_names_the_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_text(json.dumps({"resourceType": "Bundle", "type": "transaction"}) + "\n{\n")
    with pytest.raises(CommandError, match=r"broken\.ndjson"):
        demo(str(broken))
