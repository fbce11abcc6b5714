"""People of Harbor Clinic as consent sees them."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from contacts.records import Change, upsert
from tests.conftest import NOON


def person(number: str, *, email: str | None = None, **values: object) -> int:
    """Make a contact with an address and return its id."""
    known = {"email": email or f"{number}@patients.example", **values}
    change = Change(source="ehr", record_number=number, values=known)
    return upsert([change], now=NOON).contact_ids[0]


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    return person("ada", given_name="Ada")


@pytest.fixture
def ben(at_harbor: Organisation) -> int:
    return person("ben", given_name="Ben")


@pytest.fixture
def cleo(at_harbor: Organisation) -> int:
    return person("cleo", given_name="Cleo")
