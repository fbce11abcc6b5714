"""The people behind the figures."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketing.reports import people
from tests.reports.conftest import Enter, cohort, did, send_all
from workflows.models import Workflow


def test_each_person_stands_with_what_they_got_and_did(trial: Workflow, enter: Enter) -> None:
    """CA-18, TR-05"""
    enter(8)
    message, *_ = send_all()
    did(message, "clicked")
    did(message, "opened", machine=True)
    (person,) = people.page(cohort(trial), who="clicked", step="educate")
    (got,) = person.got
    assert person.contact_id == message.contact_id
    assert (set(got.people), set(got.programs)) == ({"clicked"}, {"opened"})


def test_a_program_is_nobody_who_opened(trial: Workflow, enter: Enter) -> None:
    """TR-05"""
    enter(8)
    did(send_all()[0], "opened", machine=True)
    assert people.page(cohort(trial), who="opened") == []
    assert len(people.page(cohort(trial), who="programs")) == 1


def test_pages_join_without_a_gap(trial: Workflow, enter: Enter) -> None:
    enter(7)
    first = people.page(cohort(trial), limit=4)
    rest = people.page(cohort(trial), after=first[-1].id, limit=4)
    assert len({one.id for one in [*first, *rest]}) == 7


@pytest.mark.parametrize("who", list(people.WHO))
def test_every_question_can_be_asked(trial: Workflow, enter: Enter, who: str) -> None:
    enter(2)
    found = people.page(cohort(trial), who=who, step="educate")
    assert {one.id for one in found} <= {one.id for one in people.page(cohort(trial))}


def test_a_page_costs_the_same_however_many_are_on_it(trial: Workflow, enter: Enter) -> None:
    enter(12)
    send_all()
    asked = []
    for limit in (8, 12):
        with CaptureQueriesContext(connection) as seen:
            people.page(cohort(trial), limit=limit)
        asked.append(len(seen))
    assert asked[0] == asked[1]
