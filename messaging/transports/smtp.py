"""Hand mail to a relay by SMTP: one connection kept open, commands pipelined, TLS verified.

While the server thinks about one mail's final dot, the next mail's envelope is already on the wire
(RFC 2920 3.1), so a mail costs one round trip. TCP_NODELAY is set: without it each mail over TLS
waits 45 ms for a delayed acknowledgement.

The one thing this module must never get wrong is what it says about a mail when the connection
breaks. A mail is NOT_TRIED until the last byte of its final dot was handed to the kernel, and from
then on UNCLEAR until the server's answer was read.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays

Security = Literal["starttls", "tls", "same_host"]
_ENHANCED = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_UNSENDABLE = re.compile(r"[\x00-\x20<>\x7f]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST_REPLY = 64 * 1024


class Broken(Exception):
    """The connection cannot be used; `code` says why and no server text travels in it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Unaddressable(Exception):
    """This address cannot be written to, whatever the server's mood."""

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
        try:
            return context(self.relay).wrap_socket(
                raw, server_hostname=self.relay.server_name or self.relay.host
            )
        except (ssl.SSLError, OSError, ValueError):
            raw.close()
            raise Broken("tls_unverified") from None

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


class Smtp:
    """The transport. One thread uses it at a time; several workers have one each."""

    overlaps = False

    def __init__(self, relay: Relay, *, connect: Callable[[Relay], Session] = Session) -> None:
        self.relay = relay
        self._connect = connect
        self._session: Session | None = None

    @property
    def hop(self) -> Hop:
        return hop_of(self.relay)

    def send(self, batch: Sequence[Outgoing], *, stays: Stays = none_stays) -> list[Outcome]:
        """Hand over what can be; a broken connection leaves the rest NOT_TRIED."""
        waiting = iter(batch)
        outcomes, code = self.carry(waiting, stays=stays)
        rest = (Outcome(mail.number, Fate.NOT_TRIED, code=code) for mail in waiting)
        return [*outcomes, *rest]

    def carry(
        self, waiting: Iterator[Outgoing], *, stays: Stays = none_stays
    ) -> tuple[list[Outcome], str]:
        """Hand over until nothing waits or the connection breaks; return why it did.

        What was taken from `waiting` has an outcome; what was not is still there.
        """
        try:
            session = self._ready()
        except Broken as broken:
            return [], broken.code
        run, code = _Run(session, stays), ""
        try:
            run.all(waiting)
        except Broken as broken:
            run.abandon(broken.code)
            self.drop()
            code = broken.code
        session.last_used = time.monotonic()
        return run.outcomes, code

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def drop(self) -> None:
        """Forget a connection that broke, without a word to the server."""
        if self._session is not None:
            with contextlib.suppress(OSError):
                self._session.socket.close()
            self._session = None

    def _ready(self) -> Session:
        if self._session is not None and not self._session.usable():
            self.drop()
        if self._session is None:
            self._session = self._connect(self.relay)
        return self._session


