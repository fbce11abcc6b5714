"""Who a mail comes from: the organisation's name and address, its key, its public origin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

from django.conf import settings

from accounts import tenancy
from accounts.models import Organisation
from messaging import dkim, outside, signed
from messaging.pools import facts, lanes
from messaging.pools.facts import PoolFacts
from messaging.pools.models import Pool
from messaging.protect import Onward
from messaging.transports import carriers, provider
from messaging.transports.base import Transport
from messaging.transports.lanes import Lanes
from messaging.transports.smtp import Broken, Relay, Security, Session

CONNECTIONS = 4
"""To the relay, where no pool says otherwise."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What every mail of one organisation has in common."""

    organisation_id: int
    name: str
    address: str
    origin: str
    postal_address: str
    timezone: str
    signer: dkim.Signer | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    def writing_from(self, address: str) -> Sender:
        """Return the same sender with another address; without one, itself."""
        return replace(self, address=address) if address else self

    def merged(self) -> dict[str, str]:
        """Return what templates may say of the organisation."""
        return {
            "name": self.name,
            "postal_address": self.postal_address,
            "web_origin": self.origin,
            "timezone": self.timezone,
        }


def current(*, pool: PoolFacts | None = None) -> Sender:
    """Return who sends for the organisation that the work is for, from the pool's address."""
    who = of(Organisation.objects.get(id=tenancy.current()))
    return who.writing_from(pool.mail_from) if pool else who


def of(organisation: Organisation) -> Sender:
    domain = settings.DKIM_DOMAIN or "localhost.localdomain"
    return Sender(
        organisation_id=organisation.pk,
        name=organisation.name,
        address=organisation.mail_from or f"care@{domain}",
        origin=(organisation.web_origin or settings.ATTUNE_PUBLIC_ORIGIN).rstrip("/"),
        postal_address=organisation.postal_address,
        timezone=organisation.timezone,
        signer=_signer(settings.DKIM_DOMAIN, settings.DKIM_SELECTOR, settings.DKIM_KEY_FILE),
    )


@lru_cache(maxsize=8)
def _signer(domain: str, selector: str, key_file: str) -> dkim.Signer | None:
    if not (domain and key_file):
        return None
    return dkim.from_file(domain, selector=selector, path=Path(key_file))


def relay() -> Relay:
    """Return the relay that the settings name; STARTTLS unless they say otherwise."""
    return Relay(
        host=settings.SMTP_HOST,
        port=settings.SMTP_PORT,
        security=cast(Security, settings.SMTP_SECURITY),
        ca_file=settings.SMTP_CA_FILE,
        user=settings.SMTP_USER,
        password=settings.SMTP_PASSWORD,
    )


def transport(pool: PoolFacts | None = None) -> Lanes:
    """Return a transport to the pool's relay, or to the one that the settings name."""
    limits = {one: limit.connections for one, limit in pool.destinations.items()} if pool else {}
    return Lanes(
        relay_of(pool) if pool and pool.host else relay(),
        connections=pool.connections if pool else CONNECTIONS,
        limits={one: most for one, most in limits.items() if most is not None},
    )


def carrier(pool: PoolFacts) -> Transport | None:
    """Return what carries a pool's messages; None where a pool of texts has no gateway."""
    if pool.of_texts:
        line = carriers.of(pool)
        return line.transport(connections=pool.connections) if line else None
    if pool.carrier == Pool.Carrier.WEBHOOK:
        line = carriers.signed_gateway(pool.url, pool.secret, pool, channel=lanes.EMAIL)
        return line.transport(connections=pool.connections)
    if pool.carrier == Pool.Carrier.PROVIDER:
        return carriers.mail_provider(pool).transport(connections=pool.connections)
    return transport(pool)


def has_carrier(pool: PoolFacts) -> bool:
    carried = carrier(pool)
    if carried is not None:
        carried.close()
    return carried is not None


def reports(pool: PoolFacts) -> str:
    """Return the address that a pool's gateway reports to."""
    return carriers.reports(pool)


def gateway_problem(url: str) -> str:
    """Return why a gateway's address may not be used; empty if it may."""
    return carriers.url_problem(url)


def api_problem(kind: str, url: str) -> str:
    """Return why this is not the provider's API; empty if it may be."""
    return provider.api_problem(kind, url, outside.hosts())


def secret_problem(secret: str) -> str:
    """Return why nothing can be signed with this; empty if it can."""
    try:
        signed.key_of(secret)
    except ValueError as why:
        return str(why)
    return ""


MAIL_PROVIDERS = {name: kind.label for name, kind in provider.KINDS.items()}
"""Providers that a pool of mail may go by."""


def number(pool: PoolFacts) -> str:
    """Return the number that a pool's texts come from."""
    return carriers.number_of(pool)


def relay_of(pool: PoolFacts) -> Relay:
    return Relay(
        host=pool.host,
        port=pool.port,
        security=cast(Security, pool.security),
        server_name=pool.server_name,
        ca_file=pool.ca_file,
        user=pool.user,
        password=pool.secret,
    )


def onward(pool: PoolFacts | None = None) -> Onward:
    """Return what the operator says of the way behind the relay; without a word, not enough."""
    return Onward(pool.onward if pool and pool.onward else settings.SMTP_ONWARD_TLS)


def domains() -> set[str]:
    """Return the domains in whose name this organisation's Message-IDs are made."""
    own = {one.mail_from.rpartition("@")[2] for one in facts.read().values() if one.mail_from}
    return {one.lower() for one in own | {current().domain}}


def probe(pool: PoolFacts | None = None) -> str:
    """Greet the relay and hang up; return why the line is not safe, or nothing."""
    try:
        Session(relay_of(pool) if pool and pool.host else relay()).close()
    except Broken as broken:
        return broken.code
    return ""
