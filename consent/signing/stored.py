"""Elements as JSON and back. Pure. A draft may be unsound in content, never in shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date
from typing import Any, get_args

from consent.signing.wording import STANDARD, Elements, Ends, Expiry, Words

_WORDS = tuple(one.name for one in fields(Words))


def dump(elements: Elements) -> dict[str, Any]:
    """Return the elements as JSON that `load` reads."""
    expiry = elements.expiry
    return {
        "purposes": sorted(elements.purposes),
        "covers": sorted(elements.covers),
        "channels": sorted(elements.channels),
        "expiry": {
            "kind": expiry.kind,
            "years": expiry.years,
            "day": expiry.day.isoformat() if expiry.day else None,
            "event": expiry.event,
        },
        "words": {language: asdict(words) for language, words in elements.words.items()},
        "conditioned": elements.conditioned,
        "preticked": elements.preticked,
    }


def load(raw: Mapping[str, Any]) -> Elements:
    """Return the elements; what is not there is empty. Raise ValueError for another shape."""
    try:
        return Elements(
            purposes=_texts(raw.get("purposes", [])),
            covers=_texts(raw.get("covers", [])),
            channels=_texts(raw.get("channels", [])),
            expiry=_expiry(raw.get("expiry", {})),
            words={str(key): _words(one) for key, one in dict(raw.get("words", {})).items()},
            conditioned=raw.get("conditioned") is True,
            preticked=raw.get("preticked") is True,
        )
    except (TypeError, AttributeError) as broken:
        raise ValueError("a form has purposes, covers, expiry and words") from broken


def empty() -> Elements:
    """Return what a new form begins with."""
    return Elements(
        purposes=frozenset({"marketing"}),
        covers=frozenset(),
        expiry=Expiry("years", years=2),
        words={"en": STANDARD["en"]},
        channels=frozenset({"email"}),
    )


def _texts(raw: Any) -> frozenset[str]:
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise TypeError
    return frozenset(raw)


def _expiry(raw: Mapping[str, Any]) -> Expiry:
    kind, years, day = raw.get("kind", "years"), raw.get("years", 0), raw.get("day")
    if kind not in get_args(Ends) or type(years) is not int:
        raise TypeError
    return Expiry(kind, years, date.fromisoformat(day) if day else None, str(raw.get("event", "")))


def _words(raw: Mapping[str, Any]) -> Words:
    given = {key: raw.get(key, "") for key in _WORDS}
    if not all(isinstance(one, str) for one in given.values()):
        raise TypeError
    return Words(**given)
