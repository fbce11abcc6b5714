"""What was seen of a domain's mail servers, as plain values that can be stored and read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One TLSA record (RFC 6698): usage, selector, matching type, data in hex."""

    usage: int
    selector: int
    matching: int
    data: str

    @property
    def usable(self) -> bool:
        """Only 2 (DANE-TA) and 3 (DANE-EE) count for SMTP (RFC 7672 3.1.3)."""
        known = self.usage in (2, 3) and self.selector in (0, 1)
        return known and self.matching in (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Server:
    """One mail server, as it answered. `problem` is empty where its certificate is in order."""

    host: str
    preference: int = 0
    reached: bool = False
    starttls: bool = False
    tls: str = ""
    problem: str = ""
    names: tuple[str, ...] = ()
    """Whom the certificate is made out to."""
    issuer: str = ""
    expires_at: str = ""
    tlsa: tuple[Tlsa, ...] = ()
    tlsa_secure: bool = False
    tlsa_broken: bool = False
    dane: bool | None = None
    """Whether the certificate matches a usable TLSA record; None where there is none."""


@dataclass(frozen=True, slots=True)
class Sts:
    """An MTA-STS policy (RFC 8461) with when it was fetched."""

    id: str
    mode: str
    mx: tuple[str, ...]
    max_age: int
    fetched_at: str

    def fresh(self, now: datetime) -> bool:
        return now < datetime.fromisoformat(self.fetched_at) + timedelta(seconds=self.max_age)

    def lists(self, host: str) -> bool:
        return any(matches(one, host) for one in self.mx)


def matches(pattern: str, host: str) -> bool:
    """Say whether a policy's pattern names this host; a star stands for exactly one label."""
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if pattern.startswith("*."):
        return host.partition(".")[2] == pattern[2:] and not host.startswith(".")
    return pattern == host


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one look came to."""

    domain: str
    broken: bool = False
    """The domain's MX could not be asked for, or the answer failed validation."""
    exists: bool = True
    null_mx: bool = False
    mx_secure: bool = False
    servers: tuple[Server, ...] = ()
    sts: Sts | None = None
    sts_problem: str = ""
    tls_rpt: bool = False

    def stored(self) -> dict[str, Any]:
        return asdict(self)


def read(stored: Mapping[str, Any]) -> Found:
    servers = tuple(
        Server(
            **{
                **one,
                "names": tuple(one["names"]),
                "tlsa": tuple(Tlsa(**each) for each in one["tlsa"]),
            }
        )
        for one in stored["servers"]
    )
    sts = stored["sts"]
    return Found(
        **{
            **stored,
            "servers": servers,
            "sts": Sts(**{**sts, "mx": tuple(sts["mx"])}) if sts else None,
        }
    )


def sts_policy(text: str, *, version: str, now: datetime) -> Sts | None:
    """Read a policy file; None where it is none (RFC 8461 3.2)."""
    if len(text) > 64 * 1024:
        return None
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            said.setdefault(name.strip(), []).append(value.strip())
    mode = said.get("mode", [""])[0]
    age = said.get("max_age", [""])[0]
    if said.get("version", [""])[0] != "STSv1" or mode not in ("enforce", "testing", "none"):
        return None
    if not (age.isascii() and age.isdigit() and int(age) <= 31_557_600):
        return None
    mx = tuple(said.get("mx", ()))
    if not mx and mode != "none":
        return None
    return Sts(version, mode, mx, int(age), now.isoformat())
