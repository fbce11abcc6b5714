"""A clinic whose people carry planted values, and its journey with everything that goes wrong."""

from __future__ import annotations

import io
import logging
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

import contacts.reveal
from accounts import tenancy
from accounts.models import Organisation, User
from contacts import records
from contacts.models import Contact
from contacts.segments import catalogue, columns
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from marketing import loops
from marketing.celery import PERIODS, app
from marketing.logs import PrivateFormatter
from messaging.models import Template
from tests.canary.planted import CODE, DATES, STEM, SYSTEM, change
from tests.conftest import NOON
from tests.ground.server import OwnDatabase, TestServer
from tests.messaging.conftest import approved, template
from tests.messaging.test_machines import FIREFOX
from tests.workflows.conftest import sign
from tests.workflows.graphs import series
from workflows import publishing

CONTROL = "Kontrollweg 12345, Boston"
"""Stands in the clear in the database: what finds no canary must at least find this."""
PEOPLE = ("ada", "ben", "cleo")
SignIn = Callable[[User], Client]


@dataclass
class Aftermath:
    """What the journey left behind."""

    sent: list[str]
    pages: list[bytes]
    log: bytes
    broker: dict[str, bytes]
    anchor: Path
    database: OwnDatabase
    server: TestServer


@pytest.fixture
def aftermath(
    committed_db: OwnDatabase,
    test_server: TestServer,
    harbor: Organisation,
    omar: User,
    sign_in_as: SignIn,
    mailbox: Mailbox,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Aftermath]:
    """Plant, run the journey, break things in view, worker and SMTP; keep what is left."""
    settings.ATTUNE_ANCHOR_DIR = tmp_path / "anchor"
    settings.SMTP_HOST, settings.SMTP_PORT = mailbox.host, mailbox.port
    settings.SMTP_CA_FILE, settings.SMTP_ONWARD_TLS = str(mailbox.ca_file), "enforced"
    with logged() as log:
        _prepare(harbor, mailbox)
        pages = _journey(mailbox, monkeypatch)
        pages += _break_the_view(harbor, omar, sign_in_as, monkeypatch)
        _break_the_worker(harbor, monkeypatch)
    yield Aftermath(
        sent=[letter.body("plain") for letter in mailbox.letters()],
        pages=pages,
        log=log.getvalue().encode(),
        broker=_broker_files(),
        anchor=settings.ATTUNE_ANCHOR_DIR,
        database=committed_db,
        server=test_server,
    )


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collect the log as production writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrivateFormatter())
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield stream
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def _prepare(harbor: Organisation, mailbox: Mailbox) -> None:
    """Three people who signed, one who died, a segment that asks for the planted code."""
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address=CONTROL, web_origin="https://h.example"
        )
        made = records.upsert([change(person) for person in PEOPLE], now=NOON)
        records.upsert([change("dee", deceased=True, deceased_at=DATES[2])], now=NOON)
        sign(made.contact_ids)
        columns.rebuild()
        ill = {"field": "conditions", "op": "has_code", "system": SYSTEM, "codes": [CODE]}
        tree = {"all": [ill, {"field": "birth_date", "op": "age_gte", "value": 50}]}
        segment = catalogue.save(name=f"{STEM} segment", tree=tree, now=NOON)
        mails = {slug: template(slug) for slug in ("educate", "invite", "remind")}
        _asks_the_code(mails["educate"], ill)
        for mail in mails.values():
            approved(mail)
        raw = series(**{slug: {"template": str(mail.id)} for slug, mail in mails.items()})
        raw["trigger"] = {"kind": "segment", "segment": str(segment.id), "present": True}
        workflow = publishing.create("Series", slug="series", draft=raw, now=NOON)
        publishing.publish(workflow.id, now=NOON)
    refused = f"{STEM}.ben@patients.example"
    mailbox.behaviour.refuse_recipient[refused] = f"550 5.1.1 <{refused}> {STEM} is not here"


def _asks_the_code(mail: Template, asked: dict[str, Any]) -> None:
    """Let a paragraph be for those with the planted code alone."""
    mail.conditions = {"ill": {"label": f"{STEM} patients", "definition": asked}}
    mail.mjml = mail.mjml.replace("Dear", "{% if when.ill %}Hello{% else %}Dear{% endif %}")
    mail.save()


def _journey(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Send, let Ada click, remind Cleo, seal the trail. Ben's server refuses and quotes him."""
    _tick(NOON)
    letters = {letter.recipient: letter for letter in mailbox.letters()}
    body = letters[f"{STEM}.ada@patients.example"].body("plain")
    click = re.search(r"https://h\.example(/m/c/[\w.\-/]+)", body)
    assert click
    later = NOON + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer = Client(HTTP_USER_AGENT=FIREFOX).get(click[1])
    monkeypatch.undo()
    assert answer.status_code == 302
    _tick(later)
    _tick(NOON + timedelta(days=3, hours=1))
    return [answer.headers["Location"].encode(), answer.content]


def _tick(now: datetime) -> None:
    for name in ("visits", "memberships", "triggers", "runner", "dispatch", "compact", "seal"):
        loops.run(name, now=now)


def _break_the_view(
    harbor: Organisation, omar: User, sign_in_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> list[bytes]:
    """Search by a planted address, open a record, and fail while its values are in hand."""
    client = sign_in_as(omar)
    client.raise_request_exception = False
    with tenancy.acting_for(harbor.pk):
        ada = Contact.objects.order_by("id")[0]
    opened = client.post(f"/contacts/{ada.public_id}/clinical/")
    assert STEM.encode() in opened.content
    with monkeypatch.context() as broken:
        broken.setattr("marketing.web.contacts.reveal", _fails)
        answer = client.post(f"/contacts/{ada.public_id}/identity/")
    assert answer.status_code == 500
    return [answer.content]


def _break_the_worker(harbor: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail with a planted value in the exception's text while a message is made."""
    with tenancy.acting_for(harbor.pk):
        late = records.upsert([change("eve")], now=NOON).contact_ids
        sign(late)
    with monkeypatch.context() as broken:
        broken.setattr(contacts.reveal, "reveal", _fails)
        _tick(NOON + timedelta(days=4))


def _fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError(f"cannot open {STEM} ada given_name, born {DATES[0]}")


def _broker_files() -> dict[str, bytes]:
    """Publish every tick to a real broker and return what it keeps on disk."""
    with tempfile.TemporaryDirectory(prefix="attune-canary-", dir="/var/tmp") as folder:
        broker = EmbeddedBroker(Path(folder))
        broker.start()
        try:
            with app.connection_for_write(url=broker.url) as connection:
                for name in PERIODS:
                    app.send_task("marketing.tick", args=[name], connection=connection)
        finally:
            broker.stop_any()
        return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
