"""When a minor comes of age, by state. Pure; the ages are data.

On the birthday the law's own words decide ("attains the age"): the day begins an adult's. Who was
born on 29 February comes of age on 1 March where the year has no such day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

DEFAULT_AGE = 18
AGES: Mapping[str, int] = {"AL": 19}
"""45 CFR 164.502(g)(3) leaves it to the State; Ala. Code 26-1-1. Every other State: 18."""


def age_of_majority(state: str) -> int:
    return AGES.get(state.strip().upper(), DEFAULT_AGE)


def comes_of_age(born: date, *, state: str) -> date:
    """Return the birthday on which the person is no longer a minor."""
    year = born.year + age_of_majority(state)
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
