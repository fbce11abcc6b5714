from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts import api_keys
from accounts.models import Organisation
from accounts.roles import SCOPES
from consent import ledger
from contacts.records import Change, upsert
from contacts.segments import catalogue
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from deploy.run import answers
from deploy.supervisor import Supervisor
from messaging.models import Template
from tests.chaos.clinic import Clinic, processes
from tests.deploy.ports import free_port
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import EVERYTHING, approved
from tests.messaging.mails import BODY, FOOT, TEXT, mjml
from tests.workflows.graphs import series
from workflows import publishing

WOMEN = {"field": "gender", "op": "equals", "value": "female"}
Opening = Callable[..., Clinic]


@pytest.fixture
def open_clinic(
    committed_db: OwnDatabase,
    at_harbor: Organisation,
    mailbox: Mailbox,
    settings: LazySettings,
    tmp_path: Path,
) -> Iterator[Opening]:
    """Open the clinic with so many patients in the segment that starts the series."""
    home = Path(tempfile.mkdtemp(prefix="attune-", dir="/var/tmp"))
    broker = EmbeddedBroker(home / "broker")
    settings.SMTP_PORT, settings.SMTP_CA_FILE = mailbox.port, str(mailbox.ca_file)
    settings.SMTP_ONWARD_TLS = "enforced"
    opened: list[Clinic] = []

    def opening(people: int, *, seed: int, delay: float) -> Clinic:
        mailbox.behaviour.delay = delay
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        started = processes(committed_db, broker=broker, mailbox=mailbox, home=home, port=port)
        clinic = Clinic(
            organisation_id=at_harbor.pk,
            supervisor=Supervisor(started, [broker.start]),
            broker=broker,
            mailbox=mailbox,
            address=address,
            secret=a_key(),
            random=Random(seed),
        )
        opened.append(clinic)
        admit(people)
        publish(at_harbor)
        broker.start()
        clinic.supervisor.start()
        clinic.watch_until(lambda: answers(f"{address}/"))
        return clinic

    yield opening
    for clinic in opened:
        clinic.supervisor.stop()
    broker.stop_any()
    shutil.rmtree(home)


def a_key() -> str:
    now = timezone.now()
    _, secret = api_keys.issue("EHR", scopes=SCOPES, expires_at=now + timedelta(days=1), now=now)
    return secret


def admit(people: int) -> None:
    """Take in patients who agreed to everything."""
    now = timezone.now()
    changes = [
        Change(
            source="ehr",
            record_number=f"p{number}",
            values={
                "given_name": "P",
                "birth_date": "1960-04-05",
                "gender": "female",
                "email": f"p{number}@patients.example",
            },
        )
        for number in range(people)
    ]
    ids = upsert(changes, now=now).contact_ids
    ledger.record_authorizations(
        [
            ledger.Signing(
                one,
                frozenset({"marketing"}),
                EVERYTHING,
                signed_at=now - timedelta(hours=1),
                expires_on=now.date() + timedelta(days=365),
            )
            for one in ids
        ],
        received_by="paper",
        now=now,
    )


def publish(organisation: Organisation) -> None:
    """Publish: education -> books a class? -> invitation; everybody in the segment starts."""
    now = timezone.now()
    Organisation.objects.filter(pk=organisation.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    mails = {slug: a_template(slug) for slug in ("educate", "invite", "remind")}
    raw = series(
        **{slug: {"template": str(one.pk)} for slug, one in mails.items()},
        clicked={"event": "class.booked", "of": None},
    )
    segment = catalogue.save(name="Women", tree=WOMEN, now=now)
    raw["trigger"] = {"kind": "segment", "segment": str(segment.id), "present": True}
    workflow = publishing.create("Series", slug="series", draft=raw, now=now)
    publishing.publish(workflow.id, now=now)


def a_template(slug: str) -> Template:
    now = timezone.now()
    draft = Template.objects.create(
        slug=slug,
        name=slug.title(),
        purpose="marketing",
        declared=["given_name"],
        subject=slug,
        mjml=mjml(BODY, foot=FOOT),
        text=TEXT,
        created_at=now,
        changed_at=now,
    )
    approved(draft)
    return draft
