"""The sample's phones on disk: every text that the gateway took in, or that was written there."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

_numbers = itertools.count()


@dataclass(frozen=True)
class Text:
    """One text. `ours` went to the phone; the others were written on it."""

    id: str
    phone: str
    other: str
    """Our number."""
    words: str
    ours: bool
    at: str
    """ISO 8601, UTC."""

    @property
    def key(self) -> str:
        return key_of(self.phone)

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


def key_of(phone: str) -> str:
    """Return what stands for a number in an address: numbers stay out of those."""
    return hashlib.sha256(phone.encode()).hexdigest()[:20]


@dataclass(frozen=True)
class PhoneStore:
    """One file a text below `folder`; names sort by time."""

    folder: Path

    def prepare(self) -> None:
        for name in ("texts", "ids", "tmp"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, text: Text, *, reports: str = "") -> bool:
        """Write a text for good; say whether its id is new."""
        mark = self.folder / "ids" / hashlib.sha256(text.id.encode()).hexdigest()
        waiting = self.folder / "tmp" / f"{os.getpid()}_{next(_numbers)}"
        waiting.write_text(json.dumps(asdict(text) | {"reports": reports}))
        micros = int(text.moment.timestamp() * 1_000_000)
        name = f"{micros:017d}.{key_of(text.phone)}.{next(_numbers):06d}"
        try:
            os.link(waiting, mark)  # whoever makes the mark first has taken it in
        except FileExistsError:
            waiting.unlink()
            return False
        waiting.rename(self.folder / "texts" / name)
        return True

    def has(self, id_: str) -> bool:
        return (self.folder / "ids" / hashlib.sha256(id_.encode()).hexdigest()).exists()

    def texts(self, key: str = "") -> list[Text]:
        """Return the texts of one phone, or of all, oldest first."""
        return [text for text, _ in self._read(key)]

    def phones(self) -> list[Text]:
        """Return the last text of each phone, the latest first."""
        last = {text.phone: text for text in self.texts()}
        return sorted(last.values(), key=lambda one: one.at, reverse=True)

    def reports_of(self, phone: str) -> tuple[str, str]:
        """Return where an answer of this phone goes, and to which number; empty if nowhere."""
        known = [(reports, text.other) for text, reports in self._read(key_of(phone)) if reports]
        return known[-1] if known else ("", "")

    def _read(self, key: str) -> Iterator[tuple[Text, str]]:
        folder = self.folder / "texts"
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if key and f".{key}." not in path.name:
                continue
            said = json.loads(path.read_text())
            reports = str(said.pop("reports", ""))
            yield Text(**said), reports


def stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat()
