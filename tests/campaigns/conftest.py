"""Harbor Clinic with a newsletter, women to send it to, and a colleague who approves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.campaigns import launching, planning, running
from marketing.campaigns.models import Campaign, Run
from marketing.campaigns.planning import Draft
from messaging import dispatch
from messaging.models import Template
from messaging.protect import Hop, Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN, people, sign

MARA = Actor("staff", "mara")
NORA = Actor("staff", "nora")
"""She approves."""


@pytest.fixture
def letter(at_harbor: Organisation) -> Template:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    made = template("letter")
    approved(made)
    return made


@pytest.fixture
def women(at_harbor: Organisation) -> Segment:
    return catalogue.save(name="Women", tree=WOMEN, now=NOON)


@pytest.fixture
def audience(women: Segment) -> list[int]:
    """Twelve women who agreed, and one who was never asked."""
    agreed = people(*(f"w{n}" for n in range(12)), gender="female")
    sign(agreed)
    return [*agreed, *people("cleo", gender="female")]


Make = Callable[..., Campaign]


@pytest.fixture
def make(letter: Template, women: Segment) -> Make:
    """Make a campaign of the letter to the women, as Mara."""

    def made(*templates: UUID, **more: Any) -> Campaign:
        given: dict[str, Any] = {"name": "Spring", "segment_id": women.id} | more
        with acting_as(MARA):
            return planning.create(Draft(templates=templates or [letter.id], **given), now=NOON)

    return made


def approve(campaign: Campaign, *, now: datetime = NOON) -> None:
    with acting_as(MARA):
        asked = planning.ask_approval(campaign.id, now=now)
    with acting_as(NORA):
        planning.decide(asked.id, approve=True, now=now)


def launch(campaign: Campaign, *, now: datetime = NOON) -> Run:
    approve(campaign, now=now)
    with acting_as(MARA):
        return launching.launch(campaign.id, now=now)


def send(*, now: datetime = NOON) -> None:
    """Let the loop order what is due, and the sender send it."""
    while running.run_once(now=now):
        pass
    memory = Memory(hop=Hop.VERIFIED)
    while dispatch.run_once(transport=memory, now=now, onward=Onward.ENFORCED).sent:
        pass
    running.run_once(now=now)
