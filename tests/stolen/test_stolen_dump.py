"""A database without its keys names nobody's gender, town, plan or illness (SE-31, SE-33).

Method and figures: docs/stolen-dump.md.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from accounts import organisations, tenancy
from audit.actor import Actor, acting_as
from contacts.models import BLOCK_SIZE, Contact
from contacts.segments import arrays, building, catalogue, columns, membership
from contacts.segments.models import Membership
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.ground.server import TestServer
from tests.stolen import attack
from tests.stolen.attack import Seen

PEOPLE = 1_500
CHANCE = 0.03
"""What a thief may seem to gain by luck among so many people and so many things seen."""
SNOMED = "http://snomed.info/sct"
ILL = {"diabetes": "44054006", "asthma": "195967001", "copd": "13645005"}
Truth = dict[str, dict[int, str]]


def drawn(chance: random.Random, *, ill: float = 0.3) -> dict[str, Any]:
    """One of a population with well-known shares, each person with names of their own length."""
    given = "A" * chance.randint(3, 12)
    values: dict[str, Any] = {
        "given_name": given,
        "family_name": "B" * chance.randint(3, 14),
        "email": f"{given}{chance.randrange(10**6)}@example.org",
        "birth_date": f"{chance.randint(1940, 2010)}-05-01",
        "gender": chance.choices(["female", "male", "other"], [55, 43, 2])[0],
        "language": chance.choices(["English", "Spanish", "Vietnamese"], [80, 15, 5])[0],
        "city": chance.choices(["Boston", "Cambridge", "Quincy"], [60, 30, 10])[0],
        "conditions": [],
    }
    if chance.random() < 0.85:
        values["plan"] = chance.choice(["Gold", "Silver Plus"])
    if chance.random() < ill:
        name = chance.choices(list(ILL), [60, 30, 10])[0]
        values["conditions"] = [
            {"system": SNOMED, "code": ILL[name], "display": name, "status": "active"}
        ]
    return values


@pytest.fixture(scope="module")
def stolen(
    test_server: TestServer, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[dict[str, Seen], Truth]]:
    """What the dump shows of each contact, and what is true of them."""
    with (
        django_db_blocker.unblock(),
        test_server.own_database(),
        acting_as(Actor("system", "test")),
    ):
        clinic = organisations.found("C", slug="c", timezone="America/New_York", now=NOON)
        with tenancy.acting_for(clinic.pk):
            chance = random.Random(7)
            people = [drawn(chance) for _ in range(PEOPLE)]
            ids = world.add(people)
            columns.compact(now=NOON, at_least=1)
            truth = {
                key: {i: str(p.get(key)) for i, p in zip(ids, people, strict=True)}
                for key in ("gender", "language", "city", "plan")
            }
            truth["condition"] = {
                i: next((c["display"] for c in p["conditions"]), "none")
                for i, p in zip(ids, people, strict=True)
            }
            yield attack.dump(ids), truth


@pytest.mark.parametrize("value", ["gender", "language", "city", "plan", "condition"])
def test_se31_nothing_in_a_dump_names_a_value_better_than_guessing(
    stolen: tuple[dict[str, Seen], Truth], value: str
) -> None:
    seen, truth = stolen
    assert "contacts_contact.clinical length" in seen
    gained = {
        (name, how.__name__): round(guess.advantage, 3)
        for name, marks in seen.items()
        for how in (attack.rank, attack.learned)
        if (guess := how(marks, truth[value])).advantage > CHANCE
    }
    assert gained == {}


def test_the_attack_would_succeed_on_stored_tokens(
    stolen: tuple[dict[str, Seen], Truth],
) -> None:
    """The premise: against the design that was turned down, the same attack names nearly all."""
    _, truth = stolen
    tokens = {one: hash(("key", value)) for one, value in truth["gender"].items()}
    assert attack.rank(tokens, truth["gender"]).right > 0.99
    assert attack.learned(tokens, truth["gender"]).right > 0.99


def test_the_attack_would_succeed_on_lengths_that_are_not_filled_up(
    stolen: tuple[dict[str, Seen], Truth],
) -> None:
    _, truth = stolen
    lengths = {one: len(value) for one, value in truth["gender"].items()}
    assert attack.learned(lengths, truth["gender"]).advantage > 0.3


def test_no_two_contacts_share_a_sealed_value(stolen: tuple[dict[str, Seen], Truth]) -> None:
    seen, _ = stolen
    for kind in ("identity", "contact_point", "demographic", "clinical", "coverage"):
        marks = seen[f"contacts_contact.{kind}"]
        assert len(set(marks.values())) == PEOPLE


def test_every_new_contact_has_a_record_of_each_class(at_harbor: object) -> None:
    """That somebody has no coverage would be read from a record that is not there."""
    world.add([{"city": "Boston"}])
    assert len(Contact.objects.get().sealed()) == 5


@pytest.mark.parametrize("share", [0.0, 0.01, 0.99, 1.0])
def test_a_column_s_length_does_not_tell_how_its_values_are_spread(share: float) -> None:
    assert lengths(share) == lengths(0.5)


def lengths(share: float) -> dict[str, int]:
    """The lengths of the columns of a whole block whose values are spread like that."""
    chance = random.Random(3)
    people = [
        {
            "gender": "female" if chance.random() < share else "male",
            "deceased": chance.random() < share,
            "birth_date": "1950-01-01" if chance.random() < share else "2010-06-30",
            "plan": "Gold" if chance.random() < share else "Silver Plus",
        }
        for _ in range(BLOCK_SIZE)
    ]
    built = building.build(people, ["gender", "deceased", "birth_date", "plan"])
    return {name: len(arrays.pack(column)) for name, column in built.items()}


def test_se33_members_take_the_same_room_however_many_they_are(at_harbor: object) -> None:
    world.add([{"city": "Boston"}] * 30 + [{"city": "Quincy"}])
    for city in ("Boston", "Quincy"):
        tree = {"field": "city", "op": "equals", "value": city}
        membership.refresh(catalogue.save(name=city, tree=tree, now=NOON), now=NOON)
    sizes = [len(bytes(row.payload)) for row in Membership.objects.all()]
    assert len(sizes) == 2
    assert all(one == other for one, other in pairwise(sizes))
