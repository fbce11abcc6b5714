"""The suite's ground: one embedded PostgreSQL a session, one database a worker, a fixed clock.

`db` rolls back after each test and sees what row security lets the application see. A test that
needs real commits, several connections or other processes asks for `committed_db` and gets a
database of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from deploy.mailbox import Mailbox
from tests.ground.server import OwnDatabase, TestServer

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""A Monday in Boston's winter: the clock of every test that does not move it."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ["ATTUNE_TEST_SERVER"] = str(TestServer.choose_home())


def pytest_unconfigure(config: pytest.Config) -> None:
    server = TestServer.at(os.environ["ATTUNE_TEST_SERVER"])
    if hasattr(config, "workerinput"):
        server.leave()
    else:
        server.remove()


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture(scope="session")
def test_server() -> TestServer:
    """The running server; several workers share it, the session's end stops it."""
    server = TestServer.at(os.environ["ATTUNE_TEST_SERVER"])
    server.start()
    return server


@pytest.fixture(scope="session")
def django_db_setup(
    test_server: TestServer, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> None:
    """Replace pytest-django's own: the owner makes and migrates, the application's role tests."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
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
