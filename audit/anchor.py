"""Where checkpoints go so that the database alone cannot rewrite the past.

`FileAnchor` appends a line for each batch to a file in ATTUNE_ANCHOR_DIR and never changes one.
That folder must be out of reach of whoever can write to the database: another machine's mount, a
share that only appends, an object store with a retention lock (WORM) in another account. To write
elsewhere, give a class with `append` and `read` and name it in `ATTUNE_ANCHOR` as a dotted path.

The public keys stand in the anchor too (`keys`): a checkpoint is judged by the anchor's keys, not
by those that the database shows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from audit.checkpoint import Checkpoint

_TAIL = 8_192
"""Bytes from the end in which the newest checkpoint stands."""


class AnchorBroken(Exception):
    """The anchor's keys cannot be read."""


class Anchor(Protocol):
    def organisations(self) -> list[int]:
        """Return the organisations that have checkpoints here."""
        ...

    def append(self, organisation_id: int, checkpoints: Sequence[Checkpoint]) -> None:
        """Keep the checkpoints for good, in this order."""
        ...

    def read(self, organisation_id: int) -> list[Checkpoint]:
        """Return the organisation's checkpoints in the order of writing."""
        ...

    def last(self, organisation_id: int) -> int:
        """Return the number of the newest checkpoint, 0 if there is none."""
        ...

    def remember_erased(self, organisation_id: int, subjects: Sequence[str]) -> None:
        """Keep who was erased, so that a restored backup can be made to forget them again."""
        ...

    def erased(self, organisation_id: int) -> list[str]:
        """Return the subjects that were erased."""
        ...

    def publish(self, keys: Mapping[int, bytes]) -> None:
        """Keep public keys by version; one that is there already stays as it is."""
        ...

    def keys(self) -> dict[int, bytes]:
        """Return the public keys by version."""
        ...


class FileAnchor:
    """Files that only grow: `trail-<organisation>.jsonl`, `trail-keys.jsonl`, and the erased."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def organisations(self) -> list[int]:
        names = (path.stem.removeprefix("trail-") for path in self.folder.glob("trail-*.jsonl"))
        return sorted(int(name) for name in names if name.isdigit())

    def append(self, organisation_id: int, checkpoints: Sequence[Checkpoint]) -> None:
        self._append(self._path(organisation_id), (c.to_line() for c in checkpoints))

    def read(self, organisation_id: int) -> list[Checkpoint]:
        found = (_checkpoint(line) for line in _lines(self._path(organisation_id)))
        return [checkpoint for checkpoint in found if checkpoint]

    def last(self, organisation_id: int) -> int:
        path = self._path(organisation_id)
        if not path.exists():
            return 0
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read().decode("ascii", errors="replace").splitlines()
        found = [checkpoint for checkpoint in map(_checkpoint, lines) if checkpoint]
        return found[-1].statement.number if found else 0

    def remember_erased(self, organisation_id: int, subjects: Sequence[str]) -> None:
        self._append(self._erased(organisation_id), (f"{subject}\n" for subject in subjects))

    def erased(self, organisation_id: int) -> list[str]:
        return list(dict.fromkeys(filter(None, _lines(self._erased(organisation_id)))))

    def publish(self, keys: Mapping[int, bytes]) -> None:
        known = self.keys()
        fresh = {version: key for version, key in keys.items() if version not in known}
        lines = (
            json.dumps({"version": version, "public": key.hex()}) + "\n"
            for version, key in sorted(fresh.items())
        )
        self._append(self._keys, lines)

    def keys(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for place, line in enumerate(_lines(self._keys), start=1):
            try:
                said = json.loads(line)
                found.setdefault(int(said["version"]), bytes.fromhex(said["public"]))
            except (ValueError, KeyError, TypeError):
                raise AnchorBroken(f"{self._keys.name}, line {place}: not a key") from None
        return found

    @property
    def _keys(self) -> Path:
        return self.folder / "trail-keys.jsonl"

    def _path(self, organisation_id: int) -> Path:
        return self.folder / f"trail-{organisation_id}.jsonl"

    def _erased(self, organisation_id: int) -> Path:
        return self.folder / f"erased-{organisation_id}.txt"

    def _append(self, path: Path, lines: Iterable[str]) -> None:
        """Write and fsync, so that a checkpoint survives a power cut. One write, whole lines."""
        text = "".join(lines)
        if not text:
            return
        if not _ends_whole(path):
            text = "\n" + text
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, text.encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def configured() -> Anchor:
    """Return the anchor that the settings name."""
    if settings.ATTUNE_ANCHOR:
        chosen: Anchor = import_string(settings.ATTUNE_ANCHOR)()
        return chosen
    return FileAnchor(Path(settings.ATTUNE_ANCHOR_DIR))


def _checkpoint(line: str) -> Checkpoint | None:
    """Read a line. One that a power cut tore is passed over: the sealer appends it again, and a
    checkpoint that stays away is a gap, which `verify` reports."""
    try:
        return Checkpoint.from_line(line)
    except ValueError:
        return None


def _ends_whole(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines() if path.exists() else []
