"""The rules of one version as values. Pure: `consent.rules.shelf` reads the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

from consent.purposes import PurposeRule

EVERY_DAY = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Nothing goes from `begins` to `ends` by the recipient's clock; it may cross midnight.

    Empty channels or purposes mean all of them; `state` binds that State's residents only.
    """

    id: str
    begins: time
    ends: time
    channels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    days: frozenset[int] = EVERY_DAY
    state: str = ""
    source: str = ""
    since: date | None = None

    def __hash__(self) -> int:
        return hash((self.id, self.begins))  # asked for every message: cheap, and telling enough


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many messages of these purposes by these channels to one person in some days."""

    id: str
    most: int
    days: int
    channels: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    when_full: Literal["hold", "refuse"] = "refuse"
    source: str = ""

    def counts(self, purpose: str, channel: str) -> bool:
        return (not self.channels or channel in self.channels) and (
            not self.purposes or purpose in self.purposes
        )


@dataclass(frozen=True, slots=True)
class StateRule:
    """What one State asks beyond federal law."""

    state: str
    effect: str
    labels: frozenset[str] = frozenset()
    age: int | None = None
    source: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the policy decides by, of one version."""

    version: str
    since: date
    purposes: Mapping[str, PurposeRule]
    quiet: tuple[QuietHours, ...] = ()
    caps: tuple[Cap, ...] = ()
    states: tuple[StateRule, ...] = ()
    zones: Mapping[str, tuple[str, ...]] | None = None

    def zones_of(self, state: str) -> tuple[str, ...]:
        """Return the zones that a resident may live by: all of them where the State is unknown."""
        known = self.zones or {}
        return known.get(state) or known.get("unknown") or ("UTC",)

    def of_states(self, effect: str, states: frozenset[str], now: datetime) -> list[StateRule]:
        return [
            one
            for one in self.states
            if one.effect == effect and one.state in states and in_force(one.since, now)
        ]


def in_force(since: date | None, now: datetime) -> bool:
    return since is None or now.date() >= since


def read(text: Mapping[str, Any]) -> Rules:
    """Return the rules of one file."""
    return Rules(
        version=text["version"],
        since=text["in_force_from"],
        purposes={one["key"]: _purpose(one) for one in text["purpose"]},
        quiet=tuple(_quiet(one) for one in text.get("quiet", ())),
        caps=tuple(_cap(one) for one in text.get("cap", ())),
        states=tuple(_state(one) for one in text.get("state", ())),
        zones={state: tuple(zones) for state, zones in text["zones"].items()},
    )


def _purpose(given: Mapping[str, Any]) -> PurposeRule:
    classes = given["classes"]
    return PurposeRule(
        key=given["key"],
        label=given["label"],
        about=given["about"],
        needs_authorization=given["authorization"],
        stopped_by=frozenset(given["stopped_by"]),
        law=given["law"],
        priority=given["priority"],
        classes=None if classes == "any" else frozenset(classes),
        also_stopped=frozenset(given.get("also_stopped", ())),
        when_paid=given["when_paid"],
        paid_up_to_cost=given.get("paid_up_to") == "cost",
        most_days_lapsed=given.get("most_days_lapsed"),
        states_remuneration=given.get("states_remuneration", False),
        quiet=given["quiet"],
        commercial=given.get("commercial", False),
    )


def _quiet(given: Mapping[str, Any]) -> QuietHours:
    return QuietHours(
        id=given["id"],
        begins=given["from"],
        ends=given["to"],
        channels=frozenset(given.get("channels", ())),
        purposes=frozenset(given.get("purposes", ())),
        days=frozenset(given.get("days", EVERY_DAY)),
        state=given.get("state", ""),
        source=given["source"],
        since=given.get("effective_from"),
    )


def _cap(given: Mapping[str, Any]) -> Cap:
    return Cap(
        id=given["id"],
        most=given["most"],
        days=given["days"],
        channels=frozenset(given.get("channels", ())),
        purposes=frozenset(given.get("purposes", ())),
        when_full=given["when_full"],
        source=given["source"],
    )


def _state(given: Mapping[str, Any]) -> StateRule:
    return StateRule(
        state=given["state"],
        effect=given["effect"],
        labels=frozenset(given.get("labels", ())),
        age=given.get("age"),
        source=given["source"],
        since=given.get("effective_from"),
    )
