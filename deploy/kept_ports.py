"""The ports of the sample: found once and kept, though others may take them meanwhile."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path

TRIED = 500
"""Ports from the first wished for on, of which the first free one is taken."""


@dataclass(frozen=True)
class KeptPort:
    """A port on this machine and the file that keeps its number."""

    number: int
    file: Path

    def is_free(self, *, patience: float = 0.0) -> bool:
        """Tell whether nobody listens there, or nobody does any more within `patience` seconds."""
        end = time.monotonic() + patience
        while not is_free(self.number):
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        return True

    def how_to_go_on(self) -> str:
        """Return what a person can do where another program has the port."""
        return (
            f"End that program (`lsof -i :{self.number}` names it), or stop Attune, delete"
            f" {self.file} and start again: a free port is found then"
        )


def kept_port(file: Path, *, first: int) -> KeptPort:
    """Return the port that `file` keeps; the first time, one that is free."""
    if not file.exists():
        found = next(port for port in range(first, first + TRIED) if is_free(port))
        file.write_text(f"{found}\n")
    return KeptPort(int(file.read_text()), file)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
