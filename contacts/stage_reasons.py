"""Why somebody stands where they stand: the rules in their order, to the first that holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from contacts.segments.definition import parse
from contacts.segments.explain import ClauseVerdict, explain
from contacts.stage_rules import OWN


@dataclass(frozen=True, slots=True)
class Reason:
    """A stage's rule, clause by clause, as far as the reader sees; the whole rule first."""

    stage: str
    lines: list[ClauseVerdict]


def reasons(contact_id: int, *, now: datetime, granted: Collection[str]) -> list[Reason]:
    """Return the rules up to the one that made the stage; all of them for who is active.

    `granted` are the data classes of the reader, the clinical one among them: where the rules end
    says which stage it is.
    """
    found = []
    for stage, rule in OWN.items():
        lines = explain(parse(rule), contact_id, now=now, granted=granted)
        found.append(Reason(stage, lines))
        if lines[0].holds:
            break
    return found
