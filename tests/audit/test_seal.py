"""The sealer takes every entry once, and none before its transaction is over."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.tenancy import acting_for
from audit import canonical, seal
from audit.anchor import FileAnchor
from audit.models import Batch, Entry
from audit.seal import HINT, MovedServer
from tests.audit.conftest import CLINIC, MARA, Trail
from tests.conftest import NOON


def test_an_open_transaction_holds_back_what_came_after_it(clinic_trail: Trail) -> None:
    """The open row has a lower number than the committed one, and must still get its turn."""
    wrote, finish = threading.Event(), threading.Event()

    def slowly() -> None:
        with acting_for(CLINIC), transaction.atomic():
            _write_as_mara()
            wrote.set()
            assert finish.wait(10)
        connection.close()

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(slowly)
        assert wrote.wait(10)
        clinic_trail.write(3)
        while_open = clinic_trail.seal()
        finish.set()
        slow.result()
    assert (while_open, clinic_trail.seal()) == (0, 4)
    assert clinic_trail.verify().ok


def test_writers_and_sealers_at_once_leave_nothing_out(clinic_trail: Trail) -> None:
    """SE-11 under concurrency: transactions of different length interleave with the sealer."""

    def writer(number: int) -> None:
        with acting_for(CLINIC):
            for turn in range(15):
                with transaction.atomic():
                    _write_as_mara()
                    if (turn + number) % 3 == 0:
                        with connection.cursor() as cursor:
                            cursor.execute("SELECT pg_sleep(0.004)")
                    _write_as_mara()
        connection.close()

    def sealer() -> int:
        with acting_for(CLINIC):
            sealed = sum(clinic_trail.seal(limit=7) for _ in range(40))
        connection.close()
        return sealed

    with ThreadPoolExecutor() as pool:
        writers = [pool.submit(writer, number) for number in range(3)]
        sealers = [pool.submit(sealer) for _ in range(2)]
        for each in writers:
            each.result()
        sealed = sum(each.result() for each in sealers)
    assert sealed + clinic_trail.seal() == 90
    report = clinic_trail.verify()
    assert (report.problems, report.entries, report.unsealed) == ([], 90, 0)
    ids = [one for batch in Batch.objects.all() for one, _ in HINT.iter_unpack(bytes(batch.hints))]
    assert sorted(ids) == sorted(Entry.objects.values_list("id", flat=True))


def test_a_rolled_back_act_leaves_no_entry(clinic_trail: Trail) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        clinic_trail.write(2)
        raise RuntimeError
    clinic_trail.sealed(1)
    assert clinic_trail.verify().entries == 1


def test_batches_are_numbered_without_gaps(clinic_trail: Trail) -> None:
    clinic_trail.write(10)
    assert clinic_trail.seal(limit=4) == 10
    rows = Batch.objects.order_by("number").values_list("number", "entries", "total")
    assert list(rows) == [(1, 4, 4), (2, 4, 8), (3, 2, 10)]


def test_each_organisation_has_a_chain_of_its_own(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    with acting_for(2):
        clinic_trail.write(5)
        assert seal.run_once(now=NOON, anchor=clinic_trail.anchor) == 5
        assert Batch.objects.get().number == 1
    assert clinic_trail.anchor.organisations() == [1, 2]
    assert clinic_trail.verify().entries == 3


def test_nothing_new_makes_no_batch(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    assert clinic_trail.seal() == 0
    assert Batch.objects.count() == 1


def test_the_anchor_catches_up_after_an_outage(clinic_trail: Trail, anchor: FileAnchor) -> None:
    anchor.folder.parent.mkdir(exist_ok=True)
    anchor.folder.write_text("a file where the folder should be")
    clinic_trail.write(3)
    with pytest.raises(OSError):
        clinic_trail.seal()
    anchor.folder.unlink()
    clinic_trail.write(2)
    clinic_trail.seal()
    assert [c.statement.number for c in anchor.read(CLINIC)] == [1, 2]


def test_a_line_that_a_power_cut_tore_is_written_again(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3)
    path = clinic_trail.anchor.folder / "trail-1.jsonl"
    path.write_text(path.read_text()[:-40])
    clinic_trail.sealed(2)
    assert clinic_trail.verify().problems == []


def test_a_database_restored_on_another_server_is_not_sealed_blindly(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    clinic_trail.tamper("UPDATE audit_batch SET last_txid = 9000000000")
    clinic_trail.write(1)
    with pytest.raises(MovedServer, match="adopt_trail"):
        clinic_trail.seal()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=70))
def test_the_merkle_root_is_that_of_rfc_6962(lines: list[bytes]) -> None:
    leaves = [canonical.leaf(line) for line in lines]
    assert canonical.merkle_root(leaves) == _recursive_root(leaves)


def _recursive_root(leaves: list[bytes]) -> bytes:
    """The definition, word for word: split at the largest power of two below the size."""
    from hashlib import sha256

    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = _recursive_root(leaves[:split]), _recursive_root(leaves[split:])
    return sha256(b"\1" + left + right).digest()


def _write_as_mara() -> None:
    from audit import trail

    trail.record("contact.viewed", subject="contact:1", actor=MARA)
