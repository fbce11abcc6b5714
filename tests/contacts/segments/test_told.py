"""What is remembered of counts that were told, and what they cost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Organisation, Throttle
from accounts.throttle import sweep
from audit.models import Entry
from contacts.models import CountTold
from contacts.segments import told
from contacts.segments.told import RATION, Question, Rationed, Reader
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def marketer(at_harbor: Organisation) -> Reader:
    return told.reader({"clinical"}, {"identity"}, asker="mara", now=NOON)


def many(size: int, start: int = 0) -> dict[Question, int]:
    return {("q", start + turn): 500 for turn in range(size)}


def test_an_exact_reader_costs_nothing_and_leaves_no_row(at_harbor: Organisation) -> None:
    reader = told.reader({"clinical"}, {"clinical"}, asker="omar", now=NOON)
    assert reader.said(("q",), 7) == "7"
    assert not CountTold.objects.exists()


def test_one_answer_stands_for_everybody(marketer: Reader) -> None:
    other = Reader(False, "max", NOON)
    assert marketer.number(("q",), 500) == other.number(("q",), 503)
    assert CountTold.objects.count() == 1


def test_se32_new_questions_are_rationed_and_old_ones_are_answered(marketer: Reader) -> None:
    first = marketer.many(many(RATION.burst))
    assert all(one.number for one in first.values())
    assert marketer.said(("another",), 500) == "held back"
    assert marketer.many(many(RATION.burst)) == first
    with pytest.raises(Rationed):
        marketer.many({("one more",): 500}, strict=True)
    assert Entry.objects.filter(action="counts.rationed", outcome="refused").count() == 2


def test_an_answer_that_would_be_renewed_stands_when_the_ration_is_used_up(
    marketer: Reader,
) -> None:
    before = marketer.number(("q",), 500)
    marketer.many(many(RATION.burst - 1))
    assert marketer.number(("q",), 900) == before


def test_the_ration_comes_back_with_time_and_is_not_swept_before(marketer: Reader) -> None:
    marketer.many(many(RATION.burst))
    sweep(now=NOON + timedelta(hours=2))
    assert Throttle.objects.exists()
    later = Reader(False, "mara", NOON + timedelta(hours=2))
    assert later.number(("another",), 500) is not None
    assert later.one(("p", 0), 500).held is False
    assert any(one.held for one in later.many(many(100, start=1000)).values())


def test_ten_questions_take_as_many_statements_as_one(
    marketer: Reader, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(3):  # type: ignore[operator]
        marketer.many(many(10))
    with django_assert_num_queries(1):  # type: ignore[operator]
        marketer.many(many(10))


def test_answers_that_nobody_asks_for_are_forgotten(marketer: Reader) -> None:
    marketer.number(("q",), 500)
    assert told.forget(now=NOON + timedelta(days=100)) == 0
    assert told.forget(now=NOON + timedelta(days=200)) == 1
