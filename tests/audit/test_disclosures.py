"""PR-24: every disclosure has its date, recipient, address, content, purpose and basis."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation
from audit import disclosures
from audit.disclosures import DisclosureIncomplete
from audit.models import Disclosure, Entry
from tests.conftest import NOON

PARTS: dict[str, Any] = {
    "contact_id": 5,
    "recipient": "Registry of Deaths",
    "address": "1 State House, Boston",
    "what": "name and date of death",
    "purpose": "public_health",
    "basis": "164.512.b",
    "at": NOON,
}


def test_a_disclosure_keeps_all_its_parts(at_harbor: Organisation) -> None:
    disclosures.record(organisation_id=at_harbor.pk, **PARTS)
    kept = Disclosure.objects.get()
    assert {name: getattr(kept, name) for name in PARTS} == PARTS


def test_a_disclosure_is_in_the_trail_without_its_words(at_harbor: Organisation) -> None:
    made = disclosures.record(organisation_id=at_harbor.pk, **PARTS)
    entry = Entry.objects.get(action="disclosure.recorded")
    assert (entry.subject, entry.facts()) == (
        f"disclosure:{made.pk}",
        {"purpose": "public_health", "basis": "164.512.b"},
    )


@pytest.mark.parametrize("part", ["recipient", "address", "what", "purpose", "basis"])
def test_a_disclosure_without_one_part_is_refused(at_harbor: Organisation, part: str) -> None:
    with pytest.raises(DisclosureIncomplete, match=part):
        disclosures.record(organisation_id=at_harbor.pk, **(PARTS | {part: " "}))
    assert not Disclosure.objects.exists()
