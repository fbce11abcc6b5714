"""Questions about the others of a household."""

from __future__ import annotations

from typing import Any

import pytest

from contacts.fields import DataClass
from contacts.segments import evaluate
from contacts.segments.definition import DefinitionInvalid, data_classes, in_words, parse
from contacts.segments.references import dependencies
from tests.conftest import NOON
from tests.contacts.segments import world

pytestmark = pytest.mark.usefixtures("at_harbor")
YOUNG = {"household": {"field": "birth_date", "op": "age_lt", "value": 5, "on": "2026-03-01"}}


def found(tree: Any) -> set[int]:
    definition = parse(tree)
    everyone = set(evaluate.members(definition, now=NOON).contact_ids())
    assert everyone == evaluate.among(definition, everyone, now=NOON)
    return everyone


def test_someone_else_of_the_household_is_asked_and_not_oneself() -> None:
    ada, child, _ = world.add(
        [{"birth_date": birth} for birth in ("1980-01-01", "2024-01-01") * 2][:3]
    )
    world.live_together(ada, child)
    assert found(YOUNG) == {ada}


def test_two_for_whom_it_holds_are_both_in() -> None:
    twins = world.add([{"birth_date": "2024-01-01"}] * 2)
    world.live_together(*twins)
    assert found(YOUNG) == set(twins)


def test_who_lives_alone_has_nobody_to_ask_about() -> None:
    (ada,) = world.add([{"birth_date": "2024-01-01"}])
    assert found(YOUNG) == set()
    assert found({"not": YOUNG}) == {ada}


def test_a_household_within_a_household_is_refused() -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"household": {"not": YOUNG}})
    assert refused.value.problems[0].path == "$.household.not"


def test_it_says_whom_it_asks_and_what_it_rests_on() -> None:
    definition = parse(YOUNG)
    said = "household includes someone else whose age is 4 or less on 2026-03-01"
    assert in_words(definition) == f"People whose {said}"
    assert data_classes(definition) == {DataClass.DEMOGRAPHIC, DataClass.IDENTITY}
    assert dependencies(definition).households