class _Run:
    """One batch over one session, at most one mail between its dot and its answer."""

    def __init__(self, session: Session, stays: Stays) -> None:
        self.session = session
        self.stays = stays
        self.outcomes: list[Outcome] = []
        self.taken: Outgoing | None = None
        """Taken from those that wait, and not handed over yet."""
        self.awaited: Outgoing | None = None

    def all(self, waiting: Iterable[Outgoing]) -> None:
        for mail in waiting:
            self.taken = mail
            if code := self.stays(mail.number):
                self._note(mail, Fate.NOT_TRIED, code=code)
                continue
            try:
                envelope = self._envelope(mail)
            except Unaddressable as error:
                self._note(mail, Fate.REJECTED, code=error.code)
                continue
            if self._opened(mail, envelope):
                self._hand_over(mail)
        self._settle()

    def abandon(self, code: str) -> None:
        """Say of every mail without an outcome what is true of it."""
        if self.awaited is not None:
            self._note(self.awaited, Fate.UNCLEAR, code=code)
        taken, self.awaited = self.taken, None
        if taken is not None and all(taken.number != one.number for one in self.outcomes[-2:]):
            self._note(taken, Fate.NOT_TRIED, code=code)

    def _opened(self, mail: Outgoing, envelope: list[bytes]) -> bool:
        """Send MAIL, RCPT and DATA, read the mail before's answer, then these three."""
        if "PIPELINING" in self.session.extensions:
            whole = b"".join(envelope)
            if self.session.write(whole) < len(whole):
                self._broken()
            self._settle()
            replies = [self.session.read() for _ in envelope]
        else:
            self._settle()
            replies = self._one_by_one(envelope)
        return self._agreed(mail, replies)

    def _one_by_one(self, envelope: list[bytes]) -> list[Reply]:
        replies = []
        for command in envelope:
            if self.session.write(command) < len(command):
                self._broken()
            replies.append(self.session.read())
            if replies[-1].code >= 400:
                break
        return replies

    def _agreed(self, mail: Outgoing, replies: list[Reply]) -> bool:
        refused = next((reply for reply in replies if reply.code >= 400), None)
        if refused is None and replies[-1].code == 354:
            return True
        if replies[-1].code == 354:  # it wants a body for nobody: an empty one ends it
            self.session.write(b".\r\n")
            self.session.read()
        self._refused(mail, refused or replies[-1])
        self._reset()
        return False

    def _reset(self) -> None:
        if self.session.write(b"RSET\r\n") < 6:
            self._broken()
        self.session.read()

    def _hand_over(self, mail: Outgoing) -> None:
        content = dotted(mail.data)
        if self.session.write(content) < len(content):
            self._broken()
        self.awaited = mail

    def _settle(self) -> None:
        """Read the answer to the final dot that is still out."""
        if self.awaited is None:
            return
        reply = self.session.read()
        mail, self.awaited = self.awaited, None
        if reply.code < 400:
            self._note(mail, Fate.ACCEPTED, reply=reply.short)
        else:
            self._refused(mail, reply)

    def _refused(self, mail: Outgoing, reply: Reply) -> None:
        fate = Fate.REJECTED if reply.code >= 500 else Fate.DEFERRED
        self._note(mail, fate, reply=reply.short)
        if reply.code == 421:
            raise Broken("server_closing")

    def _note(self, mail: Outgoing, fate: Fate, *, reply: str = "", code: str = "") -> None:
        self.outcomes.append(Outcome(mail.number, fate, reply, code))

    def _broken(self) -> None:
        raise Broken("connection_lost")

    def _envelope(self, mail: Outgoing) -> list[bytes]:
        """Return the three commands; raises `Unaddressable` where the server cannot carry it."""
        recipient = on_the_wire(mail.recipient)
        options = [f"SIZE={len(mail.data)}"] if "SIZE" in self.session.extensions else []
        if not recipient.isascii():
            if "SMTPUTF8" not in self.session.extensions:
                raise Unaddressable("smtputf8_required")
            options.append("SMTPUTF8")
        notify = ""
        if "DSN" in self.session.extensions and mail.envelope_id:
            options += ["RET=HDRS", f"ENVID={mail.envelope_id}"]
            if recipient.isascii():
                notify = f" NOTIFY=FAILURE,DELAY ORCPT=rfc822;{xtext(recipient)}"
        parameters = "".join(f" {option}" for option in options)
        return [
            f"MAIL FROM:<{on_the_wire(mail.sender)}>{parameters}\r\n".encode(),
            f"RCPT TO:<{recipient}>{notify}\r\n".encode(),
            b"DATA\r\n",
        ]


def dotted(data: bytes) -> bytes:
    """Return the mail with leading dots doubled and the final dot behind it."""
    if data.startswith(b"."):
        data = b"." + data
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    return data + (b".\r\n" if data.endswith(b"\r\n") else b"\r\n.\r\n")


def on_the_wire(address: str) -> str:
    """Return the address as commands carry it: the local part as it is, the domain as A-labels."""
    local, _, domain = address.rpartition("@")
    if not local or _UNSENDABLE.search(address):
        raise Unaddressable("address_unusable")
    if domain.isascii():
        return address
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise Unaddressable("address_unusable") from None


def xtext(address: str) -> str:
    return re.sub(r"[^!-*,-<>-~]", lambda sign: f"+{ord(sign[0]):02X}", address)
