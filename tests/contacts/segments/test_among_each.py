"""Many definitions over the same contacts at once."""

from __future__ import annotations

from unittest import mock

import pytest

from contacts.segments import evaluate, opening
from contacts.segments.definition import parse
from tests.conftest import NOON
from tests.contacts.segments import world

pytestmark = pytest.mark.usefixtures("at_harbor")

BOSTON = parse({"field": "city", "op": "equals", "value": "Boston"})
WOMEN = parse({"field": "gender", "op": "equals", "value": "female"})


def test_each_definition_gets_the_answer_that_it_gets_alone() -> None:
    ids = world.add(
        [{"city": "Boston", "gender": "female"}, {"city": "Quincy"}, {"city": "Boston"}]
    )
    together = evaluate.among_each([BOSTON, WOMEN], ids, now=NOON)
    assert together == [evaluate.among(one, ids, now=NOON) for one in (BOSTON, WOMEN)]
    assert together == [{ids[0], ids[2]}, {ids[0]}]


def test_records_are_opened_once_for_all_definitions() -> None:
    ids = world.add([{"city": "Boston", "gender": "female"}])
    with mock.patch.object(opening, "values_of", wraps=opening.values_of) as opened:
        evaluate.among_each([BOSTON, WOMEN], ids, now=NOON)
    assert opened.call_count == 1
