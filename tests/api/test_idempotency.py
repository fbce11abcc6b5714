"""A repeated request gets its first answer (HD-02)."""

from __future__ import annotations

from accounts import tenancy
from accounts.models import Organisation
from contacts.models import ContactList
from marketing.api.idempotency import REPLAYED
from tests.api.conftest import Machine, Maker, problem


def lists(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return ContactList.objects.count()


def test_the_same_key_makes_one_list(machine: Machine, harbor: Organisation) -> None:
    first = machine.post("lists", {"name": "May"}, Idempotency_Key="k1")
    again = machine.post("lists", {"name": "May"}, Idempotency_Key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again[REPLAYED] == "true"
    assert lists(harbor) == 1


def test_without_a_key_there_are_two(machine: Machine, harbor: Organisation) -> None:
    machine.post("lists", {"name": "May"})
    machine.post("lists", {"name": "May"})
    assert lists(harbor) == 2


def test_the_key_for_another_body_is_a_conflict(machine: Machine, harbor: Organisation) -> None:
    machine.post("lists", {"name": "May"}, Idempotency_Key="k1")
    problem(machine.post("lists", {"name": "June"}, Idempotency_Key="k1"), 409, "key-reused")
    assert lists(harbor) == 1


def test_a_refused_request_does_not_use_up_the_key(machine: Machine) -> None:
    problem(machine.post("lists", {"name": ""}, Idempotency_Key="k1"), 422, "invalid")
    assert machine.post("lists", {"name": "May"}, Idempotency_Key="k1").status_code == 201


def test_keys_of_two_machines_are_apart(
    machine: Machine, harbor: Organisation, machine_for: Maker
) -> None:
    machine.post("lists", {"name": "May"}, Idempotency_Key="k1")
    other = machine_for(harbor).post("lists", {"name": "June"}, Idempotency_Key="k1")
    assert other.status_code == 201


def test_an_endless_key_is_refused(machine: Machine) -> None:
    problem(machine.post("lists", {"name": "May"}, Idempotency_Key="k" * 201), 400, "invalid")
