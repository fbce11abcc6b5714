"""Where a call may go: the operator's list of hosts, and never to an address inside (SE-18).

A name is resolved once, every address that it has is looked at, and the connection is made to that
address and no other: a name that points elsewhere a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

Ip = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(ValueError):
    """A call may not go there. `code` names why, the text says it to whoever set the address."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. Hosts are names, or `*.` and a name for everything below it."""

    hosts: tuple[str, ...] = ()
    """Only these; empty for every public host."""
    private: tuple[str, ...] = ()
    """These may stand on this machine or in the own network, and may be called without TLS."""
    ca_file: str = ""
    """Certificates of an authority of one's own, beside those of the system."""

    def knows(self, host: str) -> bool:
        return not self.hosts or _listed(host, (*self.hosts, *self.private))

    def is_private(self, host: str) -> bool:
        return _listed(host, self.private)


@dataclass(frozen=True, slots=True)
class Target:
    """A checked address: the name for TLS and the Host header, the IP to connect to."""

    scheme: str
    host: str
    port: int
    path: str
    ip: str = ""


def read(url: str, policy: Policy) -> Target:
    """Return the address as far as it can be checked without asking anybody, or refuse it."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        raise AddressRefused("bad_address", "This is no address of the web.") from None
    if parts.scheme not in ("https", "http") or not host or not url.isascii() or " " in url:
        raise AddressRefused("bad_address", "Give an address such as https://ehr.example.org/hook.")
    if parts.username or parts.password or parts.fragment:
        raise AddressRefused("bad_address", "Leave user name, password and # out of the address.")
    if not policy.knows(host):
        raise AddressRefused(
            "host_not_listed", f"{host} is not in CALL_HOSTS: whoever runs Attune lists it there."
        )
    if parts.scheme == "http" and not policy.is_private(host):
        raise AddressRefused("not_encrypted", "Use https: patient data would travel in the clear.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolved(target: Target, policy: Policy, *, resolve: Resolve) -> Target:
    """Return the target with the address to connect to; refuse it if any of its addresses is not
    public, unless the operator listed the host."""
    try:
        found = [ipaddress.ip_address(one) for one in resolve(target.host, target.port)]
    except (OSError, ValueError):
        found = []
    if not found:
        raise AddressRefused("name_not_found", f"{target.host} has no address.")
    if not policy.is_private(target.host) and not all(is_public(one) for one in found):
        raise AddressRefused(
            "address_inside",
            f"{target.host} stands in a network that is not public. If it is meant, whoever runs "
            "Attune lists it in CALL_PRIVATE_HOSTS.",
        )
    return Target(target.scheme, target.host, target.port, target.path, str(found[0]))


def is_public(ip: Ip) -> bool:
    """An address that carries another inside it (mapped, 6to4, Teredo, NAT64) is as good as that
    one."""
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip.teredo:
            inner = ip.teredo[1]
        if ip in _NAT64:
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def of_system(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _listed(host: str, patterns: Sequence[str]) -> bool:
    return any(
        host == one or (one.startswith("*.") and host.endswith(one[1:]))
        for one in (pattern.lower().rstrip(".") for pattern in patterns)
    )
