"""SR-08, SE-16: a sealed value opens where it was sealed and nowhere else."""

from __future__ import annotations

import pytest

from crypto.seal import Context, Key, SealBroken, seal, unseal

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
