"""SE-04, SE-05, SE-06: a key for each subject, wrapped, re-wrapped, destroyed."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from crypto import data_keys, inventory, rotation
from crypto.models import DataKey
from crypto.seal import SealBroken
from tests.conftest import NOON


def test_what_was_created_is_loaded_again(clinic: int) -> None:
    made = data_keys.create(clinic, [5, 7])
    assert data_keys.load(clinic, [5, 7]) == made
    assert len({*made.values()}) == 2


def test_the_database_holds_no_key_in_the_clear(clinic: int) -> None:
    made = data_keys.create(clinic, [5])
    assert made[5] not in bytes(DataKey.objects.get().wrapped)


def test_a_shredded_subject_has_no_key(clinic: int) -> None:
    made = data_keys.create(clinic, [5, 7])
    assert data_keys.shred(clinic, [5]) == 1
    assert data_keys.load(clinic, [5, 7]) == {7: made[7]}


def test_a_key_moved_to_another_subject_does_not_open(clinic: int) -> None:
    """SR-08 for keys: one patient's key cannot be given to another's records."""
    data_keys.create(clinic, [5, 7])
    DataKey.objects.filter(pk=5).update(wrapped=DataKey.objects.get(pk=7).wrapped)
    with pytest.raises(SealBroken, match="subject 5"):
        data_keys.load(clinic, [5])


def test_another_organisation_finds_no_keys(clinic: int, hill: Organisation) -> None:
    data_keys.create(clinic, [5])
    with tenancy.acting_for(hill.pk):
        assert data_keys.load(hill.pk, [5]) == {}


def test_rotation_wraps_keys_anew_and_changes_none(clinic: int) -> None:
    made = data_keys.create(clinic, range(12))
    version, count = rotation.rotate(clinic, now=NOON)
    assert (version, count) == (2, 12)
    assert data_keys.load(clinic, range(12)) == made
    assert inventory.of_version(clinic, 1).get("crypto_datakey.wrapped", 0) == 0
    assert inventory.of_version(clinic, 2)["crypto_datakey.wrapped"] == 12


def test_rotation_goes_in_batches(clinic: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 5)
    made = data_keys.create(clinic, range(12))
    steps: list[int] = []
    rotation.rotate(clinic, now=NOON, progress=steps.append)
    assert steps == [5, 10, 12]
    assert data_keys.load(clinic, range(12)) == made


def test_an_interrupted_rotation_is_finished_by_the_next(
    clinic: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 5)
    data_keys.create(clinic, range(12))

    def give_up(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(clinic, now=NOON, progress=give_up)
    assert rotation.rewrap(clinic) == 7


def test_a_version_in_use_is_not_destroyed(clinic: int) -> None:
    from crypto import keyring

    data_keys.create(clinic, [5])
    keyring.rotate(clinic, now=NOON)
    with pytest.raises(rotation.StillNeeded, match=r"1 in crypto_datakey\.wrapped"):
        rotation.destroy(clinic, 1, now=NOON)


def test_the_command_rotates_and_counts(clinic: int) -> None:
    made = data_keys.create(clinic, [5, 7, 9])
    out = io.StringIO()
    call_command("rotate_keys", organisation=clinic, stdout=out)
    assert "version 2 writes; 3 data keys wrapped" in out.getvalue()
    assert data_keys.load(clinic, [5, 7, 9]) == made
    assert Entry.objects.get(action="keys.rotated").facts() == {"version": 2, "rewrapped": 3}


def test_no_subject_opens_after_its_organisation_key_is_gone(clinic: int) -> None:
    """SE-06 for an organisation: without its keys, a dump holds noise."""
    from crypto import keyring

    data_keys.create(clinic, [5])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crypto_organisationkey")
    keyring.forget(clinic)
    with pytest.raises(keyring.NoKeys):
        data_keys.load(clinic, [5])
