"""Look at a domain's mail servers: DNS, STARTTLS, certificates, MTA-STS, DANE, TLS-RPT.

Every way out is an argument (`World`). No address and no message takes part: the dialogue ends
after EHLO. An AD bit counts only from a validating resolver on this very host: anybody on the way
to another one could have set it.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from messaging.protection import facts
from messaging.protection.facts import Found, Server, Sts, Tlsa

PATIENCE = 8.0
MOST_SERVERS = 5
_VERIFY = {
    10: "expired",
    18: "self_signed",
    19: "self_signed",
    20: "unknown_authority",
    21: "unknown_authority",
    62: "wrong_name",
}
"""OpenSSL's reasons (X509_V_ERR_*)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS said. `secure`: validated on this host; `broken`: no answer that may be used."""

    records: tuple[Any, ...] = ()
    secure: bool = False
    broken: bool = False


class Resolver(Protocol):
    def ask(self, name: str, kind: str) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Dns:
    """Ask one resolver."""

    server: str
    port: int = 53

    def ask(self, name: str, kind: str) -> Answer:
        query = dns.message.make_query(name, kind, use_edns=True)
        query.flags |= dns.flags.AD
        try:
            reply, _ = dns.query.udp_with_fallback(
                query, self.server, timeout=PATIENCE, port=self.port
            )
        except (dns.exception.DNSException, OSError, ValueError):
            return Answer(broken=True)
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return Answer(broken=True)
        wanted = dns.rdatatype.from_text(kind)
        records = tuple(one for rrset in reply.answer if rrset.rdtype == wanted for one in rrset)
        return Answer(records, self._trusted() and bool(reply.flags & dns.flags.AD))

    def _trusted(self) -> bool:
        return ipaddress.ip_address(self.server).is_loopback


def fetched(address: str) -> str | None:
    """Return a policy file over HTTPS with a valid certificate and no redirect, or None."""
    try:
        with requests.get(address, timeout=PATIENCE, allow_redirects=False, stream=True) as answer:
            if answer.status_code != 200:
                return None
            raw = answer.raw.read(64 * 1024 + 1, decode_content=True)
            return raw.decode("ascii", "replace") if len(raw) <= 64 * 1024 else None
    except (requests.RequestException, OSError):
        return None


@dataclass(frozen=True, slots=True)
class World:
    """The ways out of this machine."""

    resolver: Resolver
    fetch: Callable[[str], str | None] = fetched
    reach: Callable[[str], tuple[str, int]] = lambda host: (host, 25)
    authorities: str = ""
    """A file of authorities instead of the system's own."""
    helo: str = field(default_factory=socket.getfqdn)


def world(server: str, port: int = 53, *, sample: bool = False) -> World | None:
    """Return the ways out that the settings name; the sample looks nowhere unless told to."""
    if not server and sample:
        return None
    return World(Dns(server or _first_resolver(), port))


def _first_resolver() -> str:
    try:
        return str(dns.resolver.Resolver().nameservers[0])
    except (dns.exception.DNSException, IndexError):
        return "127.0.0.1"


def look(domain: str, before: Found | None, world: World, *, now: datetime) -> Found:
    """Return what is to be seen of a domain now; `before` keeps an MTA-STS policy alive."""
    asked = world.resolver.ask(domain, "MX")
    if asked.broken:
        return Found(domain, broken=True, sts=before.sts if before else None)
    hosts = sorted((one.preference, str(one.exchange).rstrip(".")) for one in asked.records)
    if [name for _, name in hosts] == [""]:
        return Found(domain, null_mx=True, mx_secure=asked.secure)
    if not hosts:  # RFC 5321 5.1: the domain itself, if it has an address
        hosts = [(0, domain)] if _has_address(domain, world.resolver) else []
    if not hosts:
        return Found(domain, exists=False)
    servers = tuple(
        replace(_server(name, world, secure=asked.secure), preference=preference)
        for preference, name in hosts[:MOST_SERVERS]
    )
    policy, problem = _sts(domain, world, now=now, before=before.sts if before else None)
    return Found(
        domain,
        mx_secure=asked.secure,
        servers=servers,
        sts=policy,
        sts_problem=problem,
        tls_rpt=bool(_text(world.resolver, f"_smtp._tls.{domain}", "v=TLSRPTv1")),
    )


def _has_address(name: str, resolver: Resolver) -> bool:
    return any(resolver.ask(name, kind).records for kind in ("A", "AAAA"))


def _text(resolver: Resolver, name: str, begins: str) -> str:
    texts = [
        b"".join(one.strings).decode("ascii", "replace")
        for one in resolver.ask(name, "TXT").records
    ]
    found = [one for one in texts if one.replace(" ", "").startswith(begins)]
    return found[0] if len(found) == 1 else ""


