"""Segments that ask how signatures and refusals stand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from consent import ledger
from contacts.segments import evaluate
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from tests.conftest import NOON


def sign(contact_id: int, *, expires_on: date = date(2030, 1, 1), event: str = "") -> None:
    ledger.record_authorization(
        ledger.Signing(
            contact_id,
            frozenset({"marketing"}),
            frozenset({"clinical"}),
            NOON,
            expires_on=expires_on,
            expires_event=event,
        ),
        received_by="paper",
        now=NOON,
    )


def found(tree: Any, *, days: int = 0) -> set[int]:
    definition = parse({"consent": tree})
    now = NOON + timedelta(days=days)
    everyone = set(evaluate.members(definition, now=now).contact_ids())
    return everyone if everyone == evaluate.among(definition, everyone, now=now) else set()


def state(name: str, **more: Any) -> dict[str, Any]:
    return {"state": name, "purpose": "marketing", **more}


def test_each_state_finds_its_people(ada: int, ben: int, cleo: int) -> None:
    sign(ada)
    sign(ben)
    ledger.revoke_all(ben, received_by="phone", now=NOON)
    assert found(state("live")) == {ada}
    assert found(state("revoked")) == {ben}
    assert found(state("never")) == {cleo}


def test_a_signature_expires_with_the_end_of_its_day(ada: int) -> None:
    sign(ada, expires_on=(NOON + timedelta(days=10)).date())
    assert found(state("expiring", within_days=5)) == set()
    assert found(state("expiring", within_days=12)) == {ada}
    assert (found(state("live"), days=12), found(state("expired"), days=12)) == (set(), {ada})


def test_a_longer_signature_is_not_expiring(ada: int) -> None:
    sign(ada, expires_on=(NOON + timedelta(days=10)).date())
    sign(ada)
    assert found(state("expiring", within_days=30)) == set()


def test_a_wider_refusal_counts_and_a_narrower_does_not(ada: int, ben: int) -> None:
    ledger.opt_out(ada, received_by="phone", now=NOON)
    ledger.opt_out(ben, topic="recipes", received_by="phone", now=NOON)
    assert found({"opted_out": True, "purpose": "marketing"}) == {ada}
    assert found({"opted_out": True, "topic": "recipes"}) == {ada, ben}


def test_a_segment_hears_of_a_state_in_plain_words() -> None:
    said = in_words(parse({"consent": state("expiring", within_days=30)}))
    assert said == "People whose authorization for marketing ends within 30 days"


@pytest.mark.parametrize(
    ("tree", "path"),
    [
        (state("maybe"), "$.consent.state"),
        ({"state": "live"}, "$.consent.purpose"),
        (state("expiring"), "$.consent.within_days"),
        (state("live", within_days=3), "$.consent.within_days"),
        ({"opted_out": False}, "$.consent.opted_out"),
        ({"opted_out": True, "channel": "fax"}, "$.consent.channel"),
    ],
)
def test_a_mistake_names_its_place(tree: Any, path: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        parse({"consent": tree})
    assert [problem.path for problem in refused.value.problems] == [path]
