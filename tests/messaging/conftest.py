from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from consent import ledger
from contacts import records
from messaging import outbox, versions
from messaging.models import Template, TemplateVersion
from messaging.protect import Hop
from messaging.transports.memory import Memory
from tests.api.conftest import machine, machine_for, stranger  # noqa: F401  fixtures
from tests.conftest import NOON
from tests.messaging.mails import BODY, FOOT, SUBJECT, TEXT, mjml

SOURCE = UUID("018f0000-0000-7000-8000-000000000001")
EVERYTHING = frozenset(
    {"identity", "contact_point", "demographic", "clinical", "coverage", "engagement"}
)


def person(number: str, *, email: str | None = None, **values: object) -> int:
    known = {"given_name": number.title(), "birth_date": "1960-04-05"} | values
    if email is not None:
        known["email"] = email
    change = records.Change(source="ehr", record_number=number, values=known)
    return records.upsert([change], now=NOON).contact_ids[0]


def sign(*contact_ids: int, classes: frozenset[str] = EVERYTHING) -> list[UUID]:
    return ledger.record_authorizations(
        [
            ledger.Signing(
                number,
                frozenset({"marketing"}),
                classes,
                signed_at=NOON,
                expires_on=date(2030, 1, 1),
            )
            for number in contact_ids
        ],
        received_by="paper",
        now=NOON,
    )


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    """Authorised."""
    number = person("ada", email="Ada@Example.org")
    sign(number)
    return number


@pytest.fixture
def ben(at_harbor: Organisation) -> int:
    """Withdrew."""
    number = person("ben", email="ben@example.org")
    sign(number)
    ledger.revoke_all(number, received_by="paper", now=NOON)
    return number


@pytest.fixture
def cleo(at_harbor: Organisation) -> int:
    """Never asked."""
    return person("cleo", email="cleo@example.org")


def template(slug: str = "news", *, purpose: str = "marketing", **parts: Any) -> Template:
    made = {"subject": SUBJECT, "mjml": mjml(BODY, foot=FOOT), "text": TEXT} | parts
    return Template.objects.create(
        slug=slug,
        name=slug.title(),
        purpose=purpose,
        declared=["given_name", "conditions"],
        created_at=NOON,
        changed_at=NOON,
        **made,
    )


def approved(draft: Template) -> TemplateVersion:
    with acting_as(Actor("staff", "author")):
        version = versions.save(draft, now=NOON)
    with acting_as(Actor("staff", "approver")):
        versions.approve(version, now=NOON)
    return version


@pytest.fixture
def version(at_harbor: Organisation) -> TemplateVersion:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    return approved(template())


@pytest.fixture
def memory() -> Memory:
    return Memory(hop=Hop.VERIFIED)


Enqueue = Callable[..., list[outbox.Enqueued]]


@pytest.fixture
def enqueue(version: TemplateVersion) -> Enqueue:
    """Order the news for these people, due at noon."""

    def ordered(
        people: Sequence[int], *, step: str = "news", due_at: datetime = NOON, **more: Any
    ) -> list[outbox.Enqueued]:
        wanted: dict[str, Any] = {"template_version": version.id, "purpose": version.purpose} | more
        return outbox.enqueue(
            [
                outbox.Order(
                    contact_id=number,
                    source=SOURCE,
                    step=step,
                    visit=1,
                    occurrence="",
                    due_at=due_at,
                    **wanted,
                )
                for number in people
            ],
            now=NOON,
        )

    return ordered


@pytest.fixture
def approver(at_harbor: Organisation) -> User:
    from accounts import staff
    from accounts.roles import Role

    return staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)
