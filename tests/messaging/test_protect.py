from __future__ import annotations

import pytest

from contacts.fields import DataClass
from messaging.protect import DEMANDS, Demand, Hold, Hop, Onward, Route, Way, choose

ENFORCED, OPPORTUNISTIC = Onward.ENFORCED, Onward.OPPORTUNISTIC


def route(*classes: str, hop: Hop = Hop.VERIFIED, onward: Onward = ENFORCED) -> str:
    way = choose(classes, hop=hop, onward=onward)
    return way.route.value if isinstance(way, Way) else way.code


def test_a_clinical_mail_goes_where_tls_is_enforced_all_the_way() -> None:
    """EM-01"""
    assert route("identity", "clinical") == "mail"


def test_a_clinical_mail_waits_on_the_portal_where_it_is_not() -> None:
    """EM-01"""
    assert route("identity", "clinical", onward=OPPORTUNISTIC) == "portal"


def test_a_mail_with_a_name_needs_a_verified_relay_only() -> None:
    assert route("identity", onward=OPPORTUNISTIC) == "mail"


@pytest.mark.parametrize(
    "label", ["hiv", "substance_use", "mental_health", "reproductive", "minor"]
)
def test_what_is_most_sensitive_is_never_mailed(label: str) -> None:
    assert route("identity", label) == "portal"


def test_psychotherapy_notes_go_nowhere() -> None:
    assert choose(["psychotherapy"], hop=Hop.VERIFIED, onward=ENFORCED) == Hold(
        "never_by_mail", final=True
    )


@pytest.mark.parametrize("classes", [(), ("identity",), ("clinical",), ("hiv",)])
def test_nothing_goes_in_the_clear(classes: tuple[str, ...]) -> None:
    """EM-01: not even the notice of a message on the portal."""
    assert route(*classes, hop=Hop.CLEAR) == "tls_unverified"


def test_a_class_that_nobody_thought_of_is_treated_as_the_most_sensitive() -> None:
    assert route("genome") == Route.PORTAL


def test_every_data_class_is_in_the_table() -> None:
    assert {each.value for each in DataClass} <= DEMANDS.keys()


@pytest.mark.parametrize("more", sorted(DEMANDS))
def test_saying_more_never_lowers_what_is_demanded(more: str) -> None:
    def strictness(*classes: str) -> int:
        way = choose(classes, hop=Hop.VERIFIED, onward=OPPORTUNISTIC)
        return 2 if isinstance(way, Hold) else int(way.route is Route.PORTAL)

    for known in DEMANDS:
        assert strictness(known, more) >= strictness(known)
    assert max(DEMANDS.values()) is Demand.NEVER
