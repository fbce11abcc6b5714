"""SR-08, SE-16: a sealed value opens where it was sealed and nowhere else."""

from __future__ import annotations

import pytest

from crypto.seal import Context, Key, KeyUnavailable, Place, SealBroken, seal, unseal

HERE = Context(1, "contacts_contact", 42, "clinical", 3)
KEY = Key(7, b"k" * 32)
ELSEWHERE = {
    "organisation": HERE._replace(organisation_id=2),
    "table": HERE._replace(table="contacts_event"),
    "row": HERE._replace(row=43),
    "class": HERE._replace(field_class="identity"),
    "version": HERE._replace(version=2),
}


@pytest.mark.parametrize("key", [KEY, b"d" * 32], ids=["organisation key", "data key"])
@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_moved_value_does_not_open(key: Key | bytes, place: str) -> None:
    sealed = seal(key, b"E11.9", context=HERE)
    with pytest.raises(SealBroken):
        unseal(key, sealed, context=ELSEWHERE[place])


@pytest.mark.parametrize("key", [KEY, b"d" * 32], ids=["organisation key", "data key"])
def test_any_flipped_bit_is_noticed(key: Key | bytes) -> None:
    sealed = seal(key, b"E11.9", context=HERE)
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            unseal(key, bytes(altered), context=HERE)


class _Ring:
    def __init__(self, key: Key) -> None:
        self.key = key

    def reading(self, version: int) -> Key:
        if version != self.key.version:
            raise KeyUnavailable(f"no key version {version}")
        return self.key


COLUMN = Context(7, "segment_column", 3, "city", version=5)
WRITING = Key(2, bytes(range(32)))


def opened(sealed: bytes, here: Context = COLUMN, key: Key = WRITING) -> bytes:
    place = Place(here.organisation_id, here.table, here.field_class)
    return place.unseal(_Ring(key), sealed, row=int(here.row), version=here.version)


def test_a_place_opens_what_was_sealed_for_its_rows() -> None:
    for row, version in ((3, 5), (-3, 1)):
        here = COLUMN._replace(row=row, version=version)
        assert opened(seal(WRITING, b"words", context=here), here) == b"words"


@pytest.mark.parametrize(
    "other",
    [
        COLUMN._replace(organisation_id=8),
        COLUMN._replace(table="membership"),
        COLUMN._replace(row=4),
        COLUMN._replace(field_class="plan"),
        COLUMN._replace(version=6),
    ],
)
def test_a_place_opens_nothing_that_was_moved_there(other: Context) -> None:
    with pytest.raises(SealBroken):
        opened(seal(WRITING, b"words", context=other))


@pytest.mark.parametrize("at", [0, 1, 2, 3, 15, -1])
def test_a_place_opens_nothing_that_was_altered(at: int) -> None:
    sealed = bytearray(seal(WRITING, b"words", context=COLUMN))
    sealed[at] ^= 1
    with pytest.raises(SealBroken):
        opened(bytes(sealed))


def test_a_place_opens_neither_stumps_nor_what_a_data_key_sealed() -> None:
    for sealed in (b"\x02\x00\x02", seal(bytes(32), b"words", context=COLUMN)):
        with pytest.raises(SealBroken):
            opened(sealed)


def test_a_place_asks_for_the_version_that_sealed() -> None:
    with pytest.raises(KeyUnavailable):
        opened(seal(WRITING, b"words", context=COLUMN), key=Key(3, WRITING.material))
