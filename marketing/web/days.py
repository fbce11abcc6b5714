"""Days that a filter takes: beyond them, no clock of ours has a moment to compare with."""

from __future__ import annotations

from datetime import date

from django.core.validators import MaxValueValidator, MinValueValidator

FIRST, LAST = date(1900, 1, 1), date(2200, 1, 1)
PLAUSIBLE = (
    MinValueValidator(FIRST, "Give a day from 1900 on."),
    MaxValueValidator(LAST, "Give a day before 2200."),
)
