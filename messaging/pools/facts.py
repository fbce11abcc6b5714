"""What a pool is, as sending needs it: the organisation's row, or the installation's settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from messaging.pools.lanes import OF_TEXTS, POOLS
from messaging.pools.models import DestinationLimit, Pool

RELAYS = frozenset({Pool.Carrier.INSTALLATION.value, Pool.Carrier.RELAY.value})
"""Carriers whose record of mails is the relay's log."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one provider gets; None is without a limit."""

    per_minute: int | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """One pool. Its carrier is the installation's, unless it has one of its own."""

    kind: str
    carrier: str = Pool.Carrier.INSTALLATION
    provider: str = ""
    url: str = ""
    sender_domain: str = ""
    number: str = ""
    host: str = ""
    port: int = 587
    security: str = "starttls"
    server_name: str = ""
    ca_file: str = ""
    user: str = ""
    secret: str = field(default="", repr=False)
    onward: str = ""
    own: bool = True
    agreement_from: date | None = None
    agreement_until: date | None = None
    mail_from: str = ""
    connections: int = 4
    per_minute: int | None = None
    warm_up_from: date | None = None
    warm_up_first: int = 50
    opens: time | None = None
    closes: time | None = None
    at_best_hour: bool = False
    destinations: Mapping[str, Limit] = field(default_factory=dict)
    changed_at: datetime | None = None

    def carried_then(self, moment: datetime | None, *, by: Collection[str]) -> bool:
        """Say whether one of these carriers, and the one that is set now, carried it then."""
        if self.carrier not in by or (self.of_texts and by == RELAYS):
            return False
        return self.changed_at is None or (moment is not None and self.changed_at <= moment)

    def may_carry(self, today: date) -> bool:
        """Say whether an agreement lets whoever runs the relay see messages (PR-32).

        Where the installation's relay carries, the gate has asked already.
        """
        if self.carrier == Pool.Carrier.INSTALLATION or self.own:
            return True
        begun = self.agreement_from is not None and self.agreement_from <= today
        return begun and (self.agreement_until is None or today <= self.agreement_until)

    @property
    def of_texts(self) -> bool:
        return self.kind in OF_TEXTS

    @property
    def limited(self) -> bool:
        """Say whether anything must be counted before a message may leave."""
        rates = any(one.per_minute is not None for one in self.destinations.values())
        return self.per_minute is not None or self.warm_up_from is not None or rates


def read() -> dict[str, PoolFacts]:
    """Return every pool of the current organisation, in two statements."""
    limits: dict[str, dict[str, Limit]] = {kind: {} for kind in POOLS}
    for one in DestinationLimit.objects.all():
        limits[one.pool][one.provider] = Limit(one.per_minute, one.connections)
    rows = {one.kind: one for one in Pool.objects.all()}
    return {kind: _facts(kind, rows.get(kind), limits[kind]) for kind in POOLS}


def of(kind: str) -> PoolFacts:
    return read()[kind]


def _facts(kind: str, row: Pool | None, limits: Mapping[str, Limit]) -> PoolFacts:
    if row is None:
        return PoolFacts(kind, destinations=limits)
    own = row.carrier != Pool.Carrier.INSTALLATION
    relay = row.carrier == Pool.Carrier.RELAY
    return PoolFacts(
        kind=kind,
        carrier=row.carrier,
        provider=row.provider,
        url=row.url,
        sender_domain=row.sender_domain,
        number=row.number,
        host=row.host if relay else "",
        port=row.port,
        security=row.security,
        server_name=row.server_name,
        ca_file=row.ca_file,
        user=row.user if own else "",
        secret=(row.secret or "") if own else "",
        onward=row.onward if own else "",
        own=row.own or not own,
        agreement_from=row.agreement_from,
        agreement_until=row.agreement_until,
        mail_from=row.mail_from,
        connections=row.connections,
        per_minute=row.per_minute,
        warm_up_from=row.warm_up_from,
        warm_up_first=row.warm_up_first,
        opens=row.opens,
        closes=row.closes,
        at_best_hour=row.at_best_hour,
        destinations=limits,
        changed_at=row.changed_at,
    )
