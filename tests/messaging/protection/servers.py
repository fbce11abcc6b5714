"""A DNS server and mail servers on this machine, good and bad, each on a port of its own."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


@dataclass
class Zone:
    """What the DNS server says: (name, type) -> records; names in `broken` are SERVFAIL."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    secure: bool = False
    broken: set[tuple[str, str]] = field(default_factory=set)

    def answer(self, raw: bytes) -> bytes:
        query = dns.message.from_wire(raw)
        reply = dns.message.make_response(query)
        asked = query.question[0]
        name = asked.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(asked.rdtype)
        if (name, kind) in self.broken:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif found := self.records.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *found))
        if self.secure:
            reply.flags |= dns.flags.AD
        return reply.to_wire()


@contextmanager
def dns_server(zone: Zone) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    raw, whom = udp.recvfrom(4096)
                    udp.sendto(zone.answer(raw), whom)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(udp.getsockname()[1])
        over.set()
        thread.join(2)


@dataclass
class Receiver:
    """A mail server. `heard` is every byte that came, before and after the handshake."""

    tls: ssl.SSLContext | None
    heard: bytearray = field(default_factory=bytearray)
    port: int = 0

    @contextmanager
    def running(self) -> Iterator[Receiver]:
        outer = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    outer.talk(self.request)

        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
            server.daemon_threads = True
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            yield self
            server.shutdown()

    def talk(self, line: socket.socket) -> None:
        line.settimeout(5)
        line.sendall(b"220 mx ESMTP\r\n")
        self.talk_on(line)

    def talk_on(self, line: socket.socket) -> None:
        while said := line.recv(4096):
            self.heard += said
            word = said.split()[0].upper() if said.split() else b""
            if word == b"EHLO":
                offer = b"250-mx\r\n250 STARTTLS\r\n" if self.tls else b"250 mx\r\n"
                line.sendall(offer)
            elif word == b"STARTTLS" and self.tls:
                line.sendall(b"220 go\r\n")
                with self.tls.wrap_socket(line, server_side=True) as safe:
                    self.talk_on(safe)
                return
            else:
                line.sendall(b"221 bye\r\n")
                return


def context(certificate: Path, key: Path, *, old: bool = False) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate, key)
    if old:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.maximum_version = ssl.TLSVersion.TLSv1
    return made
