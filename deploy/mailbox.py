"""A real SMTP server on this machine that keeps every mail it accepts: the sample's mailbox.

STARTTLS is required, with a certificate of the machine's own authority. 250 is said after the mail
is on the disk. `Behaviour` makes it refuse, dawdle or hang up, as mail servers of the world do.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import signal
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.certificates import identity
from deploy.mailbox_store import Letter, MailboxStore

HOST = "127.0.0.1"
logging.getLogger("mail.log").setLevel(logging.WARNING)  # it would log every patient's address
LARGEST = 30 * 1024 * 1024
# The library logs every command with its addresses.
logging.getLogger("mail.log").setLevel(logging.WARNING)


@dataclass
class Behaviour:
    """How the server treats its clients; may be changed while it runs. Keys are addresses."""

    starttls: bool = True
    refuse_recipient: dict[str, str] = field(default_factory=dict)
    """Address -> reply to RCPT, such as '550 5.1.1 no such user' or '451 4.3.0 later'."""
    refuse_content: dict[str, str] = field(default_factory=dict)
    """Address -> reply after DATA."""
    refuse_everything: str = ""
    """Reply to every RCPT, such as '452 4.3.1 disk full'."""
    busy_every: int = 0
    """Every so-manieth RCPT gets 421: too busy, and the client has to come again."""
    hang_up_after_keeping: set[str] = field(default_factory=set)
    """The mail is kept, but the client never hears so: its fate is unclear to the sender."""
    delay: float = 0.0
    """Seconds between keeping a mail and saying so."""
    asked: Iterator[int] = field(default_factory=lambda: itertools.count(1))


class Handler:
    """Answer RCPT and DATA."""

    def __init__(self, store: MailboxStore, behaviour: Behaviour) -> None:
        self.store = store
        self.behaviour = behaviour

    async def handle_RCPT(  # noqa: N802  aiosmtpd's signature
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        rcpt_options: list[str],
    ) -> str:
        told = self.behaviour.refuse_everything or self.behaviour.refuse_recipient.get(address)
        if told:
            return told
        every = self.behaviour.busy_every
        if every and next(self.behaviour.asked) % every == 0:
            return "421 4.3.2 too busy, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        for recipient in envelope.rcpt_tos:
            if reply := self.behaviour.refuse_content.get(recipient):
                return reply
        key = await asyncio.to_thread(self._keep, session, envelope)
        if self.behaviour.delay:
            await asyncio.sleep(self.behaviour.delay)
        if self.behaviour.hang_up_after_keeping.intersection(envelope.rcpt_tos):
            _hang_up(server)
        return f"250 kept as {key}"

    def _keep(self, session: Session, envelope: Envelope) -> str:
        now = datetime.now(UTC)
        content = envelope.content
        assert isinstance(content, bytes)
        stamped = _received(session, now) + content
        keys = [
            self.store.keep(stamped, recipient=recipient, received_at=now)
            for recipient in envelope.rcpt_tos
        ]
        return keys[-1]


def _hang_up(server: SMTP) -> None:
    """Cut the line in mid-sentence, as a crash does."""
    if isinstance(server.transport, asyncio.WriteTransport) and not server.transport.is_closing():
        server.transport.abort()


def _received(session: Session, now: datetime) -> bytes:
    """Return the trace line of the hop that we are."""
    protocol = "ESMTPS" if session.ssl else "ESMTP"
    return f"Received: by localhost with {protocol}; {now:%a, %d %b %Y %H:%M:%S %z}\r\n".encode()


@dataclass
class Mailbox:
    """The server and what it keeps below `folder`."""

    folder: Path
    port: int = 0
    names: tuple[str, ...] = ("localhost", HOST)
    """Whom its certificate is made out to."""
    behaviour: Behaviour = field(default_factory=Behaviour)

    def __post_init__(self) -> None:
        self.host = HOST
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._connections: WeakSet[SMTP] = WeakSet()
        self.store = MailboxStore(self.folder / "mail")
        self.store.prepare()
        self.identity = identity(self.folder / "identity", now=datetime.now(UTC), names=self.names)

    @property
    def ca_file(self) -> Path:
        return self.identity.ca

    def letters(self) -> list[Letter]:
        return list(self.store.letters())

    async def open(self) -> asyncio.Server:
        """Listen; a port of 0 becomes the one that was free."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, host=self.host, port=self.port)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def _connection(self) -> SMTP:
        tls = self._tls() if self.behaviour.starttls else None
        connection = SMTP(
            Handler(self.store, self.behaviour),
            hostname="localhost",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            tls_context=tls,
            require_starttls=tls is not None,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

    async def close(self, server: asyncio.Server) -> None:
        """Stop listening, hang up on everybody, and end what the connections wait for."""
        server.close()
        for connection in list(self._connections):
            _hang_up(connection)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.identity.certificate, self.identity.key)
        return context

    @contextmanager
    def running(self) -> Iterator[Mailbox]:
        """Serve in a thread of this process."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Serve until `stop`; a second start serves the same mailbox on the same port."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self.open(), self._loop).result(10)

    def stop(self) -> None:
        """Hang up on everybody and close the port."""
        asyncio.run_coroutine_threadsafe(self.close(self._server), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _serve(mailbox: Mailbox) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = await mailbox.open()
    await stop.wait()
    await mailbox.close(server)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the local mailbox.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    asyncio.run(_serve(Mailbox(options.folder, port=options.port)))
