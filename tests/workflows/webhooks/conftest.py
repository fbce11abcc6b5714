"""A receiver of calls on loopback, and an endpoint that stands for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from accounts.models import Organisation
from tests.conftest import NOON
from workflows.webhooks import tending
from workflows.webhooks.models import Endpoint


@dataclass
class Receiver:
    """Keeps what it was sent, and answers as it was told; the last answer stays."""

    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    acknowledges: list[str] = field(default_factory=list)
    """Codes of HL7 acknowledgements (MSA-1); the last one stays."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def says(self, status: int, document: object = None, **headers: str) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.answers.append((status, body, headers))

    def acknowledgement(self, body: bytes) -> bytes:
        codes = self.acknowledges
        code = codes.pop(0) if len(codes) > 1 else codes[0]
        control = body.decode().split("\r")[0].split("|")[9]
        return f"MSH|^~\\&|EHR||ATTUNE||2026||ACK|1|P|2.5.1\rMSA|{code}|{control}\r".encode()

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            held.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
            answers = held.answers or [(200, b"", {})]
            status, said, headers = answers.pop(0) if len(answers) > 1 else answers[0]
            if held.acknowledges:
                said = held.acknowledgement(body)
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key.replace("_", "-"), value)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


Made = Callable[..., Endpoint]


@pytest.fixture
def endpoint(at_harbor: Organisation, receiver: Receiver) -> Made:
    """Make the organisation's own endpoint, or one as the test says."""

    def made(**given: Any) -> Endpoint:
        known = {"name": "Coverage desk", "url": receiver.url, "own": True,
                 "classes": ["identity", "coverage", "engagement", "demographic"]}  # fmt: skip
        return tending.add(known | given, random=lambda size: b"k" * size, now=NOON)

    return made
