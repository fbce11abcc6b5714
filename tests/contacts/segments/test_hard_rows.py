"""Hard questions, asked of the reference, of the columns, of the records, and over the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Organisation
from contacts import registry
from contacts.canonical import canonical
from contacts.merging import each_once, is_list
from contacts.segments import building, catalogue, columns, evaluate, semantics
from contacts.segments.definition import DefinitionInvalid, parse
from contacts.segments.facts import Facts, Happening
from tests.conftest import NOON
from tests.contacts.segments import generated, world
from tests.contacts.segments.hard_events import ROWS
from tests.contacts.segments.hard_rows import REFUSED, Row, at

ASKED = [row for row in ROWS if row.answer != REFUSED]


def brought(row: Row, fields: Any = generated.FIELDS) -> dict[str, Any]:
    return {key: canonical(key, value, fields=fields) for key, value in row.held.items()}


def kept(row: Row) -> dict[str, Any]:
    """What a record keeps of the row's values: of the results of one code the newest, for one."""
    found = brought(row)
    lists = {
        key: each_once(key, value, 0) for key, value in found.items() if is_list(key) and value
    }
    return {**found, **lists}


def happened(row: Row) -> list[Happening]:
    return [Happening(kind, at(when), properties=held) for kind, when, held in row.did]


def meant(row: Row, organisation: Organisation) -> bool | str:
    """The reference's answer from the values alone; the last visit is derived from visits."""
    values = kept(row)
    if visits := values.get("encounters"):
        values["last_visit"] = visits[0]["at"]
    facts = Facts(building.facts_values(values, generated.FIELDS), tuple(happened(row)))
    try:
        definition = parse(row.asked, fields=generated.FIELDS)
    except DefinitionInvalid:
        return REFUSED
    return semantics.matches(definition, facts, now=row.now.astimezone(organisation.zone))


def test_the_reference_answers_each_as_it_is_written(at_harbor: Organisation) -> None:
    found = {row.name: meant(row, at_harbor) for row in ROWS}
    assert {row.name for row in ROWS if found[row.name] != row.answer} == set()


def test_each_question_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.fixture
def people(at_harbor: Organisation) -> Iterator[dict[str, int]]:
    """A person for each row, half of them in columns and half changed since."""
    world.make_fields()
    fields = registry.current()
    half = len(ASKED) // 2
    first = world.add([brought(row, fields) for row in ASKED[:half]])
    columns.compact(now=ASKED[0].now, at_least=1)
    ids = [*first, *world.add([brought(row, fields) for row in ASKED[half:]])]
    for contact_id, row in zip(ids, ASKED, strict=True):
        world.happen(contact_id, happened(row))
    yield dict(zip([row.name for row in ASKED], ids, strict=True))


def test_columns_and_records_answer_each_as_the_reference_does(people: dict[str, int]) -> None:
    wrong = []
    for row in ASKED:
        definition, one = catalogue.read(row.asked), people[row.name]
        over_all = one in evaluate.members(definition, now=row.now).contact_ids()
        alone = one in evaluate.among(definition, [one], now=row.now)
        if (over_all, alone) != (row.answer, row.answer):
            wrong.append((row.name, over_all, alone))
    assert wrong == []


def test_the_columns_alone_answer_so_too(people: dict[str, int]) -> None:
    columns.compact(now=ASKED[0].now, at_least=1)
    found = {
        row.name: people[row.name]
        in evaluate.members(catalogue.read(row.asked), now=row.now).contact_ids()
        for row in ASKED
    }
    assert {row.name for row in ASKED if found[row.name] != row.answer} == set()


def test_properties_that_are_nested_as_deep_as_an_event_may_be_are_asked(
    at_harbor: Organisation,
) -> None:
    deep: Any = 7
    for _ in range(800):
        deep = [deep]
    (ada,) = world.add([{}])
    world.happen(ada, [Happening("x.y", NOON, properties={"n": deep})])
    asked = {"event": "x.y", "where": [{"property": "n", "op": "equals", "value": 7}]}
    assert evaluate.members(parse(asked), now=NOON).contact_ids() == [ada]
