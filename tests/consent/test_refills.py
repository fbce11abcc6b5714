"""PR-17 from real facts: a reminder of a drug that runs, or that lapsed up to 90 days ago."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation
from consent import gate, refills
from consent.gate import GateRequest
from consent.policy import Permit
from contacts import grouping, records
from contacts.declared.code_lines import Code
from tests.conftest import NOON

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
BRAND, GENERIC = (RXNORM, "153165"), (RXNORM, "83367")
TODAY = date(2026, 3, 2)


def item(code: tuple[str, str] = GENERIC, **more: Any) -> dict[str, Any]:
    return {"system": code[0], "code": code[1], "status": "active", "date": "2025-01-01"} | more


@pytest.fixture
def statin(at_harbor: Organisation) -> UUID:
    holding = [Code(*BRAND, "Lipitor"), Code(*GENERIC, "Atorvastatin")]
    return grouping.add("Atorvastatin", holding, now=NOON).pk


def patient(*items: dict[str, Any]) -> int:
    change = records.Change(
        source="ehr",
        record_number="p",
        values={"email": "p@example.org", "state": "MA", "medications": list(items)},
    )
    return records.upsert([change], now=NOON).contact_ids[0]


def answer(contact_id: int, drug: UUID) -> str:
    (said,) = gate.ask([GateRequest(contact_id, "refill", drug=drug)], now=NOON)
    return "permitted" if isinstance(said, Permit) else said.code


def ended(days: int) -> dict[str, Any]:
    return item(status="completed", end=(TODAY - timedelta(days=days)).isoformat())


def test_a_drug_that_runs_may_be_reminded_of(statin: UUID) -> None:
    """PR-17"""
    assert answer(patient(item()), statin) == "permitted"


def test_its_generic_is_the_same_drug(statin: UUID) -> None:
    """PR-17"""
    assert answer(patient(item(BRAND)), statin) == "permitted"


@pytest.mark.parametrize(("days", "said"), [(90, "permitted"), (91, "refill_lapsed")])
def test_ninety_days_after_it_lapsed_it_is_over(statin: UUID, days: int, said: str) -> None:
    """PR-17"""
    assert answer(patient(ended(days)), statin) == said


def test_who_never_had_it_is_not_reminded(statin: UUID) -> None:
    """PR-17"""
    other = item((RXNORM, "1"))
    assert answer(patient(other), statin) == "refill_lapsed"


def test_the_newest_prescription_counts(statin: UUID) -> None:
    assert answer(patient(ended(400), ended(10)), statin) == "permitted"


def test_set_based_is_one_by_one(statin: UUID) -> None:
    one = patient(ended(10))
    asked = [(one, statin)]
    assert refills.lapsed(asked, now=NOON) == {(one, statin): 10}


@given(st.lists(st.integers(0, 2_000), max_size=6))
def test_a_further_old_prescription_never_makes_it_later(ages: list[int]) -> None:
    items = [ended(age) for age in ages]
    found = refills.days(items, [GENERIC], today=TODAY)
    assert found == min(ages, default=refills.NEVER)


def test_a_group_that_is_gone_permits_nobody(statin: UUID) -> None:
    one = patient(item())
    grouping.archive(statin, now=NOON)
    assert answer(one, statin) == "refill_lapsed"
