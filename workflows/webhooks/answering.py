"""What an answer means for a step, and when to ask again where there is none. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from workflows.steps import Reply, Webhook
from workflows.webhooks.client import Answered, Said

AGAIN = frozenset({408, 425, 429})
"""Statuses below 500 that ask for another attempt (RFC 9110, RFC 8470, RFC 6585)."""
FIRST, LONGEST = timedelta(seconds=15), timedelta(hours=1)
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Good:
    """The answer decides: which reply fits, and what it sets."""

    reply: int
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bad:
    """Another attempt would bring the same."""

    code: str


@dataclass(frozen=True, slots=True)
class Later:
    """No answer yet; `after` is how long the receiver asked to be left alone, if it did."""

    code: str
    after: timedelta | None = None


Meaning = Good | Bad | Later


def meaning(step: Webhook, said: Said) -> Meaning:
    """Return what the answer means. A status that a reply of the step names is always an answer."""
    if not isinstance(said, Answered):
        return Bad(said.code) if said.lasting else Later(said.code)
    fitting = _fitting(step, said)
    if fitting or 200 <= said.status < 300:
        return Good(fitting, _values(step, said))
    if said.status >= 500 or said.status in AGAIN:
        return Later(f"status_{said.status}", asked_for(said.retry_after))
    if 300 <= said.status < 400:
        return Bad("redirected")
    return Bad(f"status_{said.status}")


def next_attempt(attempts: int, after: timedelta | None, key: UUID, *, now: datetime) -> datetime:
    """Return when to call again: each pause twice the last, up to an hour, and spread by the key,
    so that calls which failed together do not come back together."""
    doublings: int = min(max(attempts - 1, 0), 12)
    pause = min(FIRST * (1 << doublings), LONGEST)
    spread = pause * (key.int % 1000) / 4000
    return now + max(pause + spread, min(after or timedelta(0), LONGEST))


def _fitting(step: Webhook, said: Answered) -> int:
    document = _document(said)
    for number, reply in enumerate(step.replies, start=1):
        if _fits(reply, said.status, document):
            return number
    return 0


def _fits(reply: Reply, status: int, document: object) -> bool:
    """A value fits a good answer unless the reply names another status."""
    if reply.status != status if reply.status else not 200 <= status < 300:
        return False
    if reply.at is None:
        return True
    found = at(document, reply.at)
    return type(found) is type(reply.value) and found == reply.value


def _values(step: Webhook, said: Answered) -> dict[str, Any]:
    """A place that the answer lacks leaves its field as it is."""
    document = _document(said)
    found = {key: at(document, place) for key, place in step.writes.items()}
    return {key: value for key, value in found.items() if value is not _NOTHING}


def _document(said: Answered) -> object:
    try:
        return json.loads(said.body) if said.body else None
    except (ValueError, RecursionError):
        return None


def at(document: object, place: str) -> object:
    """Return the value at a place of a document (RFC 6901), or a mark of its own for none."""
    for part in place.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and name in document:
            document = document[name]
        elif isinstance(document, list) and name.isdecimal() and int(name) < len(document):
            document = document[int(name)]
        else:
            return _NOTHING
    return document


def asked_for(retry_after: str) -> timedelta | None:
    """Return how long a receiver asks to be left alone, if it says so in seconds (RFC 9110)."""
    return timedelta(seconds=int(retry_after)) if retry_after.isdecimal() else None
