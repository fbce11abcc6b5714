"""Errors of every kind are problems (RFC 9457) and repeat nothing that was sent (SE-15)."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from accounts import tenancy
from accounts.models import Organisation
from contacts import records
from marketing.models import ApiRefusal
from tests.api.conftest import Machine, problem

_LINES = (Path(__file__).parent / "hostile_json.txt").read_text().splitlines()
HOSTILE = {
    name: b64decode(rest) for name, _, rest in (line.partition(" ") for line in _LINES[2:]) if rest
} | {"n_opening_arrays": b"[" * 100_000, "n_opening_objects": b'[{"":' * 50_000}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.startswith("n_")])
@pytest.mark.parametrize("address", ["events/batch", "contacts"])
def test_what_is_not_json_is_refused(name: str, address: str, machine: Machine) -> None:
    problem(machine.post_raw(address, HOSTILE[name]), 400, "malformed")


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.startswith("i_")])
def test_what_parsers_disagree_on_never_fails_the_server(name: str, machine: Machine) -> None:
    assert machine.post_raw("contacts", HOSTILE[name]).status_code in {400, 422}


@pytest.mark.parametrize("address", ["events/batch", "contacts"])
def test_no_body_at_all_is_refused(address: str, machine: Machine) -> None:
    assert machine.post_raw(address, b"").status_code in {400, 415, 422}


def test_an_address_that_is_not_there(machine: Machine) -> None:
    problem(machine.get("nothing"), 404, "no-such-address")


def test_a_method_that_is_not_there(machine: Machine) -> None:
    response = machine.get("events")
    problem(response, 405, "method")
    assert response["Allow"] == "POST"


def test_a_content_type_that_is_not_taken(machine: Machine) -> None:
    problem(machine.post_raw("contacts", b"<a/>", "text/xml"), 415, "media-type")
    problem(machine.post_raw("events", b"<a/>", "text/xml"), 415, "media-type")


def test_a_body_over_the_limit(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketing.api.bodies.LIMIT", 10)
    problem(machine.post("contacts", {"source": "epic"}), 413, "too-large")


def test_a_failure_says_nothing_of_what_was_sent(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """SE-15: an exception below the view holds the value; neither answer nor log may."""

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("Canarybird")

    monkeypatch.setattr(records, "upsert", fail)
    sent = {"source": "epic", "record_number": "1", "values": {"family_name": "Canarybird"}}
    response = machine.post("contacts", sent)
    problem(response, 500, "internal")
    assert b"Canarybird" not in response.content
    assert "Canarybird" not in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    "values",
    [
        {"birth_date": "Canarybird"},
        {"gender": "Canarybird"},
        {"email": "Canarybird"},
        {"Canarybird": 1},
        {"conditions": ["Canarybird"]},
    ],
)
def test_a_wrong_value_is_not_repeated(values: dict[str, Any], machine: Machine) -> None:
    """SE-15."""
    sent = {"source": "epic", "record_number": "1", "values": values}
    response = machine.post("contacts", sent)
    problem(response, 422, "invalid")
    assert b"Canarybird" not in response.content


def test_a_misspelt_field_is_named(machine: Machine) -> None:
    sent = {"source": "epic", "record_nmber": "1", "values": {}}
    body = problem(machine.post("contacts", sent), 422, "invalid")
    assert {"pointer": "/record_nmber", "detail": "There is no such field."} in body["errors"]


def test_a_refusal_can_be_seen_in_the_debugger(machine: Machine, harbor: Organisation) -> None:
    machine.post("events", {"kind": "appointment.missed"})
    with tenancy.acting_for(harbor.pk):
        refusal = ApiRefusal.objects.get()
    assert (refusal.status, refusal.code, refusal.route) == (422, "invalid", "/api/v1/events")
