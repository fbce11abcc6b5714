"""A message to an address that a parent or guardian reads is a message to that person (ST-03)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from accounts.models import Organisation
from consent import gate
from consent.gate import GateRequest
from consent.policy import Permit
from contacts import records
from contacts.households import representing
from contacts.households.models import Representation
from tests.conftest import NOON

FAMILY = "family@example.org"


def person(number: str, **values: object) -> int:
    change = records.Change(
        source="ehr", record_number=number, values={"given_name": "P", "state": "MA"} | values
    )
    return records.upsert([change], now=NOON).contact_ids[0]


@pytest.fixture
def mother(at_harbor: Organisation) -> int:
    return person("mother", email=FAMILY, birth_date="1985-05-05")


def child(born: str, *, mother: int, email: str = FAMILY) -> int:
    made = person("child", email=email, birth_date=born)
    representing.appoint(
        made,
        kind=Representation.Kind.PARENT,
        name="",
        holder_id=mother,
        authority="Mother, birth certificate seen",
        source="front desk",
        now=NOON,
    )
    return made


def answer(contact_id: int, *, now: datetime = NOON, **more: object) -> str:
    asked = {"purpose": "appointment", "channel": "email"} | more
    (given,) = gate.ask([GateRequest(contact_id, **asked)], now=now)  # type: ignore[arg-type]
    return "permitted" if isinstance(given, Permit) else given.code


def test_a_childs_reminder_may_go_to_the_mother(mother: int) -> None:
    assert answer(child("2015-01-01", mother=mother)) == "permitted"


def test_the_day_the_child_comes_of_age_her_access_is_over(mother: int) -> None:
    """ST-03: on the eighteenth birthday the proxy is off, without anybody doing anything."""
    grown = child("2008-03-03", mother=mother)
    assert answer(grown) == "permitted"
    assert answer(grown, now=datetime(2026, 3, 3, 5, 1, tzinfo=UTC)) == "representative_ended"


def test_an_adult_childs_own_address_goes_on(mother: int) -> None:
    grown = child("2000-03-03", mother=mother, email="own@example.org")
    assert answer(grown) == "permitted"


def test_services_that_are_the_minors_own_never_reach_the_mother(mother: int) -> None:
    teen = child("2010-01-01", mother=mother)
    assert answer(teen, classes=frozenset({"minor"})) == "minors_own_services"


def test_an_authority_that_was_ended_is_over_at_once(mother: int) -> None:
    young = child("2015-01-01", mother=mother)
    representing.end(Representation.objects.get().pk, young, now=NOON)
    assert answer(young) == "representative_ended"


def test_of_two_parents_at_one_address_one_who_may_is_enough(mother: int) -> None:
    young = child("2015-01-01", mother=mother)
    father = person("father", email=FAMILY, birth_date="1984-01-01")
    representing.appoint(
        young,
        kind=Representation.Kind.PARENT,
        name="",
        holder_id=father,
        authority="Father",
        source="front desk",
        ends_on=date(2026, 1, 1),
        now=NOON,
    )
    assert answer(young) == "permitted"


def test_an_adults_guardian_reads_until_the_authority_ends(mother: int) -> None:
    adult = person("adult", email=FAMILY, birth_date="1950-01-01")
    representing.appoint(
        adult,
        kind=Representation.Kind.REPRESENTATIVE,
        name="",
        holder_id=mother,
        authority="Power of attorney of 2025",
        source="paper",
        ends_on=date(2026, 3, 2),
        now=NOON,
    )
    assert answer(adult) == "permitted"
    assert answer(adult, now=datetime(2026, 3, 3, 5, 1, tzinfo=UTC)) == "representative_ended"


def test_substance_use_treatment_says_nothing_to_a_representative_without_part_2_consent(
    mother: int,
) -> None:
    adult = child("2015-01-01", mother=mother)
    labelled = frozenset({"substance_use"})
    assert answer(adult, purpose="treatment", classes=labelled) in (
        "part2_scope",
        "minors_own_services",
    )


def test_set_based_answers_are_those_of_one_by_one(mother: int) -> None:
    young = child("2015-01-01", mother=mother)
    grown = person("grown", email=FAMILY, birth_date="1990-01-01")
    asked = [GateRequest(one, "appointment", "email") for one in (young, grown, mother)]
    together = gate.ask(asked, now=NOON)
    alone = [gate.ask([one], now=NOON)[0] for one in asked]
    assert together == alone
