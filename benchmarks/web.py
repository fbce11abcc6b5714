"""The product's own web server, and the little of HTTP that a benchmark's clients need."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deploy.run import web_server


def read_answer(connection: socket.socket) -> None:
    """Read one answer to its end; raise where it is no success."""
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += _more(connection)
    length = _LENGTH.search(answer, 0, end)
    if length is None or not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
        raise RuntimeError(f"the server answered {answer[:300]!r}")
    while len(answer) < end + 4 + int(length[1]):
        answer += _more(connection)


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise RuntimeError("the server closed the connection")
    return part


_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@contextmanager
def served() -> Iterator[int]:
    """Serve the product as `make run` does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    *command, application = web_server(port=port)
    command += ["--no-access-log", "--log-level", "warning", application]
    server = subprocess.Popen(command, env=dict(os.environ))
    try:
        _wait(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _wait(ready: Callable[[], None], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return ready()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
