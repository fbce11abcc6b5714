"""Answers about somebody's life that clinics keep as observations (PRAPARE, NIOSH), as facts. Pure.

They stay results too: a clinician asked them. What is a demographic fact by our catalogue is one
here, whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contacts.codes import LOINC

_WORDS = {
    "82589-3": "education",
    "67875-5": "employment",
    "74165-2": "employment",
    "81364-2": "religion",
}
_NUMBERS = {"63586-2": "income", "63512-8": "household_size"}
_NO_ANSWER = ("choose not to answer", "unknown", "declined", "not asked")


class Single(NamedTuple):
    """One value of a field that holds one; of several the one with the highest rank stays."""

    field: str
    rank: str
    value: Any


def singles(result: Mapping[str, Any]) -> Iterator[Single]:
    """Yield what a result says of a demographic field; the newest answer stays."""
    codes = [(result["system"], result["code"]), *map(tuple, result.get("also", ()))]
    code = next((code for system, code in codes if system == LOINC), "")
    value, at = result["value"], result.get("at") or ""
    if code in _NUMBERS and isinstance(value, int | float) and value >= 0:
        yield Single(_NUMBERS[code], at, value)
    elif code in _WORDS and isinstance(value, str) and not _is_no_answer(value):
        yield Single(_WORDS[code], at, value)


def _is_no_answer(value: str) -> bool:
    return any(words in value.lower() for words in _NO_ANSWER)
