"""SE-05: keys change while others read and write, and nothing fails."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import call_command
from django.db import connection

from accounts import tenancy
from crypto import data_keys, keyring, root, rotation
from crypto.models import InstallationKey, OrganisationKey
from crypto.root import EnvironmentRootKey, RootKeyRefused
from crypto.seal import Context, seal, unseal
from tests.conftest import NOON
from tests.ground.server import OwnDatabase

OLD, NEW = root.generated_key(), root.generated_key()


def test_no_read_and_no_write_fails_while_keys_rotate(
    committed_db: OwnDatabase, clinic: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 20)
    made = data_keys.create(clinic, range(200))
    first = seal(keyring.for_organisation(clinic).writing, b"before", context=_here(clinic))
    done = threading.Event()

    def use() -> int:
        rounds = 0
        with tenancy.acting_for(clinic):
            while not done.is_set() or rounds < 3:
                assert data_keys.load(clinic, range(200)) == made
                keys = keyring.for_organisation(clinic)
                assert unseal(keys, first, context=_here(clinic)) == b"before"
                fresh = seal(keys.writing, b"now", context=_here(clinic))
                assert unseal(keys, fresh, context=_here(clinic)) == b"now"
                rounds += 1
        connection.close()
        return rounds

    with ThreadPoolExecutor() as pool:
        users = [pool.submit(use) for _ in range(2)]
        for _ in range(3):
            rotation.rotate(clinic, now=NOON)
        done.set()
        assert all(user.result() >= 3 for user in users)
    assert keyring.for_organisation(clinic).writing.version == 4


@pytest.fixture
def under_old_root(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Everything that the test makes is wrapped by OLD."""
    _give_root_keys(monkeypatch, OLD)
    yield monkeypatch
    keyring.forget(None)


def test_a_changed_root_key_opens_everything_without_the_old_one(
    under_old_root: pytest.MonkeyPatch, clinic: int
) -> None:
    made = data_keys.create(clinic, [5])
    _give_root_keys(under_old_root, f"{NEW},{OLD}")
    call_command("rotate_keys", root=True, stdout=io.StringIO())
    _give_root_keys(under_old_root, NEW)
    keyring.forget(clinic)
    keyring.forget(None)
    assert data_keys.load(clinic, [5]) == made
    assert keyring.installation().token_writing.version == 1


def test_without_the_change_the_new_root_key_opens_nothing(
    under_old_root: pytest.MonkeyPatch, clinic: int
) -> None:
    _give_root_keys(under_old_root, NEW)
    keyring.forget(clinic)
    with pytest.raises(RootKeyRefused, match="second line"):
        keyring.for_organisation(clinic)


def test_every_stored_key_is_wrapped_anew(under_old_root: pytest.MonkeyPatch, clinic: int) -> None:
    keyring.installation()
    before = _wrapped()
    assert len(before) == 4, "sealing and index, tokens and trail"
    _give_root_keys(under_old_root, f"{NEW},{OLD}")
    rotation.change_root(organisation_id=clinic)
    rotation.change_root(organisation_id=None)
    assert not _wrapped() & before


def _wrapped() -> set[bytes]:
    return {
        bytes(wrapped)
        for model in (OrganisationKey, InstallationKey)
        for wrapped in model._default_manager.values_list("wrapped", flat=True)
    }


def _give_root_keys(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    keys = EnvironmentRootKey(value, production=False)
    monkeypatch.setattr(root, "provider", lambda: keys)


def _here(clinic: int) -> Context:
    return Context(clinic, "any", 1, "any")
