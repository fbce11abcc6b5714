"""The suite's ground: one embedded PostgreSQL a worker, a fixed clock.

A worker has a server of its own because a transaction that one test holds open anywhere on a
server keeps every loop that reads settled rows from moving on.

`db` rolls back after each test and sees what row security lets the application see. A test that
needs real commits, several connections or other processes asks for `committed_db` and gets a
database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts import organisations, sessions, staff, tenancy
from accounts.middleware import cookie_name
from accounts.models import Organisation, Session, User
from accounts.roles import Role
from audit.actor import Actor, acting_as
from deploy.mailbox import Mailbox
from tests.ground.server import OwnDatabase, TestServer, choose_home, remove_home

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday in Boston's winter: the clock of every test that does not move it."""


# A machine that is busy with other things must not fail a test by being slow.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ["ATTUNE_TEST_SERVERS"] = str(choose_home())


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        remove_home(Path(os.environ["ATTUNE_TEST_SERVERS"]))


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def test_server() -> TestServer:
    """This worker's running server; the session's end stops it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    server = TestServer(Path(os.environ["ATTUNE_TEST_SERVERS"]) / worker)
    server.start()
    return server


@pytest.fixture(scope="session")
def django_db_setup(
    test_server: TestServer, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Replace pytest-django's own: the owner makes and migrates, the application's role tests."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    # What stands beside the database must be as new as the database.
    settings.ATTUNE_ANCHOR_DIR = Path(os.environ["ATTUNE_TEST_SERVERS"]) / worker / "anchor"
    with django_db_blocker.unblock():
        test_server.migrate_template()
        test_server.use(test_server.clone(f"attune_{worker}"))


@pytest.fixture
def committed_db(
    test_server: TestServer, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[OwnDatabase]:
    """A migrated database for one test alone: commits are real, other processes may connect."""
    with django_db_blocker.unblock(), test_server.own_database() as own:
        yield own


@pytest.fixture
def transactional_db(committed_db: OwnDatabase) -> OwnDatabase:
    """Give pytest-django's `live_server` a database of its own instead of one to flush."""
    return committed_db


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A running mail server; `mailbox.behaviour` makes it refuse, dawdle or hang up."""
    with Mailbox(tmp_path / "mailbox").running() as server:
        yield server


def founded(name: str, slug: str) -> Organisation:
    return organisations.found(
        name, slug=slug, timezone="America/New_York", now=NOON, postal_address="1 Quay, Boston"
    )


@pytest.fixture
def as_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Record what a test sets up as the system's doing, in the database that it asked for."""
    committed = {"committed_db", "transactional_db", "live_server"} & set(request.fixturenames)
    request.getfixturevalue("committed_db" if committed else "db")
    with acting_as(Actor("system", "test")):
        yield


@pytest.fixture
def harbor(as_test: None) -> Organisation:
    """Our clinic, with keys; not entered yet."""
    return founded("Harbor Clinic", "harbor")


@pytest.fixture
def hill(as_test: None) -> Organisation:
    """The clinic that must see nothing of ours, nor we of theirs."""
    return founded("Hill Clinic", "hill")


@pytest.fixture
def at_harbor(harbor: Organisation) -> Iterator[Organisation]:
    """Work for our clinic, until the test ends."""
    with tenancy.acting_for(harbor.pk):
        yield harbor


@pytest.fixture
def mara(harbor: Organisation) -> User:
    """Marketer at Harbor."""
    with tenancy.acting_for(harbor.pk):
        return staff.add("mara@harbor.example", name="Mara Lind", role=Role.MARKETER, now=NOON)


@pytest.fixture
def omar(harbor: Organisation) -> User:
    """Compliance officer at Harbor."""
    with tenancy.acting_for(harbor.pk):
        return staff.add("omar@harbor.example", name="Omar Haddad", role=Role.COMPLIANCE, now=NOON)


@pytest.fixture
def ivy(hill: Organisation) -> User:
    """Administrator of the other organisation."""
    with tenancy.acting_for(hill.pk):
        return staff.add("ivy@hill.example", name="Ivy Moss", role=Role.ADMINISTRATOR, now=NOON)


@pytest.fixture
def sign_in_as() -> Callable[[User], Client]:
    """Give a client with a whole session of this member of staff."""

    def sign_in(user: User) -> Client:
        secret = sessions.begin(user, method=Session.Method.TOTP, now=timezone.now())
        client = Client()
        client.cookies[cookie_name()] = str(secret)
        return client

    return sign_in
