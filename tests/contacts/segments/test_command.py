"""`manage.py segment`: counted, explained and rebuilt from the command line."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organisation
from audit.models import Entry
from contacts.models import Contact
from contacts.segments import catalogue, columns, evaluate
from contacts.segments.definition import parse
from tests.conftest import NOON
from tests.contacts.segments import world

pytestmark = pytest.mark.django_db

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


@pytest.fixture
def people(at_harbor: Organisation) -> list[int]:
    return world.add([{"city": "Boston"}, {"city": "Quincy"}])


def run(*words: str) -> str:
    told = StringIO()
    call_command("segment", *words, stdout=told)
    return told.getvalue()


def test_a_saved_segment_is_counted_with_its_funnel(people: list[int]) -> None:
    segment = catalogue.save(name="Boston", tree={"all": [BOSTON]}, now=NOON)
    said = run("count", str(segment.id))
    assert said.startswith("1 of 2")
    assert "$.all[0]" in said
    assert said.splitlines()[1].endswith("city is “Boston”")


def test_a_definition_is_counted_without_being_saved(people: list[int]) -> None:
    assert run("count", json.dumps({"not": BOSTON})).startswith("1 of 2")


def test_a_person_is_explained_without_values_and_the_look_is_in_the_trail(
    people: list[int],
) -> None:
    contact = Contact.objects.get(pk=people[1])
    said = run("explain", json.dumps({"not": BOSTON}), str(contact.public_id))
    assert said.splitlines() == ["yes not this", "no    city is “Boston”"]
    assert "Quincy" not in said
    assert Entry.objects.filter(action="segment.explained").count() == 1


def test_columns_are_made_anew(people: list[int]) -> None:
    assert run("rebuild") == "1 blocks rebuilt\n"
    assert columns.rebuild() == 1
    assert evaluate.members(parse(BOSTON), now=NOON).contact_ids() == people[:1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["count", "nothing"], "no segment with this id"),
        (["count", '{"all": []}'], "empty group"),
        (["count", "{"], "not JSON"),
        (["count", '{"not":' * 5_000 + "{}" + "}" * 5_000], "nested too deeply"),
        (["explain", json.dumps(BOSTON), "nobody"], "no such contact"),
        (["--organisation", "nowhere", "rebuild"], "no organisation with this slug"),
    ],
)
def test_what_cannot_be_done_is_said(people: list[int], words: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(*words)


def test_a_look_from_the_command_line_names_the_person_in_the_trail(people: list[int]) -> None:
    contact = Contact.objects.get(pk=people[1])
    run("explain", json.dumps(BOSTON), str(contact.public_id))
    assert Entry.objects.get(action="segment.explained").subject == f"contact:{contact.pk}"


def test_another_clinics_segment_and_people_are_not_found(
    people: list[int], hill: Organisation
) -> None:
    segment = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    contact = Contact.objects.get(pk=people[0])
    for words in (
        ["count", str(segment.id)],
        ["explain", json.dumps(BOSTON), str(contact.public_id)],
    ):
        with pytest.raises(CommandError, match="in this organisation"):
            run("--organisation", "hill", *words)
