"""The domains that we write to: note which, look at those that are due, and say what stands.

Nobody waits for a look: a message asks what is known, and a domain that is not known yet becomes a
due row. The loop `receivers` takes due rows under a lease and looks at them outside of any
transaction; two workers never look at the same one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts import tenancy
from audit import trail
from crypto import blind_index
from messaging.protect import Hold, Onward
from messaging.protection import facts, judging, looking
from messaging.protection.facts import Found
from messaging.protection.judging import Judgement, Standing
from messaging.protection.looking import World
from messaging.protection.models import Receiver

LEASE = timedelta(minutes=5)
AT_ONCE = 24
TOGETHER = 8
STILL_WANTED = timedelta(days=7)
"""A domain that nobody has written to for so long is not looked up again."""
TOUCHED = timedelta(hours=1)
PATIENCE = timedelta(minutes=10)
"""How long a message waits for the first look; after that the way is taken for unprotected."""

_DUE = """
UPDATE messaging_receiver SET lease_until = %s WHERE id IN (
    SELECT id FROM messaging_receiver
    WHERE organisation_id = %s AND due_at <= %s AND wanted_at > %s
      AND (lease_until IS NULL OR lease_until < %s)
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING id
"""


def domain_of(address: str) -> str:
    """Return the domain of an address as DNS knows it."""
    domain = address.rpartition("@")[2].strip().lower().rstrip(".")
    try:
        return domain.encode("idna").decode("ascii") if not domain.isascii() else domain
    except UnicodeError:
        return domain


def digests(domains: Collection[str]) -> dict[bytes, str]:
    wanted = sorted(domains)
    made = blind_index.tokens(tenancy.current(), "mail domain", wanted)
    return dict(zip(made, wanted, strict=True))


@dataclass(frozen=True, slots=True)
class Known:
    """What stands of one domain now."""

    standing: Standing | None
    """None: not known, or not any more."""
    because: str = ""
    asked_at: datetime | None = None
    """Since when the first look is waited for."""


def known(domains: Collection[str], *, now: datetime) -> dict[str, Known]:
    """Return what stands of each domain; those not known yet become due, all become wanted."""
    names = digests({one for one in domains if one})
    rows = Receiver.objects.filter(digest__in=list(names)).only(
        "digest", "standing", "because", "expires_at", "wanted_at", "due_at", "looked_at"
    )
    found: dict[str, Known] = {}
    stale = []
    for row in rows:
        name = names[bytes(row.digest)]
        found[name] = _stands(row, now=now)
        if row.wanted_at < now - TOUCHED:
            stale.append(row.pk)
    if stale:
        Receiver.objects.filter(pk__in=stale).update(wanted_at=now)
    if missing := {digest: name for digest, name in names.items() if name not in found}:
        _note(missing, now=now)
        found |= {name: Known(None, asked_at=now) for name in missing.values()}
    return found


def _stands(row: Receiver, *, now: datetime) -> Known:
    waits = row.looked_at is None or row.expires_at is None
    if waits or (row.expires_at is not None and row.expires_at <= now):
        return Known(None, asked_at=row.due_at)
    return Known(Standing(row.standing), row.because)


def _note(missing: Mapping[bytes, str], *, now: datetime) -> None:
    Receiver.objects.bulk_create(
        [
            Receiver(
                organisation_id=tenancy.current(),
                digest=digest,
                domain=name,
                due_at=now,
                wanted_at=now,
            )
            for digest, name in missing.items()
        ],
        ignore_conflicts=True,
    )


def onward(said: Onward, stands: Known | None, *, now: datetime) -> Onward | Hold:
    """Return what may be believed of the last hop, or what must be waited for.

    `said` is what the operator says of the relay. Our own look can only ever lower it: seeing that
    a server can be verified makes nobody verify it.
    """
    if stands is None:
        return Onward.OPPORTUNISTIC if said is Onward.PER_DOMAIN else said
    if stands.standing is Standing.DEFER:
        return Hold("receiver_defers")
    if said is Onward.OPPORTUNISTIC or stands.standing in (Standing.UNVERIFIED, Standing.NO_MAIL):
        return Onward.OPPORTUNISTIC
    if stands.standing is None and said is Onward.PER_DOMAIN:
        waited = stands.asked_at is not None and now - stands.asked_at > PATIENCE
        return Onward.OPPORTUNISTIC if waited else Hold("receiver_unknown")
    return Onward.ENFORCED


# The loop


def run_once(*, world: World, now: datetime) -> int:
    """Look at what is due; return how many."""
    rows = _claimed(now=now)
    if not rows:
        return 0
    asked = [(row.domain, facts.read(row.found) if row.found else None) for row in rows]
    with ThreadPoolExecutor(TOGETHER) as pool:
        looks = [pool.submit(looking.look, *one, world, now=now) for one in asked]
        seen = [one.result() for one in looks]
    for row, found in zip(rows, seen, strict=True):
        keep(row, found, now=now)
    return len(rows)


@transaction.atomic
def _claimed(*, now: datetime) -> list[Receiver]:
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE, [now + LEASE, tenancy.current(), now, now - STILL_WANTED, now, AT_ONCE]
        )
        numbers = [row[0] for row in cursor.fetchall()]
    return list(Receiver.objects.filter(pk__in=numbers))


@transaction.atomic
def keep(row: Receiver, found: Found, *, now: datetime) -> Judgement:
    """Write down what a look came to."""
    judged = judging.judge(found, now=now)
    until = judging.lasts_until(judged, found, now=now)
    row.found, row.standing, row.because = found.stored(), judged.standing.value, judged.because
    row.looked_at, row.expires_at, row.lease_until = now, until, None
    # Looked at again while the old word still stands, so that nobody waits for the new one.
    row.due_at = now + (until - now) * 3 / 4
    row.save()
    trail.record(
        "receiver.looked_up",
        subject=f"receiver:{row.pk}",
        detail={"standing": judged.standing.value, "reason": judged.because},
    )
    return judged


def look_again(row: Receiver, *, now: datetime) -> None:
    """Make a receiver due at once."""
    Receiver.objects.filter(pk=row.pk).update(due_at=now, wanted_at=now, lease_until=None)
