from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from accounts import api_keys
from accounts.api_keys import KeyRefused
from accounts.models import ApiKey, Organisation
from accounts.roles import Permission
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=90)


@pytest.fixture(autouse=True)
def fresh_memory(at_harbor: Organisation) -> Iterator[None]:
    yield
    api_keys.forget()


def issued() -> tuple[ApiKey, str]:
    return api_keys.issue("EHR", scopes=[Permission.EVENTS_WRITE], expires_at=LATER, now=NOON)


def refused(raw: str, *, after: timedelta = timedelta()) -> str:
    with pytest.raises(KeyRefused) as refusal:
        api_keys.authenticate(raw, now=NOON + after)
    return refusal.value.code


def test_a_key_opens_before_the_organisation_is_known(harbor: Organisation) -> None:
    key, raw = issued()
    found = api_keys.authenticate(raw, now=NOON)
    assert (found.pk, found.organisation_id) == (key.pk, harbor.pk)


def test_the_key_itself_is_not_kept() -> None:
    key, raw = issued()
    kept = ApiKey.objects.filter(pk=key.pk).values().get()
    assert raw.rpartition("_")[2] not in repr(kept)


def test_a_key_grants_its_scopes_and_no_more() -> None:
    key, _ = issued()
    assert key.allows(Permission.EVENTS_WRITE)
    assert not key.allows(Permission.CONTACTS_WRITE)


def test_an_expired_key_is_refused_even_while_remembered() -> None:
    _, raw = issued()
    api_keys.authenticate(raw, now=LATER - timedelta(seconds=1))
    with pytest.raises(KeyRefused, match="expired on 2026-05-31"):
        api_keys.authenticate(raw, now=LATER)


def test_a_revoked_key_is_refused() -> None:
    key, raw = issued()
    api_keys.authenticate(raw, now=NOON)
    assert api_keys.revoke(key.pk, now=NOON)
    assert refused(raw) == "revoked"


def test_a_revocation_elsewhere_bites_when_the_memory_ends() -> None:
    """In truth sooner: at the very next use, though this process remembers the key as good."""
    key, raw = issued()
    api_keys.authenticate(raw, now=NOON)
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=NOON)  # as another process does
    assert refused(raw) == "revoked"


def test_a_key_of_another_organisation_number_is_unknown(harbor: Organisation) -> None:
    _, raw = issued()
    assert refused(raw.replace(f"_{harbor.pk}_", f"_{harbor.pk + 1}_")) == "unknown"


@pytest.mark.parametrize("raw", ["", "attune_0_x", "Bearer", "attune_1_" + "x" * 42])
def test_what_is_no_key_is_called_malformed(raw: str) -> None:
    assert refused(raw) == "malformed"


def test_a_key_without_a_scope_is_not_made() -> None:
    with pytest.raises(ValueError, match="at least one scope"):
        api_keys.issue("EHR", scopes=[], expires_at=LATER, now=NOON)


def test_a_staff_permission_is_no_scope() -> None:
    with pytest.raises(ValueError, match="scope"):
        api_keys.issue("EHR", scopes=[Permission.STAFF_MANAGE], expires_at=LATER, now=NOON)
