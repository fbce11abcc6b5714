"""A refill reminder says of which drug, or it becomes no version (PR-17)."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from contacts import grouping
from contacts.declared.code_lines import Code
from messaging.making import drafts
from messaging.templates_compile import TemplateInvalid
from tests.conftest import NOON
from tests.messaging.conftest import approved, template


@pytest.fixture(autouse=True)
def address(at_harbor: Organisation) -> None:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )


def test_without_a_drug_it_is_refused() -> None:
    """PR-17"""
    with pytest.raises(TemplateInvalid) as invalid:
        drafts.compiled(template("pills", purpose="refill"))
    assert "about a drug" in str([one.message for one in invalid.value.problems])


def test_the_version_keeps_the_drug_that_it_was_approved_with() -> None:
    group = grouping.add(
        "Statin",
        [Code("http://www.nlm.nih.gov/research/umls/rxnorm", "83367", "Atorvastatin")],
        now=NOON,
    )
    draft = template("pills", purpose="refill", drug=group.pk)
    assert approved(draft).drug == group.pk
