"""Before anybody is in: whom each message would reach, today and when its waits are over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from contacts import events
from contacts.events import NewEvent
from messaging.models import Message, Template
from tests.conftest import NOON
from tests.workflows.conftest import people, sign
from tests.workflows.graphs import series
from workflows import outlook, publishing
from workflows.graph import parse
from workflows.models import Enrolment, Workflow
from workflows.outlook import Outlook
from workflows.simulate import trying

DAY = timedelta(days=1)
SignedIn = Callable[[User], Client]
Draft = Callable[[dict[str, Any]], Workflow]


@pytest.fixture
def draft(mails: dict[str, Template]) -> Draft:
    def drafted(trigger: dict[str, Any]) -> Workflow:
        raw = series(**{slug: {"template": str(one.id)} for slug, one in mails.items()})
        raw["trigger"] = trigger
        return publishing.create("Series", slug="series", draft=raw, now=NOON)

    return drafted


def look(workflow: Workflow, *, now: Any = NOON) -> Outlook:
    return outlook.of(trying.of_draft(parse(workflow.draft), workflow_id=workflow.id), now=now)


def by_step(seen: Outlook) -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    return {one.node: (dict(one.refused), dict(one.outlived)) for one in seen.messages}


def test_purposes_without_authorization_in_the_audience_are_counted(
    draft: Draft, ada: int, cleo: int, women: str
) -> None:
    """PR-03"""
    seen = look(draft({"kind": "segment", "segment": women}))
    assert seen.people == 2
    assert by_step(seen)["educate"] == ({"no_authorization": 1}, {})


def test_a_wait_that_outlives_an_authorization_is_counted(draft: Draft, women: str) -> None:
    """The reminder comes up to three days after the entry; this signature holds for two."""
    sign(people("short", gender="female"), until=(NOON + 2 * DAY).date())
    seen = by_step(look(draft({"kind": "segment", "segment": women})))
    assert seen["educate"] == ({}, {}) and seen["remind"] == ({}, {"auth_expired": 1})


def test_whom_the_trigger_keeps_out_is_not_asked_about(
    draft: Draft, ada: int, cleo: int, women: str
) -> None:
    assert look(draft({"kind": "segment", "segment": women, "never": women})).people == 0


def test_an_events_audience_are_those_to_whom_it_happened_lately(
    draft: Draft, ada: int, cleo: int
) -> None:
    happened = [
        NewEvent(contact_id=one, kind="visit.done", occurred_at=NOON - days * DAY)
        for one, days in ((ada, 10), (cleo, 100))
    ]
    events.append(happened, now=NOON)
    seen = look(draft({"kind": "event", "event": "visit.done"}))
    assert seen.people == 1 and not seen.troubled


def test_looking_lets_nobody_in_and_asks_for_no_message(
    draft: Draft, ada: int, cleo: int, women: str
) -> None:
    look(draft({"kind": "segment", "segment": women, "present": True}))
    assert not Enrolment.objects.exists() and not Message.objects.exists()


def test_publishing_shows_who_would_be_refused_first_and_asks_once_more(
    draft: Draft, cleo: int, women: str, mara: User, sign_in_as: SignedIn
) -> None:
    workflow, client = draft({"kind": "segment", "segment": women}), sign_in_as(mara)
    answer = client.post(f"/workflows/{workflow.id}/publish/")
    assert answer.headers["Location"] == f"/workflows/{workflow.id}/outlook/"
    page = client.get(answer.headers["Location"]).content.decode()
    assert "no_authorization" in page
    client.post(f"/workflows/{workflow.id}/publish/", {"seen": "yes"})
    assert Workflow.objects.get().state == "live"


def test_where_nobody_would_be_refused_publishing_asks_nothing(
    draft: Draft, women: str, mara: User, sign_in_as: SignedIn
) -> None:
    sign(people("long", gender="female"), until=(timezone.now() + 400 * DAY).date())
    workflow = draft({"kind": "segment", "segment": women})
    sign_in_as(mara).post(f"/workflows/{workflow.id}/publish/")
    assert Workflow.objects.get().state == "live"


def test_another_organisation_learns_nothing(
    draft: Draft, women: str, ivy: User, sign_in_as: SignedIn
) -> None:
    """SE-01"""
    workflow = draft({"kind": "segment", "segment": women})
    answer = sign_in_as(ivy).get(f"/workflows/{workflow.id}/outlook/")
    assert answer.status_code in (302, 403, 404) and b"Series" not in answer.content


def test_the_longest_way_counts_every_wait() -> None:
    assert outlook.longest(parse(series()))["remind"] == 3 * DAY
