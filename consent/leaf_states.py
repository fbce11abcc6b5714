"""Questions about signatures and refusals themselves, whatever the gate would make of them.

    {"consent": {"state": "expiring", "purpose": "marketing", "within_days": 30}}
    {"consent": {"opted_out": true, "purpose": "marketing", "channel": "email"}}

Signatures of contacts that were merged into one count for the one who stands for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import connection

from accounts import tenancy
from contacts.segments.facts import Facts
from contacts.segments.references import EVERY_EVENT, Dependencies

KEY: Final = "consent"
STATES: Final = {
    "live": "bool_or(live)",
    "expiring": "bool_or(live) AND bool_and(NOT live OR ends <= %(soon)s)",
    "expired": "NOT bool_or(live) AND bool_or(over AND NOT revoked)",
    "revoked": "NOT bool_or(live) AND bool_or(revoked)",
    "never": "bool_and(id IS NULL)",
}
"""What must be true of all the authorizations of a person for the purpose, taken together."""

_SIGNED = """
WITH signed AS (
    SELECT coalesce(c.merged_into, c.id) AS person, a.id,
           a.revoked_at <= %(now)s IS TRUE AS revoked, ending.ends, ending.ends <= %(now)s AS over,
           a.id IS NOT NULL AND a.revoked_at <= %(now)s IS NOT TRUE
               AND ending.ends > %(now)s AS live
    FROM contacts_contact c
    LEFT JOIN consent_authorization a
        ON a.contact_id = c.id AND a.purposes @> ARRAY[%(purpose)s]::varchar[]
        AND a.signed_at <= %(now)s
    LEFT JOIN LATERAL (SELECT least(
        coalesce((a.expires_on + 1)::timestamp AT TIME ZONE a.zone, 'infinity'),
        coalesce((SELECT min(e.occurred_at) FROM contacts_event e
                  WHERE a.expires_event <> '' AND e.contact_id = a.contact_id
                      AND e.kind = a.expires_event AND e.occurred_at >= a.signed_at), 'infinity')
    ) AS ends) AS ending ON a.id IS NOT NULL
    WHERE c.organisation_id = %(o)s AND (c.erased_at IS NULL OR c.merged_into IS NOT NULL)
        AND (%(among)s::int8[] IS NULL
             OR c.id = ANY(%(among)s::int8[]) OR c.merged_into = ANY(%(among)s::int8[]))
)
SELECT person FROM signed GROUP BY person HAVING {holds}
"""

_REFUSED = """
SELECT DISTINCT coalesce(c.merged_into, c.id)
FROM consent_optout r
JOIN contacts_contact c ON c.organisation_id = r.organisation_id AND (
    c.id = r.contact_id OR c.email_index = r.address_hash OR c.phone_index = r.address_hash)
WHERE r.organisation_id = %(o)s AND r.lifted_at IS NULL AND r.received_at <= %(now)s
    AND (r.until IS NULL OR r.until > %(now)s)
    AND r.purpose IN ('', %(purpose)s) AND r.channel IN ('', %(channel)s)
    AND r.topic IN ('', %(topic)s)
    AND (%(among)s::int8[] IS NULL
         OR c.id = ANY(%(among)s::int8[]) OR c.merged_into = ANY(%(among)s::int8[]))
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """How the person's authorizations for a purpose stand.

    `live`: one counts now. `expiring`: one counts, and none will after so many days. `expired` and
    `revoked`: none counts, and one ended by its date or event, or was withdrawn. `never`: none was
    ever signed.
    """

    state: str
    purpose: str
    days: int = 0

    @property
    def data_classes(self) -> frozenset[str]:
        return frozenset()

    @property
    def depends(self) -> Dependencies:
        """An authorization may end with any kind of event."""
        return Dependencies(consent=True, event_kinds=frozenset({EVERY_EVENT}), clocks=True)

    def in_words(self) -> str:
        about = f"authorization for {self.purpose.replace('_', ' ')}"
        if self.state == "never":
            return f"{about} was never signed"
        if self.state == "expiring":
            return f"{about} ends within {self.days} days"
        return f"{about} is {self.state}"

    def holds(self, facts: Facts, *, now: datetime) -> bool:
        return self in facts.registered.get(KEY, ())

    def contact_ids(
        self, *, now: datetime, among: Sequence[int] | None = None
    ) -> npt.NDArray[np.int64]:
        given = {"purpose": self.purpose, "soon": now + timedelta(days=self.days)}
        return _ids(_SIGNED.format(holds=STATES[self.state]), given, now, among)


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The person said no to this purpose, channel or topic, or to something wider.

    What is not named must be open in the refusal too: without any part, a no to everything.
    """

    purpose: str
    channel: str
    topic: str

    moves_with_time = False

    @property
    def data_classes(self) -> frozenset[str]:
        return frozenset()

    @property
    def depends(self) -> Dependencies:
        return Dependencies(consent=True, fields=frozenset({"email", "phone"}))

    def in_words(self) -> str:
        named = [
            part.replace("_", " ") for part in (self.purpose, self.channel, self.topic) if part
        ]
        return f"refusal of {' by '.join(named) or 'everything'} stands"

    def holds(self, facts: Facts, *, now: datetime) -> bool:
        return self in facts.registered.get(KEY, ())

    def contact_ids(
        self, *, now: datetime, among: Sequence[int] | None = None
    ) -> npt.NDArray[np.int64]:
        given = {"purpose": self.purpose, "channel": self.channel, "topic": self.topic}
        return _ids(_REFUSED, given, now, among)


def _ids(
    statement: str, given: dict[str, Any], now: datetime, among: Sequence[int] | None
) -> npt.NDArray[np.int64]:
    asked = None if among is None else list(among)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**given, "o": tenancy.current(), "now": now, "among": asked})
        return np.fromiter((row[0] for row in cursor.fetchall()), np.int64)
