"""Sending, end to end: gate, claim, reveal, render, sign, hand over, mark, event, trail.

dispatch  messages a second of `messaging.dispatch` into a sink on this machine, against what
          Postfix's smtp-source pushes into the same sink with mails of the same size; where there
          is no Postfix, against the product's own SMTP client with one ready-made mail.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import median
from uuid import UUID, uuid4

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from consent import ledger
from contacts import events, records
from messaging import dispatch, outbox, samples
from messaging.protect import Onward
from messaging.transports.base import Fate, Outgoing
from messaging.transports.smtp import Relay, Smtp

MESSAGES, ROUNDS = 10_000, 3
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIZE = 24_000


def run(scale: float) -> Iterator[Row]:
    n = max(200, int(MESSAGES * scale))
    with tenancy.acting_for(found_organisation(now=NOW)), acting_as(Actor("system", "benchmark")):
        Organisation.objects.update(postal_address="1 Quay, Boston")
        events.ensure_partitions(now=NOW)
        people = _people(n)
        version = samples.ensure_sample_templates(now=NOW)["diabetes-education"].id
        with _sink() as port, peak_memory() as peak:
            pairs = [
                (_limit(port, n), seconds(_sending(port, version, people, round_)))
                for round_ in range(ROUNDS)
            ]
        limit, work = (median(each) for each in zip(*pairs, strict=True))
        yield Row("dispatch", n, work, n / limit, peak_mb=peak.highest)


def _people(n: int) -> list[int]:
    changes = [
        records.Change(
            source="bench",
            record_number=str(number),
            values={"given_name": f"Given{number}", "email": f"p{number}@example.org"},
        )
        for number in range(n)
    ]
    people = list(records.upsert(changes, now=NOW).contact_ids)
    scope = frozenset({"identity", "contact_point", "clinical", "demographic"})
    ledger.record_authorizations(
        [
            ledger.Signing(one, frozenset({"marketing"}), scope, NOW, date(2030, 1, 1))
            for one in people
        ],
        received_by="paper",
        now=NOW,
    )
    return people


def _sending(port: int, version: UUID, people: list[int], round_: int) -> Callable[[], None]:
    """Order this round's messages now; return the act of sending them, which is what is timed."""
    source = uuid4()
    for start in range(0, len(people), 1_000):
        outbox.enqueue(
            [
                outbox.Order(one, version, "marketing", source, "bench", round_, "", NOW)
                for one in people[start : start + 1_000]
            ],
            now=NOW,
        )

    def send() -> None:
        transport = Smtp(Relay("127.0.0.1", port, security="same_host"))
        sent = 0
        while done := dispatch.run_once(transport=transport, now=NOW, onward=Onward.ENFORCED).sent:
            sent += done
        transport.close()
        if sent != len(people):
            raise SystemExit(f"dispatch sent {sent} of {len(people)}")

    return send


def _limit(port: int, n: int) -> float:
    source = shutil.which("smtp-source") or shutil.which("/usr/sbin/smtp-source")
    if source:
        command = [source, "-s", "8", "-m", str(n), "-l", str(SIZE), "-f", "a@b.example"]
        command += ["-t", "c@d.example", f"127.0.0.1:{port}"]
        return seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    return seconds(lambda: _push(port, n))


def _push(port: int, n: int) -> None:
    transport = Smtp(Relay("127.0.0.1", port, security="same_host"))
    body = b"Subject: x\r\n\r\n" + (b"x" * 74 + b"\r\n") * (SIZE // 76)
    batch = [Outgoing(number, "a@b.example", "c@d.example", body) for number in range(n)]
    if any(one.fate is not Fate.ACCEPTED for one in transport.send(batch)):
        raise SystemExit("the sink refused a mail")
    transport.close()


@contextmanager
def _sink() -> Iterator[int]:
    """Run Postfix's smtp-sink, or a sink of our own in another process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    program = shutil.which("smtp-sink") or shutil.which("/usr/sbin/smtp-sink")
    command = [sys.executable, "-m", "benchmarks.dispatch", str(port)]
    if program:
        command = [program, "-u", "nobody", f"127.0.0.1:{port}", "1000"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        child.terminate()
        child.wait(10)


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the sink did not start")


def _serve(port: int) -> None:
    """Be a sink: agree to everything, keep nothing."""
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_swallow, args=[connection], daemon=True).start()


def _swallow(connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as file:
        file.write(b"220 sink\r\n")
        file.flush()
        in_data = False
        for line in file:
            if in_data and line != b".\r\n":
                continue
            in_data = line == b"DATA\r\n"
            hello = line.startswith(b"EHLO")
            answer = b"354 go on\r\n" if in_data else b"250 fine\r\n"
            file.write(b"250-sink\r\n250 PIPELINING\r\n" if hello else answer)
            file.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
