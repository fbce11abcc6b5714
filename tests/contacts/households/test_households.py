"""Who lives together, who acts for whom, and until when."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from contacts import erase, households
from contacts.canonical import ValueRefused
from contacts.households import living, representing
from contacts.majority import comes_of_age
from contacts.merge import acts
from contacts.models import Household, Representation
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.usefixtures("at_harbor")
BORN = "2008-03-02"


def mother_of(child: int, **more: object) -> Representation:
    given = {"kind": "parent", "name": "Eva Ek", "authority": "Mother, has custody"} | more
    return representing.appoint(child, source="staff", now=NOON, **given)  # type: ignore[arg-type]


def state(child: int, now: datetime = NOON) -> str:
    (proxy,) = representing.proxies_of([child], now=now)[child]
    return proxy.ended


@pytest.mark.parametrize(
    ("born", "where", "day"),
    [
        (date(2008, 3, 2), "MA", date(2026, 3, 2)),
        (date(2008, 3, 2), "al", date(2027, 3, 2)),
        (date(2008, 2, 29), "", date(2026, 3, 1)),
    ],
)
def test_st03_the_age_of_majority_is_the_states(born: date, where: str, day: date) -> None:
    """ST-03"""
    assert comes_of_age(born, state=where) == day


def test_st03_a_proxy_ends_on_the_eighteenth_birthday_without_a_job() -> None:
    """ST-03: only the question's moment differs; it turns at midnight of the clinic's own zone."""
    child = person("child", birth_date=BORN)
    mother_of(child)
    eve = datetime(2026, 3, 2, 4, 59, tzinfo=UTC)
    midnight = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
    assert (state(child, eve), state(child, midnight)) == ("", "of_age")


def test_st03_alabama_waits_a_year_longer() -> None:
    """ST-03"""
    child = person("child", birth_date=BORN, state="AL")
    mother_of(child)
    assert state(child) == ""


def test_st03_a_parent_without_the_childs_birth_date_is_no_proxy() -> None:
    """ST-03: unknown is not a reason to go on."""
    child = person("child")
    mother_of(child)
    assert state(child) == "birth_date_unknown"


def test_two_of_a_household_who_are_one_person_are_one_in_it() -> None:
    ada, twin, ben = person("ada"), person("twin"), person("ben")
    home = living.join([ada, twin, ben], now=NOON)
    acts.merge(ada, twin, now=NOON)
    assert living.members(home) == sorted([ada, ben])
    assert households.members_of([ada]) == {ada: frozenset({ben})}


def test_st03_a_minors_own_services_are_never_the_parents() -> None:
    """ST-03"""
    child = person("child", birth_date="2013-01-01")
    mother_of(child)
    (proxy,) = representing.proxies_of([child], now=NOON)[child]
    assert (proxy.covers("reminder"), proxy.covers("reproductive")) == (True, False)


def test_pr14_an_authority_without_a_description_is_refused() -> None:
    """PR-14"""
    with pytest.raises(ValueRefused, match="authority"):
        mother_of(person("child"), authority="  ")


def test_pr36_only_an_executor_acts_after_death() -> None:
    """PR-36"""
    dora = person("dora", deceased=True)
    mother_of(dora, kind="representative")
    mother_of(dora, kind="executor")
    found = representing.proxies_of([dora], now=NOON)[dora]
    assert sorted(proxy.ended for proxy in found) == ["", "deceased"]


def test_an_authority_holds_from_its_first_to_its_last_day() -> None:
    ada = person("ada")
    row = mother_of(
        ada, kind="representative", starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 2)
    )
    states = [state(ada, datetime(2026, 3, day, 12, tzinfo=UTC)) for day in (1, 2, 3)]
    assert (states, row.source) == (["not_begun", "", "ended"], "staff")


def test_an_authority_that_was_ended_holds_no_more() -> None:
    ada = person("ada")
    row = mother_of(ada, kind="representative")
    representing.end(row.pk, ada, now=NOON)
    assert state(ada) == "ended"


def test_names_and_authority_are_sealed_and_open_again() -> None:
    row = mother_of(person("child"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT contacts_representation::text FROM contacts_representation")
        stored = cursor.fetchone()[0] + str(bytes(row.payload))
    assert "Eva" not in stored and "custody" not in stored
    assert representing.named([row])[row.pk].name == "Eva Ek"


def test_a_household_names_the_others_in_it() -> None:
    ada, ben, cleo = person("ada"), person("ben"), person("cleo")
    living.join([ada, ben], now=NOON)
    assert households.members_of([ada, ben, cleo]) == {
        ada: frozenset({ben}), ben: frozenset({ada}),
    }  # fmt: skip
    assert households.mates_of([ada]) == {ben}


def test_a_household_of_one_is_none() -> None:
    ada, ben = person("ada"), person("ben")
    home = living.join([ada, ben], now=NOON)
    living.leave(ben, home.pk, now=NOON)
    assert not Household.objects.exists()


def test_a_merged_person_lives_where_either_did_and_apart_again() -> None:
    ada, twin, ben = person("ada"), person("twin"), person("ben")
    living.join([twin, ben], now=NOON)
    made = acts.merge(ada, twin, now=NOON)
    merged = households.members_of([ben])
    acts.undo(made.pk, now=NOON)
    assert merged == {ben: frozenset({ada})}
    assert households.members_of([ben]) == {ben: frozenset({twin})}


def test_erasing_a_person_erases_who_acted_for_them_and_where_they_lived() -> None:
    ada, ben = person("ada"), person("ben")
    living.join([ada, ben], now=NOON)
    mother_of(ada)
    erase.erase(ada, now=NOON)
    assert households.members_of([ben]) == {}
    assert not Representation.objects.exists()
