"""The question that messaging adds to the segment language: did they open what they were sent?

    {"engagement": {"last": 3, "of": "newsletter", "opened": "none"}}

looks at the last three messages of that topic which the person was sent. `of` is a topic, as it
stands on the message template, or a list of campaigns: the ids of message templates. Who was sent
fewer is asked of those few; who was sent none is not meant at all. A click counts as an opening,
since many readers load no pictures; what machines open or click never counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection

from accounts import tenancy
from contacts.fields import DataClass
from contacts.segments.facts import Facts
from contacts.segments.reading import DefinitionInvalid, Problem
from contacts.segments.references import Dependencies
from messaging.models import Template

KEY: Final = "engagement"
MOST: Final = 50
ACTS: Final = {"opened": ("message.opened", "message.clicked"), "clicked": ("message.clicked",)}
_HOLDS: Final = {"none": "NOT bool_or(did)", "any": "bool_or(did)", "all": "bool_and(did)"}

_ASKED = """
WITH sent AS (
    SELECT e.contact_id, e.message_id, row_number() OVER (
        PARTITION BY e.contact_id ORDER BY e.occurred_at DESC, e.message_id DESC) AS nth
    FROM contacts_event e
    JOIN messaging_message m ON m.id = e.message_id AND m.organisation_id = e.organisation_id
    WHERE e.organisation_id = %(o)s AND e.kind = 'message.sent' AND e.occurred_at <= %(now)s
        AND (%(topic)s = '' OR m.topic = %(topic)s)
        AND (%(campaigns)s::uuid[] IS NULL OR e.campaign = ANY(%(campaigns)s::uuid[]))
        AND (%(among)s::int8[] IS NULL OR e.contact_id = ANY(%(among)s::int8[]))
), seen AS (
    SELECT s.contact_id, EXISTS (
        SELECT FROM contacts_event a
        WHERE a.organisation_id = %(o)s AND a.contact_id = s.contact_id
            AND a.message_id = s.message_id AND a.kind = ANY(%(acts)s) AND NOT a.machine
            AND a.occurred_at <= %(now)s
    ) AS did
    FROM sent s WHERE s.nth <= %(last)s
)
SELECT contact_id FROM seen GROUP BY contact_id HAVING {holds}
"""


@dataclass(frozen=True, slots=True)
class Engaged:
    """Of the last messages of a kind the person opened (or clicked) none, any, or all."""

    last: int
    topic: str
    campaigns: tuple[UUID, ...]
    act: str
    how: str

    moves_with_time = False

    @property
    def data_classes(self) -> frozenset[str]:
        return frozenset({DataClass.ENGAGEMENT.value})

    @property
    def depends(self) -> Dependencies:
        return Dependencies(event_kinds=frozenset({"message.sent", *ACTS[self.act]}))

    def in_words(self) -> str:
        kind = f"“{self.topic}” messages" if self.topic else "messages of chosen campaigns"
        return f"last {self.last} {kind} were: {self.how} {self.act}"

    def gone(self) -> str:
        there = Template.objects.filter(pk__in=self.campaigns).count()
        if there < len(self.campaigns):
            return "refers to a campaign that is gone"
        return ""

    def holds(self, facts: Facts, *, now: datetime) -> bool:
        return self in facts.registered.get(KEY, ())

    def contact_ids(
        self, *, now: datetime, among: Sequence[int] | None = None
    ) -> npt.NDArray[np.int64]:
        with connection.cursor() as cursor:
            cursor.execute(
                _ASKED.format(holds=_HOLDS[self.how]),
                {
                    "o": tenancy.current(),
                    "now": now,
                    "topic": self.topic,
                    "campaigns": list(self.campaigns) or None,
                    "among": None if among is None else list(among),
                    "acts": list(ACTS[self.act]),
                    "last": self.last,
                },
            )
            return np.fromiter((row[0] for row in cursor.fetchall()), np.int64)


def names_of(campaigns: Collection[UUID]) -> Mapping[UUID, str]:
    """What the messages among these are called."""
    return dict(Template.objects.filter(pk__in=campaigns).values_list("id", "name"))


class EngagementLeaf:
    """Reads the question."""

    key = KEY
    label = "Opened or clicked what they were sent"

    def parse(self, value: Any, path: str) -> Engaged:
        problems = list(_problems(value, path))
        if problems:
            raise DefinitionInvalid(problems)
        act = next(act for act in ACTS if act in value)
        of = value["of"]
        if isinstance(of, str):
            return Engaged(value["last"], of.strip(), (), act, value[act])
        return Engaged(value["last"], "", tuple(UUID(one) for one in of), act, value[act])


def _problems(value: Any, path: str) -> Iterator[Problem]:
    example = 'such as {"last": 3, "of": "newsletter", "opened": "none"}'
    if not isinstance(value, dict):
        yield Problem(path, f"must be an object {example}")
        return
    for key in sorted(set(value) - {"last", "of", *ACTS}):
        yield Problem(f"{path}.{str(key)[:40]}", "is not known here")
    last = value.get("last")
    if isinstance(last, bool) or not isinstance(last, int) or not 1 <= last <= MOST:
        yield Problem(f"{path}.last", f"must be a whole number from 1 to {MOST}")
    if not _is_of(value.get("of")):
        yield Problem(f"{path}.of", "must be a topic such as newsletter, or a list of campaign ids")
    given = [act for act in ACTS if act in value]
    if len(given) != 1:
        yield Problem(path, "must have one of: opened, clicked")
    for act in given:
        if not isinstance(value[act], str) or value[act] not in _HOLDS:
            yield Problem(f"{path}.{act}", f"must be one of: {', '.join(_HOLDS)}")


def _is_of(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip()) and len(value) <= 64 and "\0" not in value
    if not isinstance(value, list) or not 1 <= len(value) <= 100:
        return False
    return all(isinstance(one, str) and _is_uuid(one) for one in value)


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
