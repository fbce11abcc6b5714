"""Where somebody stands with the clinic, by rules in the segment language. Pure.

The first that holds is the stage; everybody has exactly one. "Seen" is a visit that took place;
"booked" an appointment from today on that was not cancelled. The numbers stand here and in
`docs/howto-fields.md`, and nowhere else.

    at risk   not booked, and: not seen for more than 18 months, or missed two or more appointments
              within 12 months and not seen within 6
    overdue   not booked, and not seen for more than 12 months
    new       first seen within the last 90 days, or never seen
    active    everybody else
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

_TOOK_PLACE = ["finished", "in-progress", "arrived", "triaged", "onleave", "unknown"]
_STANDS = ["proposed", "pending", "booked", "arrived", "checked-in", "waitlist"]

_BOOKED: Tree = {
    "field": "appointments",
    "op": "count_gte",
    "value": 1,
    "status": _STANDS,
    "since": {"ago": 0, "unit": "days"},
}
_MISSED_TWICE: Tree = {
    "field": "appointments",
    "op": "count_gte",
    "value": 2,
    "status": ["noshow"],
    "within_months": 12,
}
_SEEN_BEFORE: Tree = {
    "field": "encounters",
    "op": "count_gte",
    "value": 1,
    "status": _TOOK_PLACE,
    "before": {"ago": 90, "unit": "days"},
}


def _seen_within(months: int) -> Tree:
    return {"field": "last_visit", "op": "within_last", "value": months, "unit": "months"}


def _not_seen_for(months: int) -> Tree:
    return {"field": "last_visit", "op": "older_than", "value": months, "unit": "months"}


_AT_RISK: Tree = {
    "all": [
        {"not": _BOOKED},
        {
            "any": [
                _not_seen_for(18),
                {"all": [_MISSED_TWICE, {"not": _seen_within(6)}]},
            ]
        },
    ]
}
_OVERDUE: Tree = {"all": [{"not": _BOOKED}, _not_seen_for(12)]}
_NEW: Tree = {"not": _SEEN_BEFORE}


def _after(rule: Tree | None, *earlier: Tree) -> Tree:
    return {"all": [*({"not": one} for one in earlier), *([rule] if rule else [])]}


OWN: Mapping[str, Tree] = {"at risk": _AT_RISK, "overdue": _OVERDUE, "new": _NEW}
"""What each stage asks, in the order in which they are asked; who fits none is active."""

RULES: Mapping[str, Tree] = {
    "at risk": _AT_RISK,
    "overdue": _after(_OVERDUE, _AT_RISK),
    "new": _after(_NEW, _AT_RISK, _OVERDUE),
    "active": _after(None, _AT_RISK, _OVERDUE, _NEW),
}
"""Each stage by itself: its rule holds, and none before it does."""
