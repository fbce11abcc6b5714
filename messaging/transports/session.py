"""One connection to a relay: greeted, secured, signed in; commands out, replies in.

TCP_NODELAY is set: without it each mail over TLS waits 45 ms for a delayed acknowledgement.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from messaging.lines import line as lines
from messaging.lines.line import Line
from messaging.protect import Hop

Security = Literal["starttls", "tls", "same_host"]
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_REPLY = 64 * 1024


class Broken(Exception):
    """The connection cannot be used; `code` says why and no server text travels in it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Relay:
    """Where the relay is and how it is known to be the right one."""

    host: str
    port: int
    security: Security = "starttls"
    ca_file: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    helo: str = "localhost"
    connect_timeout: float = 20.0
    patience: float = 180.0
    """Seconds to wait for an answer; giving up after a final dot makes a mail's fate unclear."""
    server_name: str = ""
    """The name on the relay's certificate, where it differs from `host`."""

    def __post_init__(self) -> None:
        if self.security == "same_host" and self.host not in _LOOPBACK:
            raise ValueError("same_host is for a relay on this machine; use starttls or tls")


@dataclass(frozen=True, slots=True)
class Reply:
    code: int
    enhanced: str = ""
    lines: tuple[bytes, ...] = ()

    @property
    def short(self) -> str:
        return f"{self.code} {self.enhanced}".strip()


def hop_of(relay: Relay) -> Hop:
    return Hop.SAME_HOST if relay.security == "same_host" else Hop.VERIFIED


@lru_cache(maxsize=64)
def _context(ca_file: str, stamp: int) -> ssl.SSLContext:
    """Read the authorities once for each state of their file: 8 ms each time otherwise."""
    made = ssl.create_default_context(cafile=ca_file or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = True
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def context(relay: Relay) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, TLS 1.2 or later."""
    try:
        stamp = Path(relay.ca_file).stat().st_mtime_ns if relay.ca_file else 0
    except OSError:
        raise Broken("tls_unverified") from None
    return _context(relay.ca_file, stamp)


class Session:
    """One connection, greeted, secured and ready for MAIL."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.buffer = b""
        self.extensions: dict[str, str] = {}
        self.last_used = time.monotonic()
        self.line: Line | None = None
        """What secures the connection; None on the same host."""
        self.socket = self._connect()
        try:
            self._greet()
        except BaseException:
            self.socket.close()
            raise
        self.socket.settimeout(relay.patience)

    def _connect(self) -> socket.socket:
        try:
            raw = socket.create_connection(
                (self.relay.host, self.relay.port), timeout=self.relay.connect_timeout
            )
        except OSError:
            raise Broken("connect_failed") from None
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._secured(raw) if self.relay.security == "tls" else raw

    def _secured(self, raw: socket.socket) -> ssl.SSLSocket:
        name = self.relay.server_name or self.relay.host
        try:
            safe = context(self.relay).wrap_socket(raw, server_hostname=name)
            self.line = lines.of(name, safe)
        except (ssl.SSLError, OSError, ValueError):
            raw.close()
            raise Broken("tls_unverified") from None
        return safe

    def _greet(self) -> None:
        self._expect(220, "greeting_refused")
        self._hello()
        if self.relay.security == "starttls":
            self._starttls()
        if self.relay.user:
            self._sign_in()

    def _hello(self) -> None:
        self._write(f"EHLO {self.relay.helo}\r\n".encode("ascii"))
        reply = self._expect(250, "greeting_refused")
        self.extensions = {}
        for line in reply.lines[1:]:
            word, _, rest = line.decode("ascii", "replace").partition(" ")
            self.extensions[word.upper()] = rest.upper()

    def _starttls(self) -> None:
        if "STARTTLS" not in self.extensions:
            raise Broken("tls_unverified")
        self._write(b"STARTTLS\r\n")
        self._expect(220, "tls_unverified")
        if self.buffer:  # what came before the handshake came from who knows whom
            raise Broken("tls_unverified")
        self.socket = self._secured(self.socket)
        self._hello()

    def _sign_in(self) -> None:
        if self.relay.security == "same_host" or "AUTH" not in self.extensions:
            raise Broken("sign_in_failed")
        secret = f"\0{self.relay.user}\0{self.relay.password}".encode()
        self._write(b"AUTH PLAIN " + base64.b64encode(secret) + b"\r\n")
        self._expect(235, "sign_in_failed")

    def _expect(self, code: int, otherwise: str) -> Reply:
        reply = self.read()
        if reply.code != code:
            raise Broken(otherwise)
        return reply

    def _write(self, data: bytes) -> None:
        if self.write(data) < len(data):
            raise Broken("connection_lost")

    def write(self, data: bytes) -> int:
        """Return how many bytes the kernel took before the connection broke: all, if it did not."""
        view, taken = memoryview(data), 0
        try:
            while taken < len(data):
                taken += self.socket.send(view[taken : taken + 65536])
        except OSError:
            return taken
        return taken

    def read(self) -> Reply:
        lines: list[bytes] = []
        while True:
            line = self._line()
            if len(line) < 3 or not line[:3].isdigit():
                raise Broken("reply_unreadable")
            lines.append(line[4:])
            if line[3:4] != b"-":
                found = _ENHANCED.match(lines[0])
                code = found[1].decode("ascii") if found else ""
                return Reply(int(line[:3]), code, tuple(lines))

    def _line(self) -> bytes:
        while b"\n" not in self.buffer:
            if len(self.buffer) > _LONGEST_REPLY:
                raise Broken("reply_unreadable")
            try:
                more = self.socket.recv(16384)
            except OSError:
                raise Broken("connection_lost") from None
            if not more:
                raise Broken("connection_lost")
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def usable(self) -> bool:
        """Say whether an idle connection still answers."""
        if time.monotonic() - self.last_used < 1:
            return True
        try:
            self._write(b"RSET\r\n")
            return self.read().code == 250
        except Broken:
            return False

    def close(self) -> None:
        with contextlib.suppress(OSError, Broken):
            self._write(b"QUIT\r\n")
        with contextlib.suppress(OSError):
            self.socket.close()
