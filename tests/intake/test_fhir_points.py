"""FHIR telecom and address with use, period and rank."""

from __future__ import annotations

from datetime import date
from typing import Any

from marketing.intake.fhir_points import points


def telecom(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.kind,
            "value": one.value,
            "use": one.use,
            "rank": one.rank,
            "ends_on": one.ends_on,
        }
        for one in points({"telecom": list(given)})
    ]


def test_a_patient_with_one_address_of_a_kind_needs_no_row() -> None:
    assert telecom({"system": "phone", "value": "617-555-0101", "use": "home"}) == []


def test_several_addresses_keep_use_rank_and_period() -> None:
    assert telecom(
        {"system": "email", "value": "a@x.example", "use": "home", "rank": 2},
        {"system": "email", "value": "b@x.example", "use": "work", "rank": 1,
         "period": {"end": "2026-04-30"}},
    ) == [
        {"kind": "email", "value": "a@x.example", "use": "home", "rank": 2, "ends_on": None},
        {"kind": "email", "value": "b@x.example", "use": "work", "rank": 1,
         "ends_on": date(2026, 4, 30)},
    ]  # fmt: skip


def test_an_address_with_a_period_is_a_row_even_alone() -> None:
    (one,) = telecom({"system": "sms", "value": "617-555-0101", "period": {"end": "2026-04-30"}})
    assert (one["kind"], one["use"]) == ("phone", "mobile")


def test_a_slip_of_the_typist_refuses_no_patient() -> None:
    assert (
        telecom({"system": "email", "value": "nobody"}, {"system": "email", "value": "none"}) == []
    )


def test_postal_addresses_keep_their_parts() -> None:
    old = {"use": "old", "line": ["1 Elm"], "city": "Boston", "postalCode": "02115"}
    new = {"use": "home", "line": ["2 Oak", "Apt 3"], "state": "MA"}
    found = points({"address": [old, new]})
    assert [(one.use, one.value) for one in found] == [
        ("old", {"line": "1 Elm", "city": "Boston", "postal_code": "02115"}),
        ("home", {"line": "2 Oak, Apt 3", "state": "MA"}),
    ]
