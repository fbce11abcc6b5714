"""The local mailbox on disk: a Maildir that a mail is in for good before its sender hears 250."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path

_numbers = itertools.count()


@dataclass(frozen=True)
class Letter:
    """One mail as one recipient got it."""

    key: str
    received_at: datetime
    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=modern)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    def body(self, kind: str) -> str:
        """Return the `plain` or `html` part's text, or nothing."""
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""


@dataclass(frozen=True)
class MailboxStore:
    """A Maildir below `folder`."""

    folder: Path

    def prepare(self) -> None:
        for name in ("tmp", "new", "cur"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, content: bytes, *, recipient: str, received_at: datetime) -> str:
        """Write a mail durably; return its key. Keys sort by time of arrival."""
        micros = int(received_at.timestamp() * 1_000_000)
        key = f"{micros:017d}.{os.getpid()}_{next(_numbers):06d}.attune"
        waiting = self.folder / "tmp" / key
        with waiting.open("wb") as file:
            file.write(b"Delivered-To: " + recipient.encode() + b"\r\n" + content)
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(self.folder / "new" / key)
        _sync_folder(self.folder / "new")
        return key

    def keys(self) -> list[str]:
        """Return every mail's key, oldest first."""
        new = self.folder / "new"
        return sorted(path.name for path in new.iterdir()) if new.is_dir() else []

    def letters(self) -> Iterator[Letter]:
        """Return every mail, oldest first."""
        return (self.read(key) for key in self.keys())

    def newest(self, *, limit: int, before: str = "") -> list[Letter]:
        """Return a page of mails, newest first, older than the key `before`."""
        keys = [key for key in self.keys() if not before or key < before]
        return [self.read(key) for key in reversed(keys[-limit:])]

    def read(self, key: str) -> Letter:
        """Return one mail; raises KeyError for a key that was never given out."""
        if key != os.path.basename(key) or not key.endswith(".attune"):
            raise KeyError(key)
        try:
            head, raw = (self.folder / "new" / key).read_bytes().split(b"\r\n", 1)
        except FileNotFoundError:
            raise KeyError(key) from None
        received_at = datetime.fromtimestamp(int(key.split(".", maxsplit=1)[0]) / 1_000_000, tz=UTC)
        return Letter(key, received_at, head.removeprefix(b"Delivered-To: ").decode(), raw)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
