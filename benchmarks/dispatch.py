"""Sending, end to end: gate, claim, reveal, render, sign, hand over, mark, event, trail.

dispatch  messages a second of `messaging.dispatch`, in a process of its own as a worker is, into a
          relay on this machine (Postfix that keeps and discards, where the machine has it and lets
          us start it), against what Postfix's smtp-source pushes into the same relay in the same
          minutes with mails of the same size. `peak_mb` is the sending process's; its CPU a mail,
          in milliseconds, stands on standard error.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from statistics import median
from uuid import UUID, uuid4

import django

if __name__ == "__main__":
    django.setup()

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from benchmarks.ground import found_organisation
from benchmarks.measure import Row, peak_memory, seconds
from benchmarks.relay import found, listening
from consent import ledger
from contacts import events, records
from messaging import dispatch, outbox, samples
from messaging.protect import Onward
from messaging.transports.base import Fate, Outgoing
from messaging.transports.lanes import Lanes
from messaging.transports.smtp import Relay, Smtp

MESSAGES, ROUNDS, LANES = 10_000, 3, 8
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIZE = 24_000


def run(scale: float) -> Iterator[Row]:
    n = max(200, int(MESSAGES * scale))
    organisation_id = found_organisation(now=NOW)
    with tenancy.acting_for(organisation_id), acting_as(Actor("system", "benchmark")):
        Organisation.objects.update(postal_address="1 Quay, Boston")
        events.ensure_partitions(now=NOW)
        people = _people(n)
        version = samples.ensure_sample_templates(now=NOW)["diabetes-education"].id
        with listening() as target:
            _order(version, people[: n // 10], -1)
            _sent(organisation_id, target.port, n // 10)
            pairs = []
            for at in range(ROUNDS):
                _order(version, people, at)
                limit = _limit(target.port, n)
                pairs.append((limit, _sent(organisation_id, target.port, n)))
        limit = median(each for each, _ in pairs)
        work = median(each.seconds for _, each in pairs)
        cpu = median(each.cpu for _, each in pairs) / n * 1000
        sys.stderr.write(f"into {target.kind}, {cpu:.2f} ms of CPU a mail in the sender\n")
        peak = max(each.peak_mb for _, each in pairs)
        yield Row("dispatch", n, work, n / limit, peak_mb=peak)


@dataclass(frozen=True)
class Sent:
    seconds: float
    cpu: float
    peak_mb: float


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


def _order(version: UUID, people: list[int], round_: int) -> None:
    """Order this round's messages; what is timed is sending them."""
    source = uuid4()
    for start in range(0, len(people), 1_000):
        outbox.enqueue(
            [
                outbox.Order(one, version, "marketing", source, "bench", round_, "", NOW)
                for one in people[start : start + 1_000]
            ],
            now=NOW,
        )


def _sent(organisation_id: int, port: int, n: int) -> Sent:
    """Send what is due in a fresh process and return what it measured."""
    command = [sys.executable, "-m", "benchmarks.dispatch", str(organisation_id), str(port), str(n)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Sent(**json.loads(done.stdout))


def _send(organisation_id: int, port: int, n: int) -> Sent:
    """Be the worker: send until nothing is due."""
    transport = Lanes(Relay("127.0.0.1", port, security="same_host"), connections=LANES)
    with tenancy.acting_for(organisation_id), peak_memory() as peak:
        Organisation.objects.count()  # a worker is connected before it has work
        cpu, sent = time.process_time(), 0

        def all_of_it() -> None:
            nonlocal sent
            while done := dispatch.run_once(
                transport=transport, now=NOW, onward=Onward.ENFORCED
            ).sent:
                sent += done

        took = seconds(all_of_it)
        transport.close()
        spent = time.process_time() - cpu
    if sent != n:
        raise SystemExit(f"dispatch sent {sent} of {n}")
    return Sent(took, spent, peak.highest)


def _limit(port: int, n: int) -> float:
    source = found("smtp-source")
    if source:
        command = [source, "-s", str(LANES), "-m", str(n), "-l", str(SIZE), "-f", "a@b.example"]
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


if __name__ == "__main__":
    print(json.dumps(asdict(_send(*map(int, sys.argv[1:])))))
