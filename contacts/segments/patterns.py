"""Patterns that a person may write, and that no text can make slow. Pure.

RE2 matches in time that grows with the text and never with what the pattern does to it, so a bound
on the text's length is a bound on time. Its patterns are regular expressions without what makes
others slow: no look-ahead or look-behind, no back references. Without regard to case it compares
letter by letter, so `strasse` does not find `Straße`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, Final

import re2

MAX_PATTERN: Final = 200
_MEMORY: Final = 1 << 20
"""Bytes a compiled pattern may take: `(.{1000}){1000}` is refused, not tried."""


def problem_with(pattern: str) -> str:
    """Return what is wrong with a pattern, in words; nothing where it can be used."""
    if len(pattern) > MAX_PATTERN:
        return f"must be at most {MAX_PATTERN} characters"
    try:
        _compiled(pattern, exact=True)
    except re2.error:
        return (
            "is not a pattern that can be used: check brackets and repeats;"
            " look-ahead, look-behind and back references are not known here"
        )
    return ""


def finder(pattern: str, *, exact: bool) -> Callable[[str], bool]:
    """Return the test whether a text has the pattern somewhere in it."""
    compiled = _compiled(pattern, exact=exact)
    return lambda text: compiled.search(unicodedata.normalize("NFC", text)) is not None


def _compiled(pattern: str, *, exact: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = exact
    options.max_mem = _MEMORY
    options.log_errors = False
    return re2.compile(pattern, options=options)
