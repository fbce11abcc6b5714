"""The segment language's question about consent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent import ledger
from contacts.segments import evaluate
from contacts.segments.definition import DefinitionInvalid, in_words, parse
from tests.conftest import NOON

MARKETING = {"consent": {"purpose": "marketing", "classes": ["clinical"]}}


@pytest.fixture
def signed(ada: int, ben: int, cleo: int) -> int:
    """Ada signed, Ben signed and withdrew, Cleo was never asked."""
    for one in (ada, ben):
        ledger.record_authorization(
            ledger.Signing(
                one,
                frozenset({"marketing"}),
                frozenset({"clinical"}),
                NOON,
                expires_on=date(2030, 1, 1),
            ),
            received_by="paper",
            now=NOON,
        )
    ledger.revoke_all(ben, received_by="phone", now=NOON)
    return ada


def test_a_segment_can_ask_whom_the_gate_would_permit(signed: int) -> None:
    found = evaluate.members(parse(MARKETING), now=NOON).contact_ids()
    assert [int(one) for one in found] == [signed]


def test_not_permitted_is_everybody_else(signed: int, ben: int, cleo: int) -> None:
    found = evaluate.among(parse({"not": MARKETING}), [signed, ben, cleo], now=NOON)
    assert found == {ben, cleo}


def test_the_question_reads_as_a_sentence() -> None:
    assert "may be written to by email for marketing" in in_words(parse(MARKETING))


@pytest.mark.parametrize(
    "value",
    [
        {},
        "marketing",
        {"purpose": "newsletter"},
        {"purpose": ["marketing"]},
        {"purpose": "marketing", "classes": "clinical"},
        {"purpose": "marketing", "channel": "fax"},
        {"purpose": "marketing", "why": "because"},
    ],
)
def test_what_is_no_such_question_is_refused(value: Any) -> None:
    with pytest.raises(DefinitionInvalid):
        parse({"consent": value})
