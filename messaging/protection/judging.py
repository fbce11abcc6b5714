"""May "verified TLS" be believed of a domain? Pure; docs/decisions says why each rule is so.

DANE outweighs MTA-STS, which outweighs an ordinary certificate (RFC 8461 2, RFC 7672). One server
that can be verified is enough, because the relay's policy names only those that can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from messaging.protection.facts import Found, Server


class Standing(StrEnum):
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    DEFER = "defer"
    """Its own rules say that nothing may be delivered now: everything waits."""
    NO_MAIL = "no_mail"


LASTS: Mapping[Standing, timedelta] = {
    Standing.VERIFIED: timedelta(hours=24),
    Standing.UNVERIFIED: timedelta(hours=6),
    Standing.DEFER: timedelta(minutes=15),
    Standing.NO_MAIL: timedelta(hours=24),
}
MEANS: Mapping[str, str] = {
    "dane": "Its certificate is the one that its signed DNS names (DANE).",
    "mta_sts": "It demands verified TLS (MTA-STS), and a listed server has a valid certificate.",
    "certificate": "A server has a valid certificate for its name and TLS 1.2 or later.",
    "null_mx": "It says that it takes no mail (RFC 7505).",
    "no_such_domain": "There is no such domain, or no server for its mail.",
    "dns_failed": "Its DNS could not be asked, or the answer failed validation.",
    "dane_failed": "No certificate matches what its signed DNS names: somebody may be in between.",
    "tlsa_failed": "Its DANE records could not be asked, or failed validation.",
    "sts_mx_not_listed": "It demands verified TLS (MTA-STS), but lists none of its mail servers.",
    "sts_certificate": "It demands verified TLS (MTA-STS), but no listed server can be verified.",
    "unreachable": "None of its mail servers answered.",
    "no_starttls": "Its servers offer no encryption, or somebody takes the offer out.",
    "tls_too_old": "Its servers speak nothing newer than TLS 1.1.",
    "self_signed": "The certificate is signed by nobody that is known.",
    "unknown_authority": "The certificate is signed by an authority that is not known.",
    "wrong_name": "The certificate is made out to another name.",
    "expired": "The certificate has expired.",
    "tls_failed": "The encrypted connection could not be made.",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    standing: Standing
    because: str
    hosts: tuple[str, ...] = ()
    """The servers that may be delivered to."""

    @property
    def in_words(self) -> str:
        return MEANS.get(self.because, "")


def judge(found: Found, *, now: datetime) -> Judgement:
    if found.broken:
        return Judgement(Standing.DEFER, "dns_failed")
    if found.null_mx:
        return Judgement(Standing.NO_MAIL, "null_mx")
    if not found.exists or not found.servers:
        return Judgement(Standing.NO_MAIL, "no_such_domain")
    if found.mx_secure and (by_dane := _by_dane(found)) is not None:
        return by_dane
    if found.sts is not None and found.sts.mode == "enforce" and found.sts.fresh(now):
        return _by_sts(found)
    good = _good(found.servers)
    if good:
        return Judgement(Standing.VERIFIED, "certificate", good)
    return Judgement(Standing.UNVERIFIED, _problem(found.servers))


def _by_dane(found: Found) -> Judgement | None:
    """Judge where signed DNS names certificates; None where it names none that count."""
    if all(one.tlsa_broken for one in found.servers):
        return Judgement(Standing.DEFER, "tlsa_failed")
    named = [one for one in found.servers if one.dane is not None]
    if not named:
        return None
    good = tuple(one.host for one in named if one.dane)
    if good:
        return Judgement(Standing.VERIFIED, "dane", good)
    return Judgement(Standing.DEFER, "dane_failed")


def _by_sts(found: Found) -> Judgement:
    assert found.sts is not None
    listed = [one for one in found.servers if found.sts.lists(one.host)]
    if not listed:
        return Judgement(Standing.DEFER, "sts_mx_not_listed")
    good = _good(tuple(listed))
    if good:
        return Judgement(Standing.VERIFIED, "mta_sts", good)
    return Judgement(Standing.DEFER, "sts_certificate")


def _good(servers: tuple[Server, ...]) -> tuple[str, ...]:
    return tuple(
        one.host
        for one in servers
        if one.starttls and not one.problem and one.dane is not False and not one.tlsa_broken
    )


def _problem(servers: tuple[Server, ...]) -> str:
    """Return what is in the way at the server that got furthest."""
    told = [one for one in servers if one.reached] or list(servers)
    return told[0].problem or "unreachable"


def lasts_until(judgement: Judgement, found: Found, *, now: datetime) -> datetime:
    """Return how long the judgement may be believed: never past a certificate's end."""
    until = now + LASTS[judgement.standing]
    ends = [
        datetime.fromisoformat(one.expires_at)
        for one in found.servers
        if one.host in judgement.hosts and one.expires_at
    ]
    later = [end for end in ends if end > now]
    return min([until, *later])
