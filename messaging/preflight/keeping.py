"""Look at every domain that the organisation sends from, keep what was found, and hold big sends.

Mailbox providers ask it of whoever sends 5,000 mails a day or more (EM-14).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction

from audit import actions, trail
from messaging import sender
from messaging.models import DomainCheck
from messaging.pools import facts
from messaging.pools.facts import PoolFacts
from messaging.pools.lanes import OF_TEXTS
from messaging.preflight import looking
from messaging.preflight.dns import Names, Resolver, Unanswered
from messaging.preflight.looking import Finding, Sending

LASTS = timedelta(days=2)
"""A look that is older says nothing of today."""
DUE = timedelta(days=1)

actions.register("sending.domain_checked", ("domain", "passes", "bad"))


def domains() -> dict[str, PoolFacts | None]:
    """Return the domains in From, each with a pool that sends from it."""
    found: dict[str, PoolFacts | None] = {sender.current().domain.lower(): None}
    for pool in facts.read().values():
        if pool.mail_from:
            found[pool.mail_from.rpartition("@")[2].lower()] = pool
    return found


def check(
    domain: str,
    *,
    names: Names | None = None,
    addresses: Sequence[str] = (),
    tls: Callable[[], str] | None = None,
    now: datetime,
) -> list[Finding]:
    """Look at one domain now and keep what was found."""
    asked = names or Resolver()
    pool = domains().get(domain)
    who = sender.current(pool=pool)
    sending = Sending(
        domain,
        addresses or _addresses(pool, asked),
        who.signer.domain if who.signer else "",
        who.signer.selector if who.signer else "",
        _public(who),
    )
    found = looking.look(sending, names=asked, tls=tls or (lambda: sender.probe(pool)))
    _keep(domain, found, now=now)
    return found


@transaction.atomic
def _keep(domain: str, found: Sequence[Finding], *, now: datetime) -> None:
    passed = looking.passes(found)
    DomainCheck.objects.create(
        domain=domain, passes=passed, findings=[one.stored() for one in found], checked_at=now
    )
    trail.record(
        "sending.domain_checked",
        detail={
            "domain": domain,
            "passes": passed,
            "bad": sum(one.state == "bad" for one in found),
        },
    )


def _addresses(pool: PoolFacts | None, names: Names) -> list[str]:
    """Return what the operator says the relay sends from, else where the relay is reached."""
    if settings.SENDING_ADDRESSES:
        return settings.SENDING_ADDRESSES.split()
    host = pool.host if pool and pool.host else settings.SMTP_HOST
    if host in ("localhost", "127.0.0.1", "::1"):
        return []
    try:
        return names.addresses(host)
    except Unanswered:
        return []


def _public(who: sender.Sender) -> bytes:
    if who.signer is None:
        return b""
    return who.signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def latest() -> dict[str, DomainCheck]:
    rows = DomainCheck.objects.order_by("domain", "-checked_at").distinct("domain")
    return {one.domain: one for one in rows}


def forbids(messages: int, *, pool: str, now: datetime) -> str:
    """Return why so many messages a day may not go by this pool; nothing where they may.

    The sample sends to its own mailbox only, and texts come from a number, not from a domain.
    """
    if pool in OF_TEXTS:
        return ""
    if messages <= settings.BULK_MAIL or settings.SAMPLE:
        return ""
    domain = sender.current(pool=facts.of(pool)).domain.lower()
    last = latest().get(domain)
    if last is None or last.checked_at < now - LASTS:
        return f"Nobody looked at {domain} within two days: see Delivery, Sending domain."
    if not last.passes:
        return f"{domain} is not fit for {messages:,} messages a day: see Delivery, Sending domain."
    return ""


def run_once(*, now: datetime, names: Names | None = None) -> int:
    """Look at the domains whose last look is a day old, where anybody sends at all."""
    known = latest()
    due = [one for one in domains() if one not in known or known[one].checked_at < now - DUE]
    for domain in due:
        check(domain, names=names, now=now)
    return len(due)
