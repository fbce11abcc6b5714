"""The table of allowed ways: what it may say, who may change it, and what it does."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from audit.actor import Actor, acting_as
from audit.models import Entry
from messaging import protect
from messaging.models import ProtectionPolicy
from messaging.protect import By, Hold, Hop, Onward, Table, Way
from messaging.protection import policy
from tests.conftest import NOON

STRICT = Table({("*", "clinical"): (By.PORTAL,)})
OPEN = Table({("*", "hiv"): (By.SMIME, By.PORTAL)})


def route(*classes: str, keys: tuple[str, ...] = (), **more: object) -> str:
    facts: dict[str, object] = {"hop": Hop.VERIFIED, "onward": Onward.OPPORTUNISTIC} | more
    way = protect.choose(classes, keys=keys, **facts)  # type: ignore[arg-type]
    return way.route.value if isinstance(way, Way) else way.code


def test_a_key_goes_before_the_portal() -> None:
    """EM-24, EM-25"""
    assert route("clinical", keys=("smime",)) == "smime"
    assert route("clinical", keys=("pgp",)) == "pgp"
    assert route("clinical") == "portal"


def test_the_most_sensitive_stays_on_the_portal_unless_the_table_allows_more() -> None:
    assert route("clinical", "hiv", keys=("smime",)) == "portal"
    assert route("clinical", "hiv", keys=("smime",), table=OPEN) == "smime"


def test_a_purpose_has_rows_of_its_own() -> None:
    table = Table({("marketing", "identity"): (By.PORTAL,)})
    assert route("identity", table=table, purpose="marketing") == "portal"
    assert route("identity", table=table, purpose="treatment") == "mail"


def test_without_any_way_nothing_goes() -> None:
    table = Table({("*", "clinical"): (By.SMIME,)})
    assert route("clinical", table=table) == "no_protected_way"
    assert protect.choose(
        ["clinical"], hop=Hop.VERIFIED, onward=Onward.ENFORCED, table=table
    ) == Hold("no_protected_way", final=True)


@pytest.mark.parametrize("name", ["clinical", "hiv", "coverage", "psychotherapy"])
def test_no_table_lets_health_go_in_the_clear(name: str) -> None:
    """EM-01, NP-02"""
    assert Table({("*", name): (By.RELAY,)}).faults()


def test_a_stricter_table_is_in_force_at_once(at_harbor: Organisation) -> None:
    with acting_as(Actor("staff", "omar")):
        row = policy.propose(STRICT, now=NOON)
    assert (row.state, row.weakens) == ("live", False)
    assert policy.in_force() == STRICT
    assert Entry.objects.filter(action="protection.changed").count() == 1


def test_a_weaker_one_waits_for_a_second_person(at_harbor: Organisation) -> None:
    with acting_as(Actor("staff", "omar")):
        row = policy.propose(OPEN, now=NOON)
        assert (row.state, policy.in_force()) == ("proposed", protect.NO_TABLE)
        with pytest.raises(policy.NotYours):
            policy.decide(row.pk, approve=True, now=NOON)
    with acting_as(Actor("staff", "nora")):
        policy.decide(row.pk, approve=True, now=NOON)
    assert policy.in_force() == OPEN


def test_a_table_with_a_fault_is_not_kept(at_harbor: Organisation) -> None:
    with pytest.raises(policy.PolicyInvalid, match="cannot be allowed"):
        policy.propose(Table({("*", "clinical"): (By.RELAY,)}), now=NOON)
    assert not ProtectionPolicy.objects.exists()
