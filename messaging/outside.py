"""Calls to gateways and providers over HTTP, to hosts that the operator allowed and no others.

A name is looked up once, every address that it leads to is judged, and the connection goes to one
of those: a name that changes its mind between check and call (DNS rebinding) leads nowhere. No
redirect is followed, and what answers is read up to a limit (SE-18).
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from messaging.protect import Hop

CONNECT, READ = 5.0, 20.0
"""Seconds."""
LARGEST: Final = 256 * 1024
"""Bytes of an answer."""


class NotCalled(Exception):
    """Nothing was sent: the host is not allowed, or not there. The code says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class NoAnswer(Exception):
    """It was sent, or part of it, and no answer came: what became of it is unclear."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where calls may go. `inside` hosts may also have addresses that are not public."""

    public: frozenset[str] = frozenset()
    inside: frozenset[str] = frozenset()

    def allow(self, host: str) -> bool:
        return any(_matches(one, host) for one in self.public | self.inside)

    def allow_inside(self, host: str) -> bool:
        return any(_matches(one, host) for one in self.inside)

    def also(self, *hosts: str) -> Hosts:
        return Hosts(self.public | frozenset(hosts), self.inside)

    def also_inside(self, url: str) -> Hosts:
        """Return these and the host of an address that the operator wrote into the settings."""
        host = (urlsplit(url).hostname or "").lower()
        return Hosts(self.public, self.inside | ({host} - {""}))


def _matches(listed: str, host: str) -> bool:
    """Say whether a listed host is this one; `*.example.org` is every host below it."""
    return host == listed or (listed.startswith("*.") and host.endswith(listed[1:]))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; its body may hold anything and goes into no log."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def problem(url: str, hosts: Hosts) -> str:
    """Return why this address may not be called, in a sentence for a form; empty if it may."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("https", "http") or not host:
        return "Write a whole address, such as https://gateway.example.org/messages."
    if parts.username or parts.password or parts.fragment:
        return "An address holds no password and no fragment."
    if not hosts.allow(host):
        return f"{host} is not among the hosts that this installation may call (CALL_HOSTS)."
    if parts.scheme == "http" and not hosts.allow_inside(host):
        return "Use https: nothing leaves this machine in the clear."
    return ""


def hop(url: str) -> Hop:
    """Return what is known of the way to an address: HTTPS is always verified."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return Hop.VERIFIED
    return Hop.SAME_HOST if _is_loopback(parts.hostname or "") else Hop.CLEAR


def call(
    method: str,
    url: str,
    *,
    hosts: Hosts,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    ca_file: str = "",
) -> Answer:
    """Make one call; raises NotCalled before anything left, NoAnswer where that is not sure."""
    if problem(url, hosts):
        raise NotCalled("host_not_allowed")
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = parts.port or (443 if parts.scheme == "https" else 80)
    line = _connected(host, port, inside=hosts.allow_inside(host), secure=parts.scheme == "https",
                      ca_file=ca_file)  # fmt: skip
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(host, port)
    connection.sock = line
    try:
        connection.request(method, path, body=body or None, headers=dict(headers or {}))
        answer = connection.getresponse()
        read = answer.read(LARGEST)
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, read)
    except (OSError, http.client.HTTPException) as broken:
        raise NoAnswer(type(broken).__name__) from None
    finally:
        connection.close()


def _connected(host: str, port: int, *, inside: bool, secure: bool, ca_file: str) -> socket.socket:
    """Return a line to one of the host's addresses, all of which were judged."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotCalled("connect_failed") from None
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not secure and not all(_is_loopback(one) for one in addresses):
        raise NotCalled("tls_unverified")
    if not inside and not all(_is_public(one) for one in addresses):
        raise NotCalled("address_not_public")
    line = _first(addresses, port)
    line.settimeout(READ)
    if not secure:
        return line
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        return context.wrap_socket(line, server_hostname=host)
    except OSError as failed:
        line.close()
        verified = isinstance(failed, ssl.SSLError)
        raise NotCalled("tls_unverified" if verified else "connect_failed") from None


def _first(addresses: Collection[str], port: int) -> socket.socket:
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=CONNECT)
        except OSError:
            continue
    raise NotCalled("connect_failed")


def _is_public(address: str) -> bool:
    """Say whether it is an address of the public Internet, also where IPv6 wraps an IPv4 one."""
    known = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, ipaddress.IPv6Address):
        wrapped = known.ipv4_mapped or known.sixtofour
        if wrapped is not None:
            known = wrapped
    return known.is_global and not known.is_multicast


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
