"""SE-11, SE-12: every tampering with the trail is found."""

from __future__ import annotations

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import seal
from audit.anchor import FileAnchor
from audit.checkpoint import Checkpoint
from audit.models import Batch, Entry
from audit.verify import verify
from crypto import keyring
from tests.audit.conftest import CLINIC, Trail
from tests.conftest import NOON


def test_a_whole_trail_is_found_whole(clinic_trail: Trail) -> None:
    clinic_trail.sealed(5, 1, 7)
    clinic_trail.write(2)
    report = clinic_trail.verify()
    assert (report.problems, report.batches, report.anchored) == ([], 3, 3)
    assert (report.entries, report.unsealed) == (15, 2)


def test_an_edited_entry_is_named(clinic_trail: Trail) -> None:
    clinic_trail.sealed(5, 5, 5)
    culprit = Entry.objects.order_by("id")[7].pk
    assert clinic_trail.tamper("UPDATE audit_entry SET actor_id = 'x' WHERE id = %s", culprit) == 1
    [problem] = clinic_trail.verify().problems
    assert (problem.kind, problem.batch) == ("edited", 2)
    assert str(culprit) in problem.sentence


def test_a_deleted_entry_is_named(clinic_trail: Trail) -> None:
    clinic_trail.sealed(5, 5)
    culprit = Entry.objects.order_by("id")[2].pk
    clinic_trail.tamper("DELETE FROM audit_entry WHERE id = %s", culprit)
    [problem] = clinic_trail.verify().problems
    assert (problem.kind, problem.batch) == ("deleted", 1)
    assert str(culprit) in problem.sentence


def test_an_entry_inserted_into_the_past_is_named(clinic_trail: Trail) -> None:
    clinic_trail.sealed(5, 5)
    first = Entry.objects.order_by("id")[0]
    clinic_trail.tamper(
        "INSERT INTO audit_entry (id, organisation_id, txid, actor_kind, actor_id, action, subject,"
        " outcome, detail) VALUES (-7, 1, %s::text::xid8, 'staff', 'x', 'contact.viewed', '',"
        " 'done', '{}')",
        str(first.txid),
    )
    problems = clinic_trail.verify().problems
    assert [(p.kind, p.batch) for p in problems] == [("inserted", 1)]
    assert "-7" in problems[0].sentence


def test_two_entries_that_changed_places_are_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(5)
    first, second = Entry.objects.order_by("id")[1:3]
    clinic_trail.tamper("UPDATE audit_entry SET id = -1 WHERE id = %s", first.pk)
    clinic_trail.tamper("UPDATE audit_entry SET id = %s WHERE id = %s", first.pk, second.pk)
    clinic_trail.tamper("UPDATE audit_entry SET id = %s WHERE id = -1", second.pk)
    assert clinic_trail.kinds() == {"edited"}


def test_an_entry_moved_to_another_batch_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3)
    first, last = Entry.objects.order_by("id").first(), Entry.objects.order_by("id").last()
    assert first and last
    clinic_trail.tamper(
        "UPDATE audit_entry SET txid = %s::text::xid8 WHERE id = %s", str(last.txid), first.pk
    )
    assert clinic_trail.kinds() == {"deleted", "inserted"}


def test_a_separator_hidden_in_a_field_is_found(clinic_trail: Trail) -> None:
    """The line's bytes stay the same; only the field's border moves."""
    clinic_trail.sealed(3)
    one = Entry.objects.order_by("id")[1]
    clinic_trail.tamper(
        "UPDATE audit_entry SET subject = subject || E'\\t' || outcome, outcome = detail,"
        " detail = '' WHERE id = %s",
        one.pk,
    )
    assert not clinic_trail.verify().ok


def test_a_cut_tail_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3, 3)
    clinic_trail.tamper("DELETE FROM audit_batch WHERE number = 3")
    clinic_trail.tamper("DELETE FROM audit_entry WHERE subject LIKE 'contact:20%%'")
    assert clinic_trail.kinds() == {"truncated"}


def test_an_emptied_trail_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3)
    clinic_trail.tamper("TRUNCATE audit_batch, audit_entry")
    assert clinic_trail.kinds() == {"truncated"}


def test_a_batch_taken_out_of_the_middle_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3, 3)
    clinic_trail.tamper("DELETE FROM audit_batch WHERE number = 2")
    assert {"gap", "chain"} <= clinic_trail.kinds()


