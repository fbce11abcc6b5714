"""Worlds that stay between runs: loading a million people takes longer than measuring them.

`make bench NAME=segments KEEP=/some/folder` (or `ATTUNE_BENCH_KEEP`) keeps the loaded server below
that folder, under the benchmark's name, its scale and a hash of the population. Another hash loads
anew and removes the old one; so does a world that a run was changing when it stopped, which is not
`whole`. A newer schema needs no loading: the kept database is migrated as any other is. After a
change to how records are sealed, remove the folder, or the old records are measured.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
DECIDES = ("benchmarks/population.py",)
"""Files that decide what a world holds, from the repository's root."""
COLUMNS = ("contacts/segments/arrays.py", "contacts/segments/building.py", "crypto/columns.py")
"""Files that decide the columns alone, which are quicker to make anew."""


def folder_of(base: Path, name: str, scale: float) -> Path:
    """Return where this world lives; drop what another release or a broken run left there."""
    label = f"{name}-{scale:g}-"
    folder = base.absolute() / f"{label}{_hash(DECIDES)}"
    for other in base.glob(f"{label}*"):
        if other != folder or not (other / "whole").exists():
            shutil.rmtree(other)
    return folder


@contextmanager
def changing(folder: Path | None) -> Iterator[None]:
    """Mark the world as not whole while it is being changed."""
    if folder is not None:
        (folder / "whole").unlink(missing_ok=True)
    yield
    if folder is not None:
        (folder / "whole").touch()


def is_whole(folder: Path | None) -> bool:
    return folder is not None and (folder / "whole").exists()


def columns_are_current(folder: Path | None) -> bool:
    """Whether the kept columns are of the present form; from now on they count as such."""
    if folder is None:
        return False
    mark, form = folder / "columns", _hash(COLUMNS)
    same = mark.exists() and mark.read_text() == form
    mark.write_text(form)
    return same


def _hash(patterns: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for path in sorted(found for pattern in patterns for found in ROOT.glob(pattern)):
        if path.is_file() and path.suffix in (".py", ".sql"):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:12]
