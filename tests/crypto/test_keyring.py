"""SE-05: writing moves on, reading stays, states follow SP 800-57."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import tenancy
from accounts.models import Organisation
from crypto import inventory, keyring, rotation
from crypto.keyring import NoKeys
from crypto.models import InstallationKey, OrganisationKey
from crypto.seal import Context, KeyUnavailable, seal, unseal
from tests.conftest import NOON

HERE = Context(1, "any", 1, "any")


def test_a_new_version_writes_and_the_old_one_still_reads(clinic: int) -> None:
    old = seal(keyring.for_organisation(clinic).writing, b"before", context=HERE)
    assert keyring.rotate(clinic, now=NOON) == 2
    keys = keyring.for_organisation(clinic)
    assert keys.writing.version == 2
    assert unseal(keys, old, context=HERE) == b"before"


def test_another_process_reads_what_a_newer_version_sealed(clinic: int) -> None:
    """Rotation under load: whoever remembers the old ring reads it again instead of failing."""
    remembered = keyring.for_organisation(clinic)
    keyring.rotate(clinic, now=NOON)
    fresh = seal(keyring.for_organisation(clinic).writing, b"after", context=HERE)
    assert unseal(remembered, fresh, context=HERE) == b"after"


def test_a_prepared_key_neither_writes_nor_reads_yet(clinic: int) -> None:
    assert keyring.prepare(clinic, now=NOON) == 2
    keyring.forget(clinic)
    keys = keyring.for_organisation(clinic)
    assert keys.writing.version == 1
    with pytest.raises(KeyUnavailable):
        keys.reading(2)


def test_rotation_uses_the_prepared_key(clinic: int) -> None:
    keyring.prepare(clinic, now=NOON)
    assert keyring.rotate(clinic, now=NOON) == 2
    assert _states(clinic) == {1: "deactivated", 2: "active"}


def test_the_moments_of_a_key_are_kept(clinic: int) -> None:
    later = NOON + timedelta(days=90)
    keyring.rotate(clinic, now=later)
    rows = {row.version: row for row in OrganisationKey.objects.filter(purpose="sealing")}
    assert (rows[1].activated_at, rows[1].deactivated_at) == (NOON, later)
    assert (rows[2].created_at, rows[2].activated_at) == (later, later)


def test_derived_keys_survive_rotation(clinic: int) -> None:
    before = keyring.for_organisation(clinic).derive("blind index/email")
    keyring.rotate(clinic, now=NOON)
    assert keyring.for_organisation(clinic).derive("blind index/email") == before


def test_organisations_share_no_key(clinic: int, hill: Organisation) -> None:
    ours = keyring.for_organisation(clinic)
    with tenancy.acting_for(hill.pk):
        theirs = keyring.for_organisation(hill.pk)
    assert ours.writing.material != theirs.writing.material
    assert ours.derive("x") != theirs.derive("x")


def test_keys_of_another_organisation_are_out_of_reach(clinic: int, hill: Organisation) -> None:
    """SE-01: row security hides the wrapped keys too."""
    keyring.forget(hill.pk)
    with pytest.raises(NoKeys, match="scope"):
        keyring.for_organisation(hill.pk)


def test_a_rolled_back_organisation_leaves_no_key_in_memory(clinic: int) -> None:
    with tenancy.acting_for(77):
        with pytest.raises(RuntimeError), transaction.atomic():
            keyring.create_for(77, now=NOON)
            raise RuntimeError
        with pytest.raises(NoKeys):
            keyring.for_organisation(77)


def test_an_old_version_is_destroyed_once_nothing_needs_it(clinic: int) -> None:
    rotation.rotate(clinic, now=NOON)
    rotation.destroy(clinic, 1, now=NOON + rotation.REST)
    assert _states(clinic) == {1: "destroyed", 2: "active"}
    assert bytes(OrganisationKey.objects.get(purpose="sealing", version=1).wrapped) == b""


def test_a_version_that_wrote_a_moment_ago_is_not_destroyed(clinic: int) -> None:
    """Another process may still remember it, and what it wrote would be lost."""
    rotation.rotate(clinic, now=NOON)
    with pytest.raises(rotation.StillNeeded, match="a few minutes ago"):
        rotation.destroy(clinic, 1, now=NOON + rotation.REST - timedelta(seconds=1))


def test_the_writing_version_cannot_be_destroyed(clinic: int) -> None:
    with pytest.raises(rotation.StillNeeded):
        rotation.destroy(clinic, 1, now=NOON)


def test_key_material_never_shows(clinic: int) -> None:
    keys = keyring.for_organisation(clinic)
    shown = repr(keys) + repr(keys.writing) + repr(keyring.installation())
    assert keys.writing.material.hex() not in shown
    assert repr(keys.writing.material)[2:-1] not in shown
    assert repr(keys.index)[2:-1] not in shown


def test_the_installation_keys_rotate_too(clinic: int) -> None:
    before = keyring.installation()
    keyring.rotate_installation(now=NOON)
    after = keyring.installation()
    assert (after.token_writing.version, after.trail_version) == (2, 2)
    assert after.trail_public[1] == before.trail_public[1]
    assert InstallationKey.objects.filter(state="active").count() == 2


def test_the_inventory_names_every_version(clinic: int) -> None:
    keyring.rotate(clinic, now=NOON)
    found = [(holding.version, holding.state) for holding in inventory.holdings(clinic)]
    assert found == [(1, "deactivated"), (2, "active")]


def _states(clinic: int) -> dict[int, str]:
    rows = OrganisationKey.objects.filter(organisation_id=clinic, purpose="sealing")
    return dict(rows.values_list("version", "state"))
