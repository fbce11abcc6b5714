"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

import re

_PLAIN_NUMBER = re.compile(r"[+-]?[\d.,]+")


def as_it_was(value: str) -> str:
    """Return the text that `cell` was given."""
    return value[1:] if value[:1] == "'" and cell(value[1:]) == value else value


def cell(value: str) -> str:
    """Return text that no spreadsheet takes for a formula (OWASP, CSV injection).

    A leading `'` makes a spreadsheet show the text as it is. Numbers and phone numbers begin with
    + or - too and are harmless.
    """
    if value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and not _PLAIN_NUMBER.fullmatch(value):
        return f"'{value}"
    return value
