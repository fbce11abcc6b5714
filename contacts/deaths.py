"""What values say of a person's death. Pure: a date of death says that somebody died.

A table with no other column than the date, as many systems write it, must stop messages too.
"""

from __future__ import annotations

from typing import Any

from contacts.canonical import ValueRefused
from contacts.facts import CLEAR


def with_death(values: dict[str, Any]) -> dict[str, Any]:
    """Return the stored values with the death that a date among them says.

    Raises ValueRefused where both a date of death and that the person lives are said.
    """
    died_on = values.get("deceased_at")
    if died_on is None or died_on is CLEAR:
        return values
    if values.get("deceased") is False:
        raise ValueRefused("deceased", "contradicts the date of death that is given with it")
    return values | {"deceased": True}
