"""Find out whether the trail is whole.

The trail is read again from the first entry and compared with the seals in the database and with
the checkpoints outside. What each kind of tampering leaves behind:

edit, reordering           the batch's content differs; the hints name the entry
deletion, insertion        the batch's content and count differ; the hints name the entry
rewritten seals            a hash, the chain, or a signature does not fit
rewritten and signed anew  the checkpoint outside has another hash for the same batch: a fork
cut tail, older copy       the anchor knows batches that the database has not
forged for the future      an entry claims a transaction that has not begun

What nobody can notice: changes to entries in the seconds before they are sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import connection

from audit import anchor as anchors
from audit.anchor import Anchor, AnchorBroken
from audit.canonical import EMPTY_HASH, digest, leaf, merkle_root, well_formed
from audit.checkpoint import Checkpoint
from audit.models import Batch
from audit.seal import HINT, Place, Taken, read_lines
from crypto import keyring

WINDOW = 10_000
ANCHOR_PATIENCE = timedelta(minutes=10)
NAMED = 5
"""How many culprits one problem names."""


@dataclass(frozen=True, slots=True)
class Problem:
    """`kind` is a code; `batch` is where; the sentence is for people."""

    kind: str
    sentence: str
    batch: int | None = None


@dataclass(slots=True)
class Report:
    """What was looked at and what was found."""

    organisation_id: int
    entries: int = 0
    batches: int = 0
    anchored: int = 0
    unsealed: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def add(self, kind: str, sentence: str, *, batch: int | None = None) -> None:
        self.problems.append(Problem(kind, sentence, batch))


def verify(*, organisation_id: int, now: datetime, anchor: Anchor | None = None) -> Report:
    """Check one organisation's trail. Run it inside the organisation's scope."""
    report = Report(organisation_id)
    outside = _Outside(report, anchor or anchors.configured())
    chain = _Chain(report, outside, now=now)
    start = Place()
    for window in _windows(organisation_id):
        for batch in window:
            chain.follow(batch)
        _check_contents(report, window, start)
        start = Place.after(window[-1])
    chain.finish()
    _check_rest(report, start)
    return report


class _Outside:
    """What the anchor says; read before the database, which may only have gone further."""

    def __init__(self, report: Report, anchor: Anchor) -> None:
        self._report = report
        self.checkpoints: dict[int, Checkpoint] = {}
        self.keys: dict[int, bytes] = {}
        try:
            self.keys = anchor.keys()
            for checkpoint in anchor.read(report.organisation_id):
                self._add(checkpoint)
        except (AnchorBroken, OSError) as error:
            report.add("anchor-unreadable", f"the anchor cannot be read: {error}")
        self.last = max(self.checkpoints, default=0)
        for number in sorted(set(range(1, self.last + 1)) - self.checkpoints.keys())[:NAMED]:
            report.add("anchor-gap", f"the anchor lacks batch {number}", batch=number)

    def _add(self, checkpoint: Checkpoint) -> None:
        number = checkpoint.statement.number
        key = self.keys.get(checkpoint.statement.key_version)
        if key is None or not checkpoint.signed_by(key):
            sentence = f"the anchor's checkpoint for batch {number} has no valid signature"
            self._report.add("anchor-signature", sentence, batch=number)
        known = self.checkpoints.setdefault(number, checkpoint)
        if known.statement.hash() != checkpoint.statement.hash():
            sentence = f"the anchor holds two different checkpoints for batch {number}"
            self._report.add("fork", sentence, batch=number)


class _Chain:
    """Follows the batches one by one."""

    def __init__(self, report: Report, outside: _Outside, *, now: datetime) -> None:
        self._report, self._outside, self._now = report, outside, now
        # Before the first checkpoint is out, the database's own keys are all there is.
        self._keys = {**keyring.installation().trail_public, **outside.keys}
        self._hash, self._number, self._total, self._place = EMPTY_HASH, 0, 0, Place()

    def follow(self, batch: Batch) -> None:
        """Check a batch against the one before, its signature, and the anchor."""
        report, number = self._report, batch.number
        checkpoint = Checkpoint.of(batch)
        computed = checkpoint.statement.hash()
        if number != self._number + 1:
            missing = f"{self._number + 1} to {number - 1}"
            report.add("gap", f"batches {missing} are missing", batch=number)
        if bytes(batch.previous) != self._hash:
            report.add("chain", f"batch {number} does not follow from the one before", batch=number)
        if computed != bytes(batch.hash):
            report.add("hash", f"batch {number} was changed: its hash differs", batch=number)
        if batch.total != self._total + batch.entries or Place.after(batch) <= self._place:
            report.add("count", f"batch {number} does not continue the count", batch=number)
        self._check_signature(checkpoint)
        self._check_anchor(batch, checkpoint)
        self._hash, self._number, self._total = computed, number, batch.total
        self._place = Place.after(batch)
        report.batches += 1

    def finish(self) -> None:
        """Compare the end with the anchor's."""
        self._report.anchored = min(self._outside.last, self._number)
        if self._outside.last > self._number:
            self._report.add(
                "truncated",
                f"the anchor goes on to batch {self._outside.last}, the database ends at"
                f" {self._number}: the tail was cut off, or an older copy was restored",
                batch=self._number + 1,
            )

    def _check_signature(self, checkpoint: Checkpoint) -> None:
        said = checkpoint.statement
        key = self._keys.get(said.key_version)
        if key is None or not checkpoint.signed_by(key):
            sentence = f"batch {said.number} has no valid signature"
            self._report.add("signature", sentence, batch=said.number)

    def _check_anchor(self, batch: Batch, checkpoint: Checkpoint) -> None:
        outside = self._outside.checkpoints.get(batch.number)
        if outside is None:
            if batch.number > self._outside.last and self._now - batch.sealed_at > ANCHOR_PATIENCE:
                sentence = f"batch {batch.number} has not reached the anchor"
                self._report.add("not-anchored", sentence, batch=batch.number)
        elif outside.statement.hash() != checkpoint.statement.hash():
            self._report.add(
                "fork",
                f"batch {batch.number} differs from its checkpoint in the anchor: history was"
                " rewritten, or an older copy was restored and went on",
                batch=batch.number,
            )


