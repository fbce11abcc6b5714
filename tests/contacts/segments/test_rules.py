"""Rules of other products, replayed: what all of them answer alike must hold here too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contacts.segments.other_products import Refused, answer
from tests.intake.builders import DATA

RULES = DATA / "segments" / "rules.jsonl"
TABLE = Path(__file__).resolve().parents[3] / "docs" / "segments.md"
pytestmark = pytest.mark.skipif(not RULES.exists(), reason="needs the published rules beside it")


def rows(*, common: bool) -> Iterator[dict[str, Any]]:
    every = (json.loads(line) for line in RULES.read_text().splitlines())
    yield from (row for row in every if row["common"] is common)


def ours(row: dict[str, Any]) -> str:
    try:
        return "yes" if answer(row) else "no"
    except Refused:
        return "refused"


def written() -> dict[str, str]:
    """Our answer to each contested row, as docs/segments.md has it; each with its reason."""
    line = re.compile(r"\| `([a-z]+-[0-9a-f]{10})` \|.*\| (yes|no) \| (yes|no|refused) \| .+ \|")
    found = (line.fullmatch(each) for each in TABLE.read_text().splitlines())
    return {match[1]: match[3] for match in found if match}


def test_what_products_answer_alike_we_answer_so_too() -> None:
    found = {row["id"]: ours(row) for row in rows(common=True)}
    right = {row["id"]: "yes" if row["expected"] else "no" for row in rows(common=True)}
    assert found == right


def kinds() -> set[str]:
    """The kinds of contested rows whose answer docs/segments.md gives."""
    found = (
        re.fullmatch(r"\| `([a-z-]+)` \| .+ \|", line) for line in TABLE.read_text().splitlines()
    )
    return {match[1] for match in found if match}


def test_the_table_has_our_answer_to_contested_rows() -> None:
    told = written()
    answers = {row["id"]: ours(row) for row in rows(common=False)}
    assert told == {row: answers[row] for row in told}


def test_every_contested_row_is_of_a_kind_that_is_answered() -> None:
    left = [row["id"] for row in rows(common=False) if not kinds() & set(row["tags"])]
    assert left == []
