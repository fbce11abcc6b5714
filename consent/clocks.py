"""By which clocks do people live? By the zone that their record names, or those of their State.

What is known of the place is opened for machines, and nothing is kept of it. A State with several
zones leaves several clocks: whoever asks must suit all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from accounts import tenancy
from consent.rulebook import Rules
from consent.states import code_of
from contacts.segments import opening

BATCH = 8_192
FIELDS = frozenset({"time_zone", "state", "country"})


def of(contact_ids: Collection[int], *, rules: Rules) -> dict[int, tuple[str, ...]]:
    """Return the zones that each may live by, as IANA names; who is not in it, of whom nothing is
    known."""
    ids = sorted(set(contact_ids))
    found: dict[int, tuple[str, ...]] = {}
    for at in range(0, len(ids), BATCH):
        opened = opening.values_of(tenancy.current(), ids[at : at + BATCH], FIELDS)
        found |= {one: zones for one, values in opened.items() if (zones := said(values, rules))}
    return found


def said(values: Mapping[str, Any], rules: Rules) -> tuple[str, ...]:
    """Return the zones that these values of a record name; empty where they name none."""
    if values.get("time_zone"):
        return (str(values["time_zone"]),)
    state = code_of(str(values.get("state") or ""), country=str(values.get("country") or ""))
    return rules.zones_of(state) if state else ()
