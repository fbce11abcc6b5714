"""The trail's tests: one organisation's scope, a staff actor, an anchor in a temporary folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections

from accounts.tenancy import acting_for
from audit import seal, trail, verify
from audit.actor import Actor, acting_as
from audit.anchor import FileAnchor
from audit.verify import Report
from tests.conftest import NOON
from tests.ground.server import OwnDatabase

CLINIC = 1
MARA = Actor("staff", "018f-mara")


@pytest.fixture
def scope(committed_db: OwnDatabase) -> Iterator[int]:
    """The clinic's scope in a database of the test's own, where commits are real."""
    with acting_for(CLINIC), acting_as(MARA):
        yield CLINIC


@pytest.fixture
def anchor(tmp_path: Path) -> FileAnchor:
    return FileAnchor(tmp_path / "anchor")


class Trail:
    """A trail that a test writes, seals, tampers with and verifies."""

    def __init__(self, anchor: FileAnchor) -> None:
        self.anchor = anchor

    def write(self, count: int, *, first: int = 0) -> None:
        trail.record_many(
            trail.Entry("contact.revealed", f"contact:{first + n}", {"classes": ["identity"]})
            for n in range(count)
        )

    def seal(self, *, limit: int = 1000) -> int:
        return seal.run_once(organisation_id=CLINIC, now=NOON, anchor=self.anchor, limit=limit)

    def sealed(self, *counts: int) -> None:
        """Write and seal one batch for each count."""
        for place, count in enumerate(counts):
            self.write(count, first=place * 100)
            wait_for_others()
            assert self.seal() == count

    def verify(self) -> Report:
        return verify.verify(organisation_id=CLINIC, now=NOON, anchor=self.anchor)

    def kinds(self) -> set[str]:
        return {problem.kind for problem in self.verify().problems}

    def tamper(self, statement: str, *values: str | int | bytes) -> int:
        """Do as the owner of the tables what the application may not; return the rows touched."""
        with connections["owner"].cursor() as cursor:
            cursor.execute(statement, values)
            return int(cursor.rowcount)


@pytest.fixture
def clinic_trail(scope: int, anchor: FileAnchor) -> Trail:
    return Trail(anchor)


def wait_for_others() -> None:
    """Let whatever else runs on the server end: nothing is sealed that is not settled."""
    end = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) FROM pg_current_snapshot() AS s"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