def _sts(domain: str, world: World, *, now: datetime, before: Sts | None) -> tuple[Sts | None, str]:
    """Return the policy in force: a new one, or the one that is kept (RFC 8461 3.3, 5.1)."""
    kept = before if before and before.fresh(now) else None
    told = _text(world.resolver, f"_mta-sts.{domain}", "v=STSv1")
    if not told:
        return kept, ""
    said = dict(part.strip().partition("=")[::2] for part in told.split(";") if part.strip())
    version = said.get("id", "")
    if kept and kept.id == version:
        return kept, ""
    text = world.fetch(f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
    policy = facts.sts_policy(text, version=version, now=now) if text is not None else None
    if policy is None:
        return kept, "not_fetched" if text is None else "unreadable"
    return policy, ""


# One server


def _server(host: str, world: World, *, secure: bool) -> Server:
    named = world.resolver.ask(f"_25._tcp.{host}", "TLSA") if secure else Answer()
    seen, chain = _greeted(host, world)
    records = tuple(
        Tlsa(one.usage, one.selector, one.mtype, one.cert.hex()) for one in named.records
    )
    usable = [one for one in records if one.usable] if named.secure else []
    dane = any(_matched(one, chain, host) for one in usable) if usable else None
    return replace(
        seen, tlsa=records, tlsa_secure=named.secure, tlsa_broken=named.broken, dane=dane
    )


def _greeted(host: str, world: World) -> tuple[Server, list[x509.Certificate]]:
    """Return what the server shows, and its chain; a bad certificate is looked at once more."""
    seen, chain = _handshake(host, world, verified=True)
    if seen.problem in {"", "unreachable", "no_starttls", "tls_too_old"}:
        return seen, chain
    again, chain = _handshake(host, world, verified=False)
    if not chain:
        return seen, []
    return replace(again, problem=seen.problem), chain


def _handshake(host: str, world: World, *, verified: bool) -> tuple[Server, list[x509.Certificate]]:
    nothing: list[x509.Certificate] = []
    try:
        raw = socket.create_connection(world.reach(host), timeout=PATIENCE)
    except OSError:
        return Server(host, problem="unreachable"), nothing
    with contextlib.closing(raw):
        try:
            if not _offered(raw, world.helo):
                return Server(host, reached=True, problem="no_starttls"), nothing
            with _context(world, verified=verified).wrap_socket(raw, server_hostname=host) as safe:
                chain = _chain(safe)
                return _described(host, safe, chain[0]), chain
        except ssl.SSLCertVerificationError as error:
            problem = _VERIFY.get(error.verify_code, "unknown_authority")
            return Server(host, reached=True, starttls=True, problem=problem), nothing
        except ssl.SSLError as error:
            old = "VERSION" in (error.reason or "") or "PROTOCOL" in (error.reason or "")
            problem = "tls_too_old" if old else "tls_failed"
            return Server(host, reached=True, starttls=True, problem=problem), nothing
        except OSError:
            return Server(host, reached=True, problem="tls_failed"), nothing


def _offered(raw: socket.socket, helo: str) -> bool:
    """Say whether STARTTLS is offered and begun; nothing else is ever said."""
    with raw.makefile("rb", buffering=0) as lines:
        if _reply(lines)[0] != "220":
            return False
        raw.sendall(f"EHLO {helo}\r\n".encode("ascii", "replace"))
        code, said = _reply(lines)
        if code != "250" or not any(line.upper().strip() == b"STARTTLS" for line in said):
            raw.sendall(b"QUIT\r\n")
            return False
        raw.sendall(b"STARTTLS\r\n")
        return _reply(lines)[0] == "220"


def _reply(lines: Any) -> tuple[str, list[bytes]]:
    said: list[bytes] = []
    for _ in range(100):
        line: bytes = lines.readline(1000)
        if len(line) < 4:
            return "", said
        said.append(line[4:].strip())
        if line[3:4] != b"-":
            return line[:3].decode("ascii", "replace"), said
    return "", said


def _context(world: World, *, verified: bool) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=world.authorities or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verified:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _chain(safe: ssl.SSLSocket) -> list[x509.Certificate]:
    """Return what the server sent, its own certificate first."""
    leaf = safe.getpeercert(binary_form=True)
    inner = getattr(safe, "_sslobj", None)  # public only from Python 3.13 on
    sent = inner.get_unverified_chain() or () if inner is not None else ()
    encoded = [one.public_bytes(2) for one in sent] or ([leaf] if leaf else [])
    return [x509.load_der_x509_certificate(one) for one in encoded]


def _described(host: str, safe: ssl.SSLSocket, leaf: x509.Certificate) -> Server:
    issuer = leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Server(
        host,
        reached=True,
        starttls=True,
        tls=safe.version() or "",
        names=_names(leaf),
        issuer=str(issuer[0].value)[:120] if issuer else "",
        expires_at=leaf.not_valid_after_utc.isoformat(),
    )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        held = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(held.get_values_for_type(x509.DNSName))[:20]


def _matched(record: Tlsa, chain: Sequence[x509.Certificate], host: str) -> bool:
    """Say whether a record names the server's certificate (3) or an authority above it (2)."""
    if not chain:
        return False
    if record.usage == 3:
        return _is(record, chain[0])
    if not any(facts.matches(name, host) for name in _names(chain[0])):
        return False
    for below, above in pairwise(chain):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            return False
        if _is(record, above):
            return True
    return False


def _is(record: Tlsa, certificate: x509.Certificate) -> bool:
    if record.selector == 0:
        data = certificate.public_bytes(Encoding.DER)
    else:
        data = certificate.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
    if record.matching == 1:
        data = hashlib.sha256(data).digest()
    elif record.matching == 2:
        data = hashlib.sha512(data).digest()
    return data.hex() == record.data.lower()
