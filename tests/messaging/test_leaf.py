"""Segments that ask who opened what they were sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contacts import events
from contacts.events import NewEvent
from contacts.segments import catalogue, evaluate
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from contacts.segments.references import dependencies
from messaging.models import Message, TemplateVersion
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue

DAY = timedelta(days=1)
LATE = NOON + 30 * DAY


@pytest.fixture
def sent(version: TemplateVersion, enqueue: Enqueue) -> Any:
    """Send a numbered newsletter to someone, and perhaps have it opened."""

    def send(contact_id: int, number: int, *, kind: str = "", machine: bool = False) -> None:
        enqueue([contact_id], step=f"news{number}")
        message = Message.objects.get(contact_id=contact_id, step=f"news{number}")
        Message.objects.filter(pk=message.pk).update(topic="newsletter")
        at = NOON + number * DAY
        happen(contact_id, "message.sent", at, message, version.template_id)
        if kind:
            happen(contact_id, kind, at + DAY / 2, message, version.template_id, machine=machine)

    return send


def happen(
    contact_id: int, kind: str, at: datetime, message: Message, campaign: Any, **more: Any
) -> None:
    told = NewEvent(
        contact_id=contact_id,
        kind=kind,
        occurred_at=at,
        campaign=campaign,
        message_id=message.pk,
        **more,
    )
    events.append([told], now=LATE)


def found(how: str, *, of: Any = "newsletter", act: str = "opened", last: int = 3) -> set[int]:
    definition = parse({"engagement": {"last": last, "of": of, act: how}})
    everyone = set(evaluate.members(definition, now=LATE).contact_ids())
    assert everyone == evaluate.among(definition, everyone, now=LATE)
    return everyone


def test_only_the_last_ones_are_asked(ada: int, sent: Any) -> None:
    for number in range(4):
        sent(ada, number, kind="message.opened" if number == 0 else "")
    assert found("none") == {ada}
    assert found("any", last=4) == {ada}


def test_a_click_is_an_opening_and_a_machine_is_nobody(ada: int, ben: int, sent: Any) -> None:
    sent(ada, 1, kind="message.clicked")
    sent(ben, 1, kind="message.opened", machine=True)
    assert (found("any"), found("none")) == ({ada}, {ben})
    assert found("all", act="clicked") == {ada}


def test_who_was_sent_none_is_not_meant(ada: int, cleo: int, sent: Any) -> None:
    sent(ada, 1)
    assert found("none") == {ada}
    assert found("none", of="recipes") == set()


def test_a_campaign_is_a_template(ada: int, sent: Any, version: TemplateVersion) -> None:
    sent(ada, 1)
    assert found("none", of=[str(version.template_id)]) == {ada}


def test_a_campaign_that_is_gone_breaks_the_segment(version: TemplateVersion) -> None:
    tree = {"engagement": {"last": 3, "of": [str(uuid4())], "opened": "none"}}
    with pytest.raises(DefinitionInvalid, match="campaign that is gone"):
        catalogue.expanded(parse(tree))


def test_it_rests_on_what_was_sent_and_opened_and_on_no_clock() -> None:
    definition = parse({"engagement": {"last": 3, "of": "newsletter", "opened": "none"}})
    found = dependencies(definition)
    assert found.event_kinds == {"message.sent", "message.opened", "message.clicked"}
    assert not found.clocks
    assert "last 3 “newsletter” messages were: none opened" in in_words(definition)


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        ({"last": 0, "of": "x", "opened": "none"}, "$.engagement.last"),
        ({"last": 3, "of": ["x"], "opened": "none"}, "$.engagement.of"),
        ({"last": 3, "of": "x"}, "$.engagement"),
        ({"last": 3, "of": "x", "opened": "some"}, "$.engagement.opened"),
        ({"last": 3, "of": "x", "opened": "any", "why": 1}, "$.engagement.why"),
        ("newsletter", "$.engagement"),
    ],
)
def test_a_mistake_names_its_place(tree: Any, path: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"engagement": tree})
    assert [problem.path for problem in refused.value.problems] == [path]


def test_the_sentence_names_the_message_that_was_clicked(version: TemplateVersion) -> None:
    definition = parse({"event": "message.clicked", "campaign": str(version.template_id)})
    names = catalogue.names_in(definition, clinical=False)
    assert f"of “{version.template.name}”" in in_words(definition, names=names)


def test_a_message_that_is_not_there_has_no_name(version: TemplateVersion) -> None:
    definition = parse({"event": "message.clicked", "campaign": str(uuid4())})
    assert catalogue.names_in(definition, clinical=False) == {}
