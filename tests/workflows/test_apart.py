"""One person whose turn breaks is set apart; everybody else goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from accounts.models import User
from messaging.models import Message
from tests.conftest import NOON
from tests.workflows.conftest import Publish, people, sign
from workflows import answers, apart, enrol, runner
from workflows.models import Enrolment

HOUR = timedelta(hours=1)
SignedIn = Callable[[User], Client]


@pytest.fixture
def crowd(publish: Publish) -> list[int]:
    """Nine people who are about to get their first message."""
    ids = people(*(f"p{number}" for number in range(9)))
    sign(ids)
    enrol.enrol(publish().id, ids, now=NOON)
    return ids


def poison(monkeypatch: pytest.MonkeyPatch, *contacts: int, error: type[Exception]) -> None:
    """Let every turn break that has one of these in hand."""
    whole = answers.find

    def broken(asked: Any, *, now: Any) -> None:
        if {one.contact_id for one, _ in asked} & set(contacts):
            raise error("Ada Byron, 1 Quay")
        whole(asked, now=now)

    monkeypatch.setattr(answers, "find", broken)


def test_the_others_go_on_and_the_broken_one_stays_where_it_was(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, crowd[4], error=KeyError)
    assert runner.run_once(now=NOON).claimed == 8
    assert Message.objects.count() == 8
    stuck = Enrolment.objects.get(contact_id=crowd[4])
    assert (stuck.node, stuck.path, stuck.waiting_for) == ("educate", [], "stuck.KeyError")
    assert stuck.due_at == NOON + HOUR


def test_it_is_tried_again_and_goes_on_once_it_can(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as while_broken:
        poison(while_broken, crowd[0], error=KeyError)
        runner.run_once(now=NOON)
    assert runner.run_once(now=NOON + HOUR - timedelta(seconds=1)).claimed == 0
    runner.run_once(now=NOON + HOUR)
    assert Message.objects.filter(contact_id=crowd[0]).count() == 1
    assert apart.standing() == []


def test_who_is_stuck_is_named_by_step_and_error(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, crowd[2], crowd[7], error=ValueError)
    runner.run_once(now=NOON)
    ((node, error, many),) = [(one.node, one.error, one.people) for one in apart.standing()]
    assert (node, error, many) == ("educate", "ValueError", 2)


def test_where_everybody_breaks_nobody_is_set_apart_and_the_error_is_told(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "MOST", 3)
    poison(monkeypatch, *crowd, error=ValueError)
    with pytest.raises(ValueError, match="Ada"):
        runner.run_once(now=NOON)
    assert Message.objects.count() == 0


def test_a_database_that_is_away_sets_nobody_apart(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, crowd[0], error=OperationalError)
    with pytest.raises(OperationalError):
        runner.run_once(now=NOON)
    assert apart.standing() == []


def test_the_page_shows_them_without_what_the_error_said(
    crowd: list[int], monkeypatch: pytest.MonkeyPatch, mara: User, sign_in_as: SignedIn
) -> None:
    poison(monkeypatch, crowd[0], error=KeyError)
    runner.run_once(now=NOON)
    client = sign_in_as(mara)
    page = client.get("/workflows/brakes/").content.decode()
    assert "KeyError" in page and "Byron" not in page
    assert "stuck in a workflow" in client.get("/").content.decode()


def test_nobody_is_lost_among_the_parts() -> None:
    """Whoever breaks, each of the others is in exactly one turn that came through."""
    for broken in range(7):
        ran: Counter[int] = Counter()

        def turn(part: Any, broken: int = broken, ran: Counter[int] = ran) -> int:
            if broken in part and len(part) > 1:
                raise KeyError
            ran.update(part)
            return 1

        apart.in_halves(list(range(7)), turn, now=NOON)
        assert ran == Counter(range(7))
