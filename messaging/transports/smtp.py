"""Hand mail to a relay by SMTP: one connection kept open, commands pipelined, TLS verified.

While the server thinks about one mail's final dot, the next mail's envelope is already on the wire
(RFC 2920 3.1), so a mail costs one round trip.

The one thing this module must never get wrong is what it says about a mail when the connection
breaks. A mail is NOT_TRIED until the last byte of its final dot was handed to the kernel, and from
then on UNCLEAR until the server's answer was read.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from messaging.protect import Hop
from messaging.transports.base import Fate, Outcome, Outgoing, Stays, none_stays
from messaging.transports.envelope import Unaddressable, commands, dotted
from messaging.transports.session import Broken, Relay, Reply, Security, Session, hop_of

__all__ = ["Broken", "Relay", "Security", "Session", "Smtp", "dotted", "hop_of"]


class Smtp:
    """The transport. One thread uses it at a time; several workers have one each."""

    overlaps = False
    whole = True

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
                envelope = commands(mail, self.session.extensions)
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
        line = self.session.line if fate is Fate.ACCEPTED else None
        self.outcomes.append(Outcome(mail.number, fate, reply, code, line=line))

    def _broken(self) -> None:
        raise Broken("connection_lost")