def test_a_chain_rewritten_with_fresh_hashes_lacks_signatures(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3, 3)
    _rewrite(clinic_trail, Ed25519PrivateKey.generate())
    assert {"signature", "fork"} <= clinic_trail.kinds()


def test_a_chain_rewritten_with_the_real_key_forks_from_the_anchor(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3, 3)
    _rewrite(clinic_trail, keyring.installation().trail_signing)
    report = clinic_trail.verify()
    assert {problem.kind for problem in report.problems} == {"fork"}
    assert len(report.problems) == 3


def test_a_chain_rewritten_under_a_key_of_ones_own_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3)
    mine = Ed25519PrivateKey.generate()
    _rewrite(clinic_trail, mine)
    public = mine.public_key().public_bytes_raw()
    clinic_trail.tamper("UPDATE crypto_installationkey SET public = %s", public)
    keyring.forget(None)
    assert {"signature", "fork"} <= clinic_trail.kinds()


def test_a_restored_older_database_is_found_before_it_goes_on(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    before = clinic_trail.anchor.last(CLINIC)
    clinic_trail.sealed(3)
    _forget_since(clinic_trail, before)
    assert clinic_trail.kinds() == {"truncated"}


def test_a_restored_older_database_that_went_on_is_a_fork(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3)
    _forget_since(clinic_trail, 1)
    clinic_trail.sealed(4)
    assert clinic_trail.kinds() == {"fork"}


def test_an_entry_from_a_transaction_to_come_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    clinic_trail.tamper(
        "INSERT INTO audit_entry (organisation_id, txid, actor_kind, actor_id, action, subject,"
        " outcome, detail)"
        " VALUES (1, '999999999', 'staff', 'x', 'contact.viewed', '', 'done', '{}')"
    )
    assert clinic_trail.kinds() == {"future"}


def test_a_checkpoint_that_the_anchor_lost_is_a_gap(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3, 3, 3)
    path = clinic_trail.anchor.folder / "trail-1.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    assert clinic_trail.kinds() == {"anchor-gap"}


def test_a_checkpoint_altered_in_the_anchor_is_found(clinic_trail: Trail) -> None:
    clinic_trail.sealed(3)
    path = clinic_trail.anchor.folder / "trail-1.jsonl"
    path.write_text(path.read_text().replace('"entries":3', '"entries":2'))
    assert clinic_trail.kinds() == {"anchor-signature", "fork"}


def test_a_batch_that_never_reached_the_anchor_is_a_problem_later(
    clinic_trail: Trail, anchor: FileAnchor
) -> None:
    clinic_trail.sealed(3)
    (anchor.folder / "trail-1.jsonl").unlink()
    assert clinic_trail.verify().ok
    later = verify(organisation_id=CLINIC, now=NOON.replace(hour=13), anchor=anchor)
    assert [problem.kind for problem in later.problems] == ["not-anchored"]


def _rewrite(trail: Trail, key: Ed25519PrivateKey) -> None:
    """Change an entry and make every batch anew, hashes, chain and signatures included."""
    trail.tamper("UPDATE audit_entry SET actor_id = 'somebody-else'")
    size = Batch.objects.get(number=1).entries
    trail.tamper("DELETE FROM audit_batch")
    nowhere = FileAnchor(trail.anchor.folder / "nowhere")
    seal.run_once(organisation_id=CLINIC, now=NOON, anchor=nowhere, limit=size)
    _sign_again(trail, key)


def _sign_again(trail: Trail, key: Ed25519PrivateKey) -> None:
    previous = bytes(32)
    for batch in Batch.objects.order_by("number"):
        said = replace(Checkpoint.of(batch).statement, previous=previous.hex())
        signed = Checkpoint.sign(said, key)
        previous = said.hash()
        trail.tamper(
            "UPDATE audit_batch SET hash = %s, previous = %s, signature = %s WHERE number = %s",
            previous,
            bytes.fromhex(said.previous),
            signed.signature,
            batch.number,
        )


def _forget_since(trail: Trail, number: int) -> None:
    """Bring the database back to what a backup after batch `number` held."""
    kept = Batch.objects.get(number=number)
    trail.tamper("DELETE FROM audit_batch WHERE number > %s", number)
    trail.tamper("DELETE FROM audit_entry WHERE id > %s", kept.last_id)
