"""A feed with something in it, and a receiver on loopback that is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organisation
from tests.conftest import NOON
from tests.workflows.conftest import mails, people, publish
from tests.workflows.webhooks.conftest import Made, Receiver, endpoint, receiver
from workflows import enrol, runner, writing_back
from workflows.writing_back import receivers
from workflows.writing_back.models import WriteBackReceiver

__all__ = ["endpoint", "mails", "publish", "receiver"]
ALL = ["clinical", "contact_point", "coverage", "demographic", "engagement", "identity"]
Tell = Callable[..., list[int]]
Add = Callable[..., WriteBackReceiver]


@pytest.fixture
def tell(publish: Callable[..., Any], at_harbor: Organisation) -> Tell:
    """Let so many people pass the step; each was refused a mail, which is known at once."""
    step = {"id": "tell", "kind": "write_back", "event": "outreach.completed", "about": "educate",
            "next": "clicked"}  # fmt: skip
    workflow = publish(extra=step, educate={"next": "tell", "refused": "tell"})

    def passed(*numbers: str) -> list[int]:
        found = people(*numbers)
        enrol.enrol(workflow.id, found, now=NOON)
        runner.run_once(now=NOON)
        writing_back.release()
        return found

    return passed


@pytest.fixture
def add(endpoint: Made, receiver: Receiver) -> Add:
    def made(form: str = "fhir", from_now: bool = False, **given: Any) -> WriteBackReceiver:
        told = {"form": form, "document": "PN"}
        known = {"classes": ALL} | given
        return receivers.add(endpoint(**known), told, from_now=from_now, now=NOON)

    return made
