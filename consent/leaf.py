"""The question that consent adds to the segment language: may this person be written to?

    {"consent": {"purpose": "marketing", "classes": ["clinical"], "channel": "email"}}

holds for whom the gate would permit such a message now. It makes an audience honest before a
launch; it decides nothing: the gate is asked for each message all the same. Signatures and refusals
themselves are asked for as `consent.leaf_states` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from consent import gate
from consent.addresses import FIELD_OF_CHANNEL
from consent.leaf_states import STATES, OptedOut, Signed
from consent.policy import Permit, Purpose, in_words
from contacts.fields import DataClass
from contacts.models import Contact
from contacts.segments import reading
from contacts.segments.facts import Facts
from contacts.segments.reading import DefinitionInvalid, Problem, Reader
from contacts.segments.references import Dependencies

KEY = "consent"
KNOWN = frozenset({"purpose", "classes", "channel"})


@dataclass(frozen=True, slots=True)
class MayWrite:
    """Whether the gate would let a message of this kind through."""

    purpose: str
    classes: frozenset[str]
    channel: str

    @property
    def data_classes(self) -> frozenset[str]:
        """That somebody agreed says nothing of the person's health."""
        return frozenset()

    @property
    def depends(self) -> Dependencies:
        """Consent, the address, who died; and time, because authorizations end."""
        fields = frozenset({FIELD_OF_CHANNEL[self.channel][0], "deceased", "birth_date", "state"})
        return Dependencies(consent=True, fields=fields, clocks=True)

    def in_words(self) -> str:
        about = f", about {', '.join(sorted(self.classes))} information" if self.classes else ""
        return f"may be written to by {self.channel} for {self.purpose.replace('_', ' ')}{about}"

    def holds(self, facts: Facts, *, now: datetime) -> bool:
        return self in facts.registered.get(KEY, ())

    def evidence(self, contact_id: int, *, now: datetime) -> str:
        """Why the gate would let such a message to this person through, or not."""
        request = gate.GateRequest(contact_id, self.purpose, self.channel, self.classes)
        (answer,) = gate.ask([request], now=now)
        return in_words(answer) if isinstance(answer, Permit) else answer.sentence

    def contact_ids(
        self, *, now: datetime, among: Sequence[int] | None = None
    ) -> npt.NDArray[np.int64]:
        people = list(among) if among is not None else _everybody()
        asked = [gate.GateRequest(one, self.purpose, self.channel, self.classes) for one in people]
        answers = gate.ask(asked, now=now)
        allowed = (
            one for one, answer in zip(people, answers, strict=True) if isinstance(answer, Permit)
        )
        return np.fromiter(allowed, np.int64)


class ConsentLeaf:
    """Reads the question."""

    key = KEY
    label = "May be written to"

    def parse(self, value: Any, path: str) -> MayWrite | Signed | OptedOut:
        if isinstance(value, dict) and "state" in value:
            return _signed(value, path)
        if isinstance(value, dict) and "opted_out" in value:
            return _opted_out(value, path)
        problems = list(_problems(value, path))
        if problems:
            raise DefinitionInvalid(problems)
        classes = frozenset(value.get("classes", ()))
        return MayWrite(value["purpose"], classes, value.get("channel", "email"))


def _signed(value: dict[str, Any], path: str) -> Signed:
    problems: list[Problem] = []
    at = Reader(value, path, problems)
    state = at.take("state", list(STATES).index, f"one of: {', '.join(STATES)}")
    purpose = at.take("purpose", _purpose, f"one of: {', '.join(Purpose)}")
    days = 0
    if value.get("state") == "expiring":
        days = at.take("within_days", reading.positive, "a number of days") or 0
    at.close()
    if state is None or purpose is None or problems:
        raise DefinitionInvalid(problems)
    return Signed(list(STATES)[state], purpose, days)


def _opted_out(value: dict[str, Any], path: str) -> OptedOut:
    problems: list[Problem] = []
    at = Reader(value, path, problems)
    at.take("opted_out", (True,).index, "true; put it under not for the others")
    purpose = at.maybe("purpose", _purpose, f"one of: {', '.join(Purpose)}")
    channel = at.maybe("channel", _channel, f"one of: {', '.join(FIELD_OF_CHANNEL)}")
    topic = at.maybe("topic", reading.text, "a topic")
    at.close()
    if problems:
        raise DefinitionInvalid(problems)
    return OptedOut(purpose or "", channel or "", topic or "")


def _purpose(value: Any) -> str:
    return str(Purpose(value))


def _channel(value: Any) -> str:
    if value not in FIELD_OF_CHANNEL:
        raise ValueError
    return str(value)


def _problems(value: Any, path: str) -> list[Problem]:
    if not isinstance(value, dict):
        return [Problem(path, 'must be an object such as {"purpose": "marketing"}')]
    found = [Problem(f"{path}.{key}", "is not known here") for key in sorted(set(value) - KNOWN)]
    if str(value.get("purpose")) not in set(Purpose):
        found.append(Problem(f"{path}.purpose", f"must be one of: {', '.join(Purpose)}"))
    classes = value.get("classes", [])
    known = {one.value for one in DataClass}
    if not isinstance(classes, list) or not all(str(one) in known for one in classes):
        found.append(Problem(f"{path}.classes", f"must be a list of: {', '.join(sorted(known))}"))
    if str(value.get("channel", "email")) not in FIELD_OF_CHANNEL:
        found.append(Problem(f"{path}.channel", f"must be one of: {', '.join(FIELD_OF_CHANNEL)}"))
    return found


def _everybody() -> list[int]:
    return list(Contact.objects.filter(erased_at=None).values_list("id", flat=True))
