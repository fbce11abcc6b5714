from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation
from consent.sending import terms
from consent.wishes import record as wishes
from deploy.phone import Phone
from messaging import dispatch, outbox, sender, signed
from messaging.models import Message, Template, TemplateVersion
from messaging.pools import facts
from messaging.transports import carriers
from tests.conftest import NOON
from tests.messaging.conftest import SOURCE, approved, person

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="
NUMBER = "+16175550000"
ADA = "+16175550101"
DAY = datetime.fromisoformat("2026-03-02T19:00:00+00:00")
"""Two in the afternoon in Boston, nine in the morning in Honolulu: no quiet hours anywhere."""
NAMED = (
    "{{ organisation.name }}: {{ contact.given_name | default('you') }}, your visit is near. "
    "Call 617-555-0000. STOP to end."
)
REMINDER = (
    "{{ organisation.name }}: your visit is coming up. Questions? 617-555-0000. Reply STOP to end."
)


@dataclass
class Line:
    """The gateway, and what it reported; reports reach the product when a test says so."""

    phone: Phone
    reports: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def note(self, address: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.reports.append((address, body, headers))
        return 204

    def report(self) -> list[int]:
        """Hand every report to the product's door."""
        self.phone.reported()
        due, self.reports[:] = list(self.reports), []
        return [post(*one).status_code for one in due]

    def write(self, words: str, *, number: str = ADA, **more: Any) -> HttpResponse:
        """Write a text on a phone."""
        said = {"type": "message.received", "from": number, "to": NUMBER, "text": words} | more
        return post_signed(door(), said)

    def words(self, number: str = ADA) -> list[str]:
        return [one.words for one in self.phone.store.texts() if one.phone == number and one.ours]


def door(kind: str = "texts") -> str:
    return carriers.door(kind, now=NOON)


def post(address: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
    path = address.partition("/m/")[2]
    answer = Client().post(
        f"/m/{path}", body, content_type="application/json", headers=dict(headers)
    )
    assert isinstance(answer, HttpResponse)
    return answer


def post_signed(
    address: str, said: dict[str, Any], *, secret: str = SECRET, number: str = ""
) -> HttpResponse:
    body = json.dumps(said).encode()
    number = number or uuid4().hex
    headers = signed.headers(body, number=number, secret=secret, now=timezone.now())
    return post(address, body, headers)


@pytest.fixture
def line(tmp_path: Path, settings: Any) -> Iterator[Line]:
    """A running gateway, which is the installation's."""
    made = Line(Phone(tmp_path / "phone", SECRET))
    made.phone.post = made.note
    with made.phone.running():
        settings.TEXTS_URL = made.phone.url
        settings.TEXTS_SECRET = SECRET
        settings.TEXTS_NUMBER = NUMBER
        settings.ATTUNE_PUBLIC_ORIGIN = "http://localhost:8000"
        yield made


@pytest.fixture
def carried(at_harbor: Organisation, line: Line) -> Line:
    """The gateway is our own machine, so no agreement is needed."""
    terms.record_carrier("sms", name="Own gateway", own=True, now=NOON)
    return line


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    """Has a phone."""
    return person("ada", email="ada@example.org", phone="(617) 555-0101")


def text_template(words: str = REMINDER, *, purpose: str = "appointment", **more: Any) -> Template:
    given: dict[str, Any] = {"slug": "reminder", "name": "Reminder"} | more
    return Template.objects.create(
        channel="sms", purpose=purpose, text=words, created_at=NOON, changed_at=NOON, **given
    )


@pytest.fixture
def reminder(at_harbor: Organisation) -> TemplateVersion:
    return approved(text_template())


def order(
    version: TemplateVersion, *people: int, step: str = "remind", now: datetime = DAY
) -> list[outbox.Enqueued]:
    return outbox.enqueue(
        [
            outbox.Order(one, version.id, version.purpose, SOURCE, step, 1, "", now)
            for one in people
        ],
        now=now,
    )


def send(kind: str = "texts", *, now: datetime = DAY) -> dispatch.Dispatched:
    """Do what the loop does for one pool of texts."""
    carrier = sender.carrier(facts.of(kind))
    assert carrier is not None
    with closing(carrier):
        return dispatch.run_once(transport=carrier, now=now, pool=kind)


def warned(contact_id: int) -> None:
    """Take the warning about unprotected texts, and want them all the same."""
    wishes.accept_plain(contact_id, channel="sms", received_by="form", now=NOON)


def states() -> list[str]:
    return list(Message.objects.order_by("id").values_list("state", flat=True))
