"""What DNS says. An answer of nothing and no answer at all are two things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import dns.exception
import dns.resolver
import dns.reversename


class Unanswered(Exception):
    """DNS gave no answer for this name: a server failed or was too slow."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"DNS gave no answer for {name}")


class Names(Protocol):
    """Look names up; an empty list where there is nothing. Raises `Unanswered`."""

    def txt(self, name: str) -> list[str]: ...
    def addresses(self, name: str) -> list[str]: ...
    def mx(self, name: str) -> list[str]: ...
    def ptr(self, address: str) -> list[str]: ...


@dataclass(slots=True)
class Resolver:
    """The machine's resolver, or the servers that are given."""

    servers: Sequence[str] = ()
    port: int = 53
    patience: float = 4.0
    """Seconds for one name."""

    def _ask(self, name: str, kind: str) -> list[str]:
        asked = dns.resolver.Resolver(configure=not self.servers)
        asked.lifetime = self.patience
        if self.servers:
            asked.nameservers, asked.port = list(self.servers), self.port
        try:
            return [_text(one) for one in asked.resolve(name, kind, search=False)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError):
            raise Unanswered(name) from None

    def txt(self, name: str) -> list[str]:
        return self._ask(name, "TXT")

    def addresses(self, name: str) -> list[str]:
        return self._ask(name, "A") + self._ask(name, "AAAA")

    def mx(self, name: str) -> list[str]:
        found = (one.split(" ") for one in self._ask(name, "MX"))
        return [host.rstrip(".") for _, host in sorted(found, key=lambda one: int(one[0]))]

    def ptr(self, address: str) -> list[str]:
        name = dns.reversename.from_address(address).to_text()
        return [one.rstrip(".") for one in self._ask(name, "PTR")]


def _text(record: object) -> str:
    """Return a record as text; the pieces of a TXT belong together (RFC 7208 3.3)."""
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    return str(record)


@dataclass(slots=True)
class Once:
    """Asks each question once."""

    names: Names
    _known: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def _ask(self, kind: str, name: str) -> list[str]:
        if (kind, name) not in self._known:
            self._known[kind, name] = getattr(self.names, kind)(name)
        return self._known[kind, name]

    def txt(self, name: str) -> list[str]:
        return self._ask("txt", name)

    def addresses(self, name: str) -> list[str]:
        return self._ask("addresses", name)

    def mx(self, name: str) -> list[str]:
        return self._ask("mx", name)

    def ptr(self, address: str) -> list[str]:
        return self._ask("ptr", address)


def tags(record: str) -> Mapping[str, str]:
    """Return the tags of a DKIM or DMARC record; what is no tag is left out."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip().lower() not in found:
            found[name.strip().lower()] = value.strip()
    return found
