"""Blind indexes and sealed columns; nonces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from crypto import blind_index, columns, data_keys, keyring
from crypto.ids import uuid7
from crypto.seal import NONCE_SIZE, Context, Key, SealBroken, seal, seal_classes, unseal
from tests.conftest import NOON

PLACE = {"field": "conditions", "block": 3, "version": 9}
ELSEWHERE = [{"field": "gender"}, {"block": 4}, {"version": 8}]


def test_a_block_opens_where_it_was_sealed(clinic: int) -> None:
    sealed = columns.seal_block(clinic, **PLACE, payload=b"packed")  # type: ignore[arg-type]
    assert columns.open_block(clinic, **PLACE, payload=sealed) == b"packed"  # type: ignore[arg-type]


@pytest.mark.parametrize("moved", ELSEWHERE, ids=["field", "block", "replayed version"])
def test_a_moved_or_replayed_block_does_not_open(clinic: int, moved: dict[str, object]) -> None:
    """SR-08, W5."""
    sealed = columns.seal_block(clinic, **PLACE, payload=b"packed")  # type: ignore[arg-type]
    with pytest.raises(SealBroken):
        columns.open_block(clinic, **(PLACE | moved), payload=sealed)  # type: ignore[arg-type]


def test_a_block_outlives_a_rotation(clinic: int) -> None:
    sealed = columns.seal_block(clinic, **PLACE, payload=b"packed")  # type: ignore[arg-type]
    keyring.rotate(clinic, now=NOON)
    assert columns.open_block(clinic, **PLACE, payload=sealed) == b"packed"  # type: ignore[arg-type]


def test_another_organisation_cannot_open_a_block(clinic: int, hill: Organisation) -> None:
    """SE-01 in the ciphertext, for a leak across rows."""
    sealed = columns.seal_block(clinic, **PLACE, payload=b"packed")  # type: ignore[arg-type]
    with tenancy.acting_for(hill.pk), pytest.raises(SealBroken):
        columns.open_block(hill.pk, **PLACE, payload=sealed)  # type: ignore[arg-type]


def test_an_index_token_is_stable_across_rotation(clinic: int) -> None:
    before = blind_index.token(clinic, "email", "ada@example.org")
    keyring.rotate(clinic, now=NOON)
    assert blind_index.token(clinic, "email", "ada@example.org") == before


def test_index_tokens_differ_by_field_and_organisation(clinic: int, hill: Organisation) -> None:
    ours = {blind_index.token(clinic, field, "5551234") for field in ("phone", "record_number")}
    with tenancy.acting_for(hill.pk):
        theirs = blind_index.token(hill.pk, "phone", "5551234")
    assert len({*ours, theirs}) == 3


def test_many_tokens_equal_one_by_one(clinic: int) -> None:
    values = ["a@b.c", "d@e.f", "a@b.c"]
    one_by_one = [blind_index.token(clinic, "email", value) for value in values]
    assert blind_index.tokens(clinic, "email", values) == one_by_one


def test_no_nonce_repeats_in_a_hundred_thousand(clinic: int) -> None:
    """SE-16; SP 800-38D."""
    fresh = data_keys.wrap_new(clinic, range(100_000))
    assert len({new.wrapped[3 : 3 + NONCE_SIZE] for new in fresh}) == 100_000
    assert len({new.key for new in fresh}) == 100_000


def test_each_place_has_a_subkey_of_its_own() -> None:
    """SE-16: the bound of 2**32 nonces holds for each row and class, not for the organisation."""
    key = Key(1, b"k" * 32)
    places = [Context(o, t, r, c) for o in (1, 2) for t in "ab" for r in (1, 2) for c in "xy"]
    assert len({key.subkey(place.place()) for place in places}) == 16
    assert key.subkey(places[0].place()) == key.subkey(places[0]._replace(version=9).place())


@given(st.tuples(*[st.text(max_size=6)] * 3), st.tuples(*[st.text(max_size=6)] * 3))
def test_no_two_contexts_look_alike(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    contexts = [Context(1, parts[0], parts[1], parts[2]) for parts in (one, other)]
    assert (contexts[0].bound() == contexts[1].bound()) == (one == other)


@given(st.dictionaries(st.sampled_from(["identity", "clinical", "coverage"]), st.binary()))
def test_classes_sealed_together_open_one_by_one(records: dict[str, bytes]) -> None:
    key = b"d" * 32
    sealed = seal_classes(key, records, organisation_id=1, table="t", row=7)
    opened = {
        name: unseal(key, value, context=Context(1, "t", 7, name)) for name, value in sealed.items()
    }
    assert opened == records


@given(plaintext=st.binary(max_size=200), row=st.integers(0, 2**62))
def test_any_bytes_make_the_round_trip(plaintext: bytes, row: int) -> None:
    context, key = Context(1, "t", row, "c"), Key(3, b"k" * 32)
    assert unseal(key, seal(key, plaintext, context=context), context=context) == plaintext


def test_identifiers_sort_by_time() -> None:
    later = uuid7(now=NOON.replace(second=1))
    assert uuid7(now=NOON) < later
    assert (later.version, later.variant) == (7, "specified in RFC 4122")
