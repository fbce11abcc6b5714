"""By whose clock, and for which date, somebody waits: read for everybody who asks, at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from accounts import tenancy
from consent import clocks
from consent.rules import shelf
from contacts import registry
from contacts.segments import building, evaluate, opening
from workflows.asks import AskClock, Clock
from workflows.journeys import Journey

Asked = Sequence[tuple[Journey, AskClock]]
Zones = tuple[ZoneInfo, ...]


def tell(asked: Asked, now: datetime) -> None:
    """Give each the zones and the date, opening only the fields that are asked."""
    ours, theirs, dates = (evaluate.zone(),), _theirs(asked, now=now), _dates(asked)
    for one, ask in asked:
        zones = ours if ask.step.ours else theirs.get(one.contact_id, ours)
        of_field = dates.get(one.contact_id, {}).get(ask.step.field)
        one.answer = Clock(zones, one.object_at if ask.step.of_object else of_field)


def named(zones: Sequence[str]) -> Zones:
    return tuple(map(ZoneInfo, zones))


def _theirs(asked: Asked, *, now: datetime) -> Mapping[int, Zones]:
    ids = {one.contact_id for one, ask in asked if not ask.step.ours}
    found = clocks.of(ids, rules=shelf.at(now)) if ids else {}
    return {one: named(zones) for one, zones in found.items()}


def _dates(asked: Asked) -> dict[int, dict[str, date]]:
    """Return by contact and field the dates that are known."""
    fields = registry.current()
    keys = {ask.step.field for _, ask in asked} & fields.keys()
    ids = sorted({one.contact_id for one, ask in asked if ask.step.field in keys})
    opened = opening.values_of(tenancy.current(), ids, keys) if ids else {}
    return {
        one: {
            key: found
            for key, found in building.facts_values(values, fields).items()
            if isinstance(found, date)
        }
        for one, values in opened.items()
    }
