"""SR-03, SE-15: real processes take in planted values, fail on them, and leave none behind.

`tests/canary` looks under a virtual clock at what the journey itself leaves; here a web server, a
Celery worker, the scheduler and the broker are the ones that run, and their files are searched.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connections
from django.utils import timezone

from accounts import tenancy
from contacts.models import Contact
from messaging.models import Message
from tests.canary import kept, planted, search
from tests.canary.planted import STEM
from tests.chaos.clinic import Clinic
from tests.chaos.conftest import Opening
from tests.chaos.test_kills import at_step
from tests.ground.server import OwnDatabase, TestServer
from tests.workflows.conftest import sign

PEOPLE = ("ada", "ben", "cleo")


def test_the_running_processes_leave_no_patients_value_behind(
    open_clinic: Opening, committed_db: OwnDatabase, test_server: TestServer
) -> None:
    clinic = open_clinic(1, seed=1, delay=0.0)
    refused = f"{STEM}.ben@patients.example"
    clinic.mailbox.behaviour.refuse_recipient[refused] = f"550 5.1.1 <{refused}> {STEM} is gone"
    _take_in(clinic)
    _refuse(clinic)
    clinic.watch_until(lambda: _states(clinic) >= {"sent", "failed"})
    clinic.watch_until(lambda: at_step(clinic, "clicked") == 1 + len(PEOPLE))
    _spoil(clinic)
    _answer(clinic)
    clinic.watch_until(lambda: b"SealBroken" in _log(clinic, "worker"))
    clinic.supervisor.stop()
    clinic.broker.stop_any()

    assert any(STEM in letter.body("plain") for letter in clinic.mailbox.letters())
    home = clinic.broker.home.parent
    files = dict(search.files(home))
    assert any(b"marketing.tick" in content for name, content in files.items() if "broker" in name)
    assert {"web.log", "worker.log", "scheduler.log"} <= {Path(name).name for name in files}
    assert search.all_leaks(files | kept.by(committed_db, test_server)) == []


def _take_in(clinic: Clinic) -> None:
    """Planted people come in by HTTP and sign; the series' segment asks for women."""
    for person in PEOPLE:
        assert _send(clinic, "contacts", _change(person, planted.values(person))) in (200, 201)
    with tenancy.acting_for(clinic.organisation_id):
        sign(list(Contact.objects.order_by("id").values_list("id", flat=True)[1:]))


def _refuse(clinic: Clinic) -> None:
    """Send what the web server must refuse, with planted values in every part of it."""
    bad = _change("dan", planted.values("dan") | {"birth_date": f"{STEM} 1907"})
    assert _send(clinic, "contacts", bad) == 422
    assert _send(clinic, "events", {"contact": STEM, "kind": STEM}) == 422
    cut = f'{{"resourceType": "Bundle", "entry": [{{"{STEM}": '.encode()
    assert _send(clinic, "imports", cut, kind="application/fhir+json") in (400, 422)


def _change(person: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": "ehr", "record_number": f"{STEM}-mrn-{person}", "values": values}


def _spoil(clinic: Clinic) -> None:
    """Exchange Cleo's sealed identity with Ada's: the worker cannot open it and says so."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET identity = a.identity, demographic = a.demographic"
            " FROM contacts_contact a WHERE a.ordinal = 1 AND c.ordinal = 3"
        )


def _answer(clinic: Clinic) -> None:
    """Everybody books a class, and says something with it; their next mails are made."""
    with tenancy.acting_for(clinic.organisation_id):
        people = list(Contact.objects.order_by("id"))
    for contact in people:
        event = {
            "contact": str(contact.public_id),
            "kind": "class.booked",
            "occurred_at": timezone.now().isoformat(),
            "idempotency_key": f"booked-{contact.ordinal}",
            "properties": {"why": f"{STEM} reasons"},
        }
        assert _send(clinic, "events", event) in (200, 201, 202)


def _send(
    clinic: Clinic, path: str, body: Mapping[str, Any] | bytes, *, kind: str = "application/json"
) -> int:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {
        "Authorization": f"Bearer {clinic.secret}",
        "Content-Type": kind,
    }
    request = urllib.request.Request(f"{clinic.address}/api/v1/{path}", content, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code


def _states(clinic: Clinic) -> set[str]:
    with tenancy.acting_for(clinic.organisation_id):
        return set(Message.objects.values_list("state", flat=True))


def _log(clinic: Clinic, name: str) -> bytes:
    return (clinic.broker.home.parent / f"{name}.log").read_bytes()
