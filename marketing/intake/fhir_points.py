"""The addresses of a FHIR Patient, with use, period and rank. Pure.

A patient with one e-mail address, one phone and one postal address has them in the record and needs
nothing here: only where a kind has several, or one with a period, are its addresses rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from contacts.canonical import ValueRefused, canonical
from contacts.facts import PointFact
from marketing.intake.fhir_elements import Json, day, obj, objects, word

_KIND_OF = {"email": "email", "phone": "phone", "sms": "phone"}
_USES = frozenset({"home", "work", "mobile", "temp", "billing", "old"})
_MOST = 20
_PARTS = {"city": "city", "state": "state", "postal_code": "postalCode", "country": "country"}


def points(patient: Mapping[str, Any]) -> tuple[PointFact, ...]:
    """Return the addresses of every kind of which there is more to say than one value."""
    found = [*_telecom(patient), *_postal(patient)][:_MOST]
    by_kind: dict[str, list[PointFact]] = {}
    for one in found:
        by_kind.setdefault(one.kind, []).append(one)
    return tuple(one for group in by_kind.values() if _is_more(group) for one in group)


def _is_more(group: list[PointFact]) -> bool:
    return len(group) > 1 or any(one.starts_on or one.ends_on for one in group)


def _telecom(patient: Mapping[str, Any]) -> Iterator[PointFact]:
    for element in objects(patient, "telecom"):
        kind = _KIND_OF.get(word(element, "system"))
        value = _good(kind, element.get("value")) if kind else None
        if kind and value:
            use = "mobile" if element.get("system") == "sms" else _use(element)
            starts, ends = _period(element)
            yield PointFact(
                kind=kind,
                value=value,
                use=use,
                rank=_rank(element),
                starts_on=starts,
                ends_on=ends,
            )


def _postal(patient: Mapping[str, Any]) -> Iterator[PointFact]:
    for element in objects(patient, "address"):
        lines = element.get("line")
        line = ", ".join(part for part in lines if isinstance(part, str)) if lines else ""
        parts = {"line": line} | {ours: word(element, theirs) for ours, theirs in _PARTS.items()}
        value = {part: text for part, text in parts.items() if text}
        if value.keys() & {"line", "postal_code"}:
            starts, ends = _period(element)
            yield PointFact(
                kind="postal", value=value, use=_use(element), starts_on=starts, ends_on=ends
            )


def _good(kind: str, value: object) -> str | None:
    """A hospital's typing slip is no reason to refuse the patient."""
    try:
        good: str | None = canonical(kind, value)
    except ValueRefused:
        return None
    return good


def _use(element: Json) -> str:
    use = word(element, "use")
    return use if use in _USES else "home"


def _rank(element: Json) -> int:
    rank = element.get("rank")
    return rank if type(rank) is int and 0 < rank < 1_000 else 1


def _period(element: Json) -> tuple[date | None, date | None]:
    period = obj(element, "period")
    return _date(period, "start"), _date(period, "end")


def _date(period: Json, name: str) -> date | None:
    found = day(period.get(name), f"period.{name}")
    return date.fromisoformat(found) if found else None