def _windows(organisation_id: int) -> Iterator[list[Batch]]:
    """Yield runs of batches that hold about WINDOW entries together."""
    rows = Batch.objects.filter(organisation_id=organisation_id).order_by("number").defer("hints")
    window: list[Batch] = []
    entries = 0
    for batch in rows.iterator(chunk_size=500):
        window.append(batch)
        entries += batch.entries
        if entries >= WINDOW:
            yield window
            window, entries = [], 0
    if window:
        yield window


def _check_contents(report: Report, window: Sequence[Batch], start: Place) -> None:
    """Compare the entries of a window with its batches; look closer only if something is wrong."""
    found = _read(report, start, Place.after(window[-1]))
    report.entries += len(found)
    lines = iter(entry.line for entry in found)
    whole = len(found) == sum(batch.entries for batch in window)
    if whole and all(_intact(batch, list(islice(lines, batch.entries))) for batch in window):
        return
    for batch in window:
        _examine(report, batch, start)
        start = Place.after(batch)


def _intact(batch: Batch, lines: list[bytes]) -> bool:
    content = b"".join(lines)
    return (
        digest([content]) == bytes(batch.content)
        and well_formed(content, batch.entries)
        and merkle_root([leaf(line) for line in lines]) == bytes(batch.root)
    )


def _examine(report: Report, batch: Batch, after: Place) -> None:
    """Say what is wrong with a batch, if anything, naming entries as far as its hints go."""
    found = _read(report, after, Place.after(batch))
    if len(found) == batch.entries and _intact(batch, [entry.line for entry in found]):
        return
    hints = dict(HINT.iter_unpack(_hints(batch)))
    seen = {entry.place.id: leaf(entry.line)[:8] for entry in found}
    changed = [one for one, mark in seen.items() if one in hints and hints[one] != mark]
    problems = [
        ("deleted", "removed", [one for one in hints if one not in seen]),
        ("inserted", "inserted", [one for one in seen if one not in hints]),
        ("edited", "changed or moved", changed),
    ]
    for kind, word, entries in problems:
        if entries:
            names = ", ".join(str(one) for one in sorted(entries)[:NAMED])
            more = f" and {len(entries) - NAMED} more" if len(entries) > NAMED else ""
            sentence = f"in batch {batch.number}, {word}: entry {names}{more}"
            report.add(kind, sentence, batch=batch.number)
    if not any(entries for _, _, entries in problems):
        sentence = f"the entries of batch {batch.number} do not match its seal"
        report.add("content", sentence, batch=batch.number)


def _hints(batch: Batch) -> bytes:
    """Return the hints, cut to whole ones: whoever tampers may have tampered here too."""
    hints = bytes(batch.hints)
    return hints[: len(hints) // HINT.size * HINT.size]


def _read(report: Report, after: Place, upto: Place) -> list[Taken]:
    return read_lines(
        report.organisation_id,
        after,
        condition="(epoch, txid, id) <= (%b::int2, %b::text::xid8, %b::int8)",
        values=[upto.epoch, str(upto.txid), upto.id],
        limit=2**31,
    )


def _check_rest(report: Report, sealed: Place) -> None:
    """Count what waits for its seal; an entry from a transaction to come is a forgery."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE audit_entry.epoch = newest.epoch"
            "  AND txid >= pg_snapshot_xmax(pg_current_snapshot())"
            "  AND txid IS DISTINCT FROM pg_current_xact_id_if_assigned())"
            " FROM audit_entry CROSS JOIN"
            " (SELECT max(epoch) FROM audit_entry WHERE organisation_id = %s) AS newest(epoch)"
            " WHERE organisation_id = %s"
            " AND (audit_entry.epoch, txid, id) > (%s::int2, %s::text::xid8, %s)",
            [report.organisation_id, report.organisation_id, *_texts(sealed)],
        )
        report.unsealed, future = cursor.fetchone()
    report.entries += report.unsealed
    if future:
        report.add("future", f"{future} entries claim transactions that have not begun")


def _texts(place: Place) -> tuple[int, str, int]:
    return place.epoch, str(place.txid), place.id
