"""A gateway for text messages on this machine, with the phones behind it: the sample's carrier.

It speaks the contract of docs/gateway.md on both sides, so what the product does with it is what
it does with any gateway: signed calls in, signed reports out, one message an id. `Behaviour` makes
it refuse, dawdle or hang up, as gateways of the world do.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import socket
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deploy.phone_store import PhoneStore, Text, stamp
from messaging import signed
from messaging.signed import NotSigned

HOST = "127.0.0.1"
LARGEST = 64 * 1024
Post = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a report: address, body, headers; returns the status."""


@dataclass
class Behaviour:
    """How the gateway treats its clients; may be changed while it runs. Keys are numbers."""

    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Number -> status and code, such as (422, "number_unusable")."""
    hang_up_after_keeping: set[str] = field(default_factory=set)
    hang_up_before_keeping: set[str] = field(default_factory=set)
    undelivered: dict[str, str] = field(default_factory=dict)
    """Number -> code that its carrier reports afterwards."""
    busy: bool = False
    reporting: bool = True


def post(address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Post to the product, which is on this machine."""
    request = urllib.request.Request(address, body, dict(headers))  # noqa: S310  the sample's own
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
    except OSError:
        return 0


@dataclass
class Phone:
    """The gateway and its phones, kept below `folder`."""

    folder: Path
    secret: str
    port: int = 0
    behaviour: Behaviour = field(default_factory=Behaviour)
    post: Post = post

    def __post_init__(self) -> None:
        self.store = PhoneStore(self.folder)
        self.store.prepare()
        self._reports: queue.Queue[tuple[str, dict[str, Any]] | None] = queue.Queue()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/messages"

    def write(self, phone: str, words: str) -> bool:
        """Write a text on a phone; say whether our side took it."""
        address, other = self.store.reports_of(phone)
        if not address:
            return False
        now = datetime.now(UTC)
        text = Text(uuid.uuid4().hex, phone, other, words, ours=False, at=stamp(now))
        self.store.keep(text)
        said = {"type": "message.received", "from": phone, "to": other, "text": words}
        return 200 <= self._report(address, said | {"at": stamp(now)}, number=text.id) < 300

    def start(self) -> None:
        self._server = _Server((HOST, self.port), _Handler)
        self._server.phone = self
        self.port = self._server.server_address[1]
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True),
            threading.Thread(target=self._work, daemon=True),
        ]
        for one in self._threads:
            one.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._reports.put(None)
        for one in self._threads:
            one.join(10)

    @contextmanager
    def running(self) -> Iterator[Phone]:
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def reported(self) -> None:
        """Wait until every report that is due was posted."""
        self._reports.join()

    def taken(self, said: Mapping[str, Any]) -> None:
        """Keep a text and have its delivery reported; one that is known already is known."""
        text = Text(
            str(said["id"]), str(said["to"]), str(said["from"]), str(said["text"]), ours=True,
            at=stamp(datetime.now(UTC)),
        )  # fmt: skip
        reports = str(said.get("reports", ""))
        if self.store.keep(text, reports=reports) and reports and self.behaviour.reporting:
            code = self.behaviour.undelivered.get(text.phone, "")
            told = {"status": "failed", "code": code} if code else {"status": "delivered"}
            said = {"type": "message.status", "id": text.id, **told}
            self._reports.put((reports, said))

    def _work(self) -> None:
        while (due := self._reports.get()) is not None:
            address, said = due
            said["at"] = stamp(datetime.now(UTC))
            self._report(address, said, number=uuid.uuid4().hex)
            self._reports.task_done()
        self._reports.task_done()

    def _report(self, address: str, said: dict[str, Any], *, number: str) -> int:
        body = json.dumps(said).encode()
        headers = signed.headers(body, number=number, secret=self.secret, now=datetime.now(UTC))
        return self.post(address, body, headers | {"content-type": "application/json"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    phone: Phone


class _Handler(BaseHTTPRequestHandler):
    """Answer POST /messages, GET /messages/<id> and, from the sample's page, POST /phone."""

    server: _Server

    def do_POST(self) -> None:  # the library's name
        phone, body = self.server.phone, self.rfile.read(min(self._length(), LARGEST))
        if not self._is_signed(body):
            self._answer(401, {"code": "not_signed"})
            return
        said = json.loads(body)
        if self.path == "/phone":
            taken = phone.write(str(said["phone"]), str(said["text"]))
            self._answer(200 if taken else 409, {})
            return
        self._send(said, phone.behaviour)

    def _send(self, said: dict[str, Any], behaviour: Behaviour) -> None:
        number = str(said.get("to", ""))
        if behaviour.busy:
            self._answer(503, {})
        elif number in behaviour.refuse:
            status, code = behaviour.refuse[number]
            self._answer(status, {"code": code})
        elif number in behaviour.hang_up_before_keeping:
            self._hang_up()
        else:
            self.server.phone.taken(said)
            if number in behaviour.hang_up_after_keeping:
                self._hang_up()
            else:
                self._answer(202, {"reference": f"sim-{said['id'][:12]}"})

    def do_GET(self) -> None:
        if not self._is_signed(b""):
            self._answer(401, {"code": "not_signed"})
        elif self.server.phone.store.has(self.path.rpartition("/")[2]):
            self._answer(200, {})
        else:
            self._answer(404, {"code": "unknown_message"})

    def _length(self) -> int:
        given = self.headers.get("content-length", "0")
        return int(given) if given.isdigit() else 0

    def _is_signed(self, body: bytes) -> bool:
        given = {name.lower(): value for name, value in self.headers.items()}
        try:
            secret = self.server.phone.secret
            signed.check(body, given, secret=secret, now=datetime.now(UTC))
        except NotSigned:
            return False
        return True

    def _answer(self, status: int, said: dict[str, Any]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        """Cut the line in mid-sentence, as a crash does."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Say nothing: it would log what was asked."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve the sample's phones.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    secret = Path(os.environ["TEXTS_SECRET_FILE"]).read_text().strip()
    served = Phone(options.folder, secret, port=options.port)
    served.start()
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
    served.stop()
