"""A file on its way: readable by who holds it, and by nobody who looks at the disk."""

from __future__ import annotations

import io
import os
from pathlib import Path

from marketing.intake.spool import PART, SealedSpool


def spooled(content: bytes, *, step: int = 70_001) -> SealedSpool:
    spool = SealedSpool()
    for at in range(0, len(content), step):
        spool.write(content[at : at + step])
    return spool


def test_what_was_written_is_read_from_anywhere() -> None:
    content = os.urandom(2 * PART + 12_345)
    file = io.BufferedReader(spooled(content))
    assert file.read() == content
    for place in (0, 5, PART - 1, PART, 2 * PART + 12_000):
        file.seek(place)
        assert file.read(700) == content[place : place + 700]


def test_a_file_of_whole_parts_ends_where_it_ends() -> None:
    content = os.urandom(2 * PART)
    assert io.BufferedReader(spooled(content, step=PART)).read() == content
    assert io.BufferedReader(SealedSpool()).read() == b""


def test_sr03_nothing_of_it_can_be_read_on_the_disk() -> None:
    """SR-03."""
    spool = spooled(b"MRN-1,Adaline,Canarybird\n" * 100_000)
    assert spool._file is not None
    on_disk = Path(f"/proc/self/fd/{spool._file.fileno()}").read_bytes()
    assert len(on_disk) > PART
    assert b"Canarybird" not in on_disk


def test_a_small_file_touches_no_disk() -> None:
    assert spooled(b"id,first\n1,Ada\n")._file is None
