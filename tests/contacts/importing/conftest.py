"""A file in the background, worked off a part at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from contacts.importing import accepting, staging, work
from contacts.importing.jobs import After
from contacts.models import Contact, ImportRun
from tests.conftest import NOON

Bring = Callable[..., UUID]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a part, so that a short file has several."""
    monkeypatch.setattr(staging, "ROWS", 2)


@pytest.fixture
def bring(at_harbor: object) -> Bring:
    """Bring a file whose columns are guessed; it runs to its end unless told otherwise."""

    def accept(content: str | bytes, *, after: After = After.RUN, **more: Any) -> UUID:
        raw = content if isinstance(content, bytes) else content.encode()
        given = {"name": "people.csv", "source": "crm", "now": NOON, "after": after, **more}
        return accepting.accept([raw], **given).pk

    return accept


def work_off(most: int = 1_000) -> None:
    for _ in range(most):
        if not work.run_once(now=NOON):
            return


def until(run: UUID, state: ImportRun.State) -> ImportRun:
    """Do one part after the other until the run is in this state."""
    for _ in range(1_000):
        row = ImportRun.objects.get(pk=run)
        if row.state == state:
            return row
        assert work.run_once(now=NOON)
    raise AssertionError(f"never {state}")


def rows(count: int, *, start: int = 1, first: str = "Ada") -> str:
    return "id,first\n" + "".join(f"{n},{first}\n" for n in range(start, start + count))


def living() -> int:
    return Contact.objects.filter(erased_at=None).count()
