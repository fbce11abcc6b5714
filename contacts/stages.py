"""The journey stage of a person, by the same rules and the same meaning that segments use. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from contacts.segments import building, semantics
from contacts.segments.definition import parse
from contacts.segments.facts import Facts
from contacts.segments.nodes import Definition
from contacts.stage_rules import RULES

READS = ("encounters", "appointments")
"""What is opened of a record for it, the last visit besides."""


def stage_of(values: Mapping[str, Any], *, now: datetime) -> str:
    """Return the stage; `now` is in the organisation's zone, and `values` hold `last_visit`."""
    known = {key: values[key] for key in (*READS, "last_visit") if key in values}
    facts = Facts(values=building.facts_values(known))
    return next(stage for stage in RULES if semantics.matches(_rule(stage), facts, now=now))


@cache
def _rule(stage: str) -> Definition:
    return parse(RULES[stage])
