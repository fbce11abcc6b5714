"""Read the mailbox that bounces come to, by IMAP over TLS; what was kept is marked as read."""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from accounts import tenancy
from messaging.hearing import intake

logger = logging.getLogger(__name__)

MOST = 100
"""Mails looked at in one go."""


@dataclass(frozen=True, slots=True)
class Account:
    host: str
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    port: int = 993


class Mailbox(Protocol):
    """What is asked of a mailbox: new mails with their numbers, and that one is done."""

    def fresh(self, *, most: int) -> Iterator[tuple[str, bytes]]: ...

    def done(self, number: str) -> None: ...


class Imap:
    """A folder on an IMAP server."""

    def __init__(self, session: imaplib.IMAP4) -> None:
        self.session = session

    def fresh(self, *, most: int) -> Iterator[tuple[str, bytes]]:
        _, found = self.session.uid("SEARCH", "UNSEEN")
        for number in (found[0] or b"").split()[:most]:
            _, parts = self.session.uid("FETCH", number.decode(), "(BODY.PEEK[])")
            raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
            if raw is not None:
                yield number.decode(), raw

    def done(self, number: str) -> None:
        self.session.uid("STORE", number, "+FLAGS", r"(\Seen)")


@contextmanager
def opened(account: Account) -> Iterator[Imap]:
    session = imaplib.IMAP4_SSL(
        account.host, account.port, ssl_context=ssl.create_default_context(), timeout=30
    )
    try:
        session.login(account.user, account.password)
        session.select(f'"{account.folder}"')
        yield Imap(session)
    finally:
        session.logout()


def read(mailbox: Mailbox, *, now: datetime) -> int:
    """Take in what is new, each mail for the organisation that sent what it answers.

    A report on a domain that several send from tells all of what any of them sent: it is nobody's.
    A mail that answers nothing of anybody's is kept for review by the installation's only
    organisation; where there are several, nobody can say whose it is, and it stays unread.
    """
    organisations = tenancy.organisation_ids()
    taken = 0
    for number, raw in mailbox.fresh(most=MOST):
        whose = _whose(raw, organisations)
        if whose is None:
            continue
        try:
            with tenancy.acting_for(whose):
                intake.take(raw, source="imap", now=now)
        except Exception:  # one mail must not keep the others waiting; it stays unread
            logger.exception("a mail in the mailbox of bounces could not be taken in")
            continue
        mailbox.done(number)
        taken += 1
    return taken


def _whose(raw: bytes, organisations: list[int]) -> int | None:
    if len(organisations) == 1:
        return organisations[0]
    found = []
    for organisation_id in organisations:
        with tenancy.acting_for(organisation_id):
            if intake.belongs_here(raw):
                found.append(organisation_id)
    return found[0] if len(found) == 1 else None
