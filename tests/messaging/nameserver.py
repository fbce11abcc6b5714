"""A DNS server on this machine that says exactly what a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from messaging.preflight.dns import Resolver

Zone = dict[tuple[str, str], list[str]]
"""Name and type -> records as a zone file writes them. `SERVFAIL` fails the name."""


@dataclass
class NameServer:
    zone: Zone
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def resolver(self) -> Resolver:
        return Resolver(("127.0.0.1",), self.port, patience=2.0)

    def answer(self, raw: bytes) -> bytes:
        query = dns.message.from_wire(raw)
        (question,) = query.question
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        found = self.zone.get((name, kind), [])
        if found == ["SERVFAIL"]:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif found:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


@contextmanager
def serving(zone: Mapping[tuple[str, str], list[str]]) -> Iterator[NameServer]:
    server = NameServer(dict(zone))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.1)
        server.port = bound.getsockname()[1]
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                try:
                    raw, whom = bound.recvfrom(4096)
                except TimeoutError:
                    continue
                bound.sendto(server.answer(raw), whom)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            thread.join(5)
