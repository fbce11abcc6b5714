"""SPF (RFC 7208): may this address send for this domain? Macros are not expanded: such a mechanism
says nothing here and is told of."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from messaging.preflight.dns import Names

MOST_LOOKUPS = 10
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class Broken(Exception):
    """The record cannot be evaluated; the message says why, in words for the domain's owner."""


@dataclass(slots=True)
class Check:
    """One evaluation: an address against a domain and what it includes."""

    address: str
    names: Names
    lookups: int = 0
    macros: list[str] = field(default_factory=list)

    def result(self, domain: str) -> str:
        """Return pass, fail, softfail, neutral or none; raises `Broken`."""
        record = self._record(domain)
        if record is None:
            return "none"
        redirect = ""
        for term in record.split()[1:]:
            if "=" in term.partition(":")[0]:
                name, _, value = term.partition("=")
                redirect = value if name.lower() == "redirect" else redirect
                continue
            sign = term[0] if term[0] in _RESULTS else "+"
            if self._matches(term.lstrip("+-~?"), domain):
                return _RESULTS[sign]
        if redirect:
            self._count()
            return self.result(redirect)
        return "neutral"

    def _record(self, domain: str) -> str | None:
        found = [one for one in self.names.txt(domain) if one.lower().split(" ")[0] == "v=spf1"]
        if len(found) > 1:
            raise Broken(f"{domain} has {len(found)} SPF records; there must be one.")
        return found[0] if found else None

    def _matches(self, term: str, domain: str) -> bool:
        name, _, value = term.partition(":")
        bare, slash, length = name.partition("/")
        kind = bare.lower()
        if kind == "all":
            return True
        if "%" in value:
            self.macros.append(term)
            return False
        if kind in ("ip4", "ip6"):
            return self._within(value)
        target, _, more = (value or domain).partition("/")
        prefix = length if slash else more
        if kind == "include":
            self._count()
            inner = self.result(target)
            if inner == "none":
                raise Broken(f"It includes {target}, which has no SPF record.")
            return inner == "pass"
        if kind in ("a", "mx", "exists"):
            return self._named(kind, target, prefix.partition("/")[0])
        return False

    def _named(self, kind: str, target: str, prefix: str) -> bool:
        self._count()
        if kind == "exists":
            return bool(self.names.addresses(target))
        hosts = self.names.mx(target) if kind == "mx" else [target]
        found = [one for host in hosts for one in self.names.addresses(host)]
        return any(self._within(f"{one}/{prefix}" if prefix else one) for one in found)

    def _within(self, network: str) -> bool:
        try:
            return ip_address(self.address) in ip_network(network, strict=False)
        except ValueError:
            return False

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            raise Broken(f"It needs more than {MOST_LOOKUPS} look-ups; receivers give up there.")
