"""Calls to other systems over HTTP, to hosts that the operator allowed and no others.

Gateways and providers of messages, and the endpoints that workflows call. A name is looked up once,
every address that it leads to is judged, and the connection goes to one of those: a name that
changes its mind between check and call (DNS rebinding) leads nowhere. No redirect is followed, and
what answers is read up to a limit, in size and in time (SE-18).
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from messaging.protect import Hop

CONNECT, READ, WHOLE = 5.0, 20.0, 30.0
"""Seconds: to connect, between two parts of an answer, and for all of it."""
LARGEST: Final = 256 * 1024
"""Bytes of an answer."""
_PART: Final = 16 * 1024
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a name; raises OSError where it has none."""


class NotCalled(Exception):
    """Nothing was sent: the host is not allowed, or not there. The code says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class NotFound(NotCalled):
    """The name has no address, at least now."""


class NoAnswer(Exception):
    """It was sent, or part of it, and no answer came: what became of it is unclear."""


class TooSlow(NoAnswer):
    """The answer took longer than anybody waits for it."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where calls may go. `inside` hosts may also have addresses that are not public.

    Names in lower case, or `*.` and a name for everything below it.
    """

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


def hosts() -> Hosts:
    """Return where this installation may call."""
    public = frozenset(one.lower().rstrip(".") for one in settings.CALL_HOSTS)
    inside = frozenset(one.lower().rstrip(".") for one in settings.CALL_PRIVATE_HOSTS)
    return Hosts(public, inside)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; its body may hold anything and goes into no log."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    cut: bool = False
    """There was more than is read."""


def problem(url: str, hosts: Hosts) -> str:
    """Return why this address may not be called, in a sentence for a form; empty if it may."""
    parts = _parts(url)
    if parts is None:
        return "Write a whole address, such as https://gateway.example.org/messages."
    host = _host(parts)
    if parts.username or parts.password or parts.fragment:
        return "An address holds no password and no fragment."
    if not hosts.allow(host):
        return f"{host} is not among the hosts that this installation may call (CALL_HOSTS)."
    if parts.scheme == "http" and not hosts.allow_inside(host):
        return "Use https: nothing leaves this machine in the clear."
    return ""


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an address of the web; None where it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    is_whole = parts.scheme in ("https", "http") and bool(parts.hostname)
    return parts if is_whole and url.isascii() and url.isprintable() and " " not in url else None


def _host(parts: SplitResult) -> str:
    return (parts.hostname or "").rstrip(".").lower()


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
    resolve: Resolve | None = None,
) -> Answer:
    """Make one call; raises NotCalled before anything left, NoAnswer where that is not sure."""
    parts = _parts(url)
    if parts is None or problem(url, hosts):
        raise NotCalled("host_not_allowed")
    host, secure = _host(parts), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    line = _connected(
        _judged(host, port, inside=hosts.allow_inside(host), secure=secure, resolve=resolve),
        port,
        context=_context(ca_file) if secure else None,
        host=host,
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(host, port)
    connection.sock = line
    named = host if port in (80, 443) else f"{host}:{port}"
    try:
        connection.request(
            method, path, body=body or None, headers={"host": named, **(headers or {})}
        )
        return _read(connection.getresponse())
    except TimeoutError as late:
        raise TooSlow(type(late).__name__) from None
    except (OSError, http.client.HTTPException) as broken:
        raise NoAnswer(type(broken).__name__) from None
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse) -> Answer:
    end, held = time.monotonic() + WHOLE, b""
    while len(held) <= LARGEST and (part := answer.read1(_PART)):
        held += part
        if time.monotonic() > end:
            raise TooSlow("answer")
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Answer(answer.status, headers, held[:LARGEST], cut=len(held) > LARGEST)


def _judged(
    host: str, port: int, *, inside: bool, secure: bool, resolve: Resolve | None
) -> Sequence[str]:
    """Return the addresses of the host, all of which may be called."""
    try:
        addresses = list(dict.fromkeys((resolve or of_system)(host, port)))
    except OSError:
        addresses = []
    if not addresses:
        raise NotFound("connect_failed")
    if not secure and not all(_is_loopback(one) for one in addresses):
        raise NotCalled("tls_unverified")
    if not inside and not all(is_public(one) for one in addresses):
        raise NotCalled("address_not_public")
    return addresses


def of_system(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def _context(ca_file: str) -> ssl.SSLContext:
    """Trust the system's authorities, and one's own beside them."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _connected(
    addresses: Sequence[str], port: int, *, context: ssl.SSLContext | None, host: str
) -> socket.socket:
    line = _first(addresses, port)
    line.settimeout(READ)
    if context is None:
        return line
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


def is_public(address: str) -> bool:
    """Say whether it is an address of the public Internet. One that carries another inside it
    (mapped, 6to4, Teredo, NAT64) is as good as that one.
    """
    known = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, IPv6Address) and (inner := _carried(known)) is not None:
        known = inner
    return known.is_global and not known.is_multicast and not known.is_reserved


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return teredo[1] if teredo else address.ipv4_mapped or address.sixtofour


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
