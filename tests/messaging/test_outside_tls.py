"""SE-18: the body of a call outside goes to the server whose certificate names it, and no other."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy import certificates
from messaging import outside
from messaging.outside import Hosts, NotCalled

PHI = b'{"text": "your results are in"}'
ALLOWED = Hosts(inside=frozenset({"gateway.test"}))
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass
class Server:
    """Listens on loopback and keeps all that it could read, in the clear or inside of TLS."""

    context: ssl.SSLContext | None
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    read: bytes = b""

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def serve(self) -> None:
        with suppress(OSError):
            line, _ = self.listening.accept()
            line.settimeout(5)
            with self._secured(line) as spoken:
                while PHI not in self.read and (part := spoken.recv(4096)):
                    self.read += part
                spoken.sendall(ANSWER)

    def _secured(self, line: socket.socket) -> socket.socket:
        if self.context is None:
            return line
        try:
            return self.context.wrap_socket(line, server_side=True)
        except OSError:
            line.close()
            raise


@pytest.fixture
def authority(tmp_path: Path) -> certificates.Identity:
    return certificates.identity(tmp_path / "good", now=datetime.now(UTC), names=("gateway.test",))


def presenting(who: certificates.Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(who.certificate, who.key)
    return context


def of_another_name(folder: Path, ours: certificates.Identity) -> ssl.SSLContext:
    """Return a server that our own authority vouches for, under another name."""
    other = certificates.identity(folder, now=datetime.now(UTC), names=("other.test",))
    ours.ca.write_bytes(ours.ca.read_bytes() + other.ca.read_bytes())
    return presenting(other)


def of_another_authority(folder: Path) -> ssl.SSLContext:
    """Return a server with the right name, which nobody whom we trust vouches for."""
    made = certificates.identity(folder, now=datetime.now(UTC), names=("gateway.test",))
    return presenting(made)


def of_old_tls(ours: certificates.Identity) -> ssl.SSLContext:
    context = presenting(ours)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1
    return context


def contexts(kind: str, folder: Path, ours: certificates.Identity) -> ssl.SSLContext | None:
    match kind:
        case "valid":
            return presenting(ours)
        case "another name":
            return of_another_name(folder, ours)
        case "self-signed":
            return of_another_authority(folder)
        case "TLS 1.0":
            return of_old_tls(ours)
    return None


@pytest.fixture
def server(
    request: pytest.FixtureRequest, tmp_path: Path, authority: certificates.Identity
) -> Iterator[Server]:
    made = Server(contexts(request.param, tmp_path / "other", authority))
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    thread.join(10)
    made.listening.close()


def post(server: Server, who: certificates.Identity) -> outside.Answer:
    return outside.call(
        "POST",
        f"https://gateway.test:{server.port}/messages",
        hosts=ALLOWED,
        body=PHI,
        ca_file=str(who.ca),
        resolve=lambda host, port: ["127.0.0.1"],
    )


@pytest.mark.parametrize("server", ["valid"], indirect=True)
def test_the_server_that_proves_its_name_gets_the_body(
    server: Server, authority: certificates.Identity
) -> None:
    assert post(server, authority).status == 200
    assert PHI in server.read


@pytest.mark.parametrize(
    "server", ["self-signed", "another name", "TLS 1.0", "plain"], indirect=True
)
def test_no_other_server_reads_a_byte_of_it(
    server: Server, authority: certificates.Identity
) -> None:
    """SE-18, EM-01: the caller knows that nothing was sent, so it may try again."""
    with pytest.raises(NotCalled) as refused:
        post(server, authority)
    assert refused.value.code == "tls_unverified"
    assert b"results" not in server.read and b"POST" not in server.read
