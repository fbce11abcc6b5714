"""By which gateway, provider or relay a pool's messages go, and where it reports to."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone

from accounts import tenancy
from crypto import tokens
from messaging import outside
from messaging.outside import Hosts
from messaging.pools.facts import PoolFacts
from messaging.pools.models import Pool
from messaging.transports import gateway, provider, twilio
from messaging.transports.gateway import Gateway
from messaging.transports.provider import Provider
from messaging.transports.twilio import Twilio

DOOR: Final = "text.gateway"
TWILIO: Final = "twilio"
PROVIDERS: Final = {TWILIO: "Twilio"}
"""Providers of texts that are spoken to by their own API."""


def number_of(pool: PoolFacts) -> str:
    return pool.number or str(settings.TEXTS_NUMBER)


def secret_of(pool: PoolFacts) -> str:
    """Return what a gateway and we sign with."""
    if pool.carrier == Pool.Carrier.INSTALLATION:
        return str(settings.TEXTS_SECRET)
    return pool.secret


def of(pool: PoolFacts) -> Gateway | Twilio | None:
    """Return the pool's gateway; None where none is set up, or it has no number to send from."""
    if not number_of(pool):
        return None
    if pool.carrier == Pool.Carrier.PROVIDER and pool.provider == TWILIO:
        account = twilio.Account(
            pool.user, pool.secret, reports(pool), pool.url or twilio.API, pool.ca_file
        )
        return Twilio(account, outside.hosts().also(twilio.HOST))
    own = pool.carrier == Pool.Carrier.WEBHOOK
    url = pool.url if own else str(settings.TEXTS_URL)
    if not url or not secret_of(pool):
        return None
    allowed = outside.hosts() if own else outside.hosts().also_inside(url)
    return signed_gateway(url, secret_of(pool), pool, channel="sms", allowed=allowed)


def gateway_of(pool: PoolFacts) -> Gateway | Twilio | None:
    """Return what can be asked about a pool's messages; None where a relay carries them."""
    if pool.of_texts:
        return of(pool)
    if pool.carrier == Pool.Carrier.WEBHOOK:
        return signed_gateway(pool.url, pool.secret, pool, channel="email")
    return None


def mail_provider(pool: PoolFacts) -> Provider:
    """Return the provider that carries a pool's mail."""
    account = provider.Account(
        pool.provider, pool.secret, pool.user, pool.sender_domain, pool.url, pool.ca_file
    )
    return Provider(account, outside.hosts())


def signed_gateway(
    url: str, secret: str, pool: PoolFacts, *, channel: str, allowed: Hosts | None = None
) -> Gateway:
    """Return a gateway of our own contract, for mails or texts."""
    account = gateway.Account(url, secret, channel, reports(pool), pool.ca_file)
    return Gateway(account, allowed or outside.hosts(), timezone.now)


def reports(pool: PoolFacts) -> str:
    """Return where a pool's gateway reports deliveries and answers."""
    origin = str(settings.ATTUNE_PUBLIC_ORIGIN).rstrip("/")
    return f"{origin}{door(pool.kind, now=timezone.now())}"


def door(kind: str, *, now: datetime) -> str:
    token = tokens.issue(
        {"k": kind},
        purpose=DOOR,
        now=now,
        lifetime=None,
        organisation_id=tenancy.current(),
    )
    return f"/m/t/{token}/"


def url_problem(url: str) -> str:
    """Return why a gateway's address may not be used; empty if it may."""
    return outside.problem(url, outside.hosts())
