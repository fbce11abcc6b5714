"""Length and guessability, nothing else (SE-08)."""

from __future__ import annotations

import pytest

from accounts import passwords
from accounts.models import User
from tests.conftest import NOON

USER = User(email="mara.lind@harbor.example", name="Mara Lind")


def problems(password: str) -> list[str]:
    return passwords.problems(password, user=USER, organisation_name="Harbor Clinic")


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet herons wade",
        "no digits no capitals needed",
        "ünïcödé häll of mïrrörs 鏡の間",
        "    spaces    count    too    ",
        "long enough to be a whole paragraph of text " * 4,
    ],
)
def test_what_is_long_and_unlike_anything_will_do(password: str) -> None:
    assert problems(password) == []


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "passwordpassword",
        "Mara Lind Harbor Clinic",
        "attuneattuneattune1",
        "lind-harbor-clinic-2026",
        "x" * 300,
    ],
)
def test_what_is_short_or_would_be_guessed_is_refused(password: str) -> None:
    assert problems(password)


@pytest.mark.django_db
def test_no_character_is_cut_off(mara: User, at_harbor: object) -> None:
    """bcrypt would ignore what comes after the 72nd byte."""
    long = "heron " * 20
    passwords.choose(mara, long + "one", now=NOON)
    assert passwords.matches(mara, long + "one")
    assert not passwords.matches(mara, long + "two")


@pytest.mark.django_db
def test_the_same_letters_typed_elsewhere_match(mara: User, at_harbor: object) -> None:
    passwords.choose(mara, "Ame\u0301lie wades with herons", now=NOON)
    assert passwords.matches(mara, "Am\u00e9lie wades with herons")


@pytest.mark.django_db
def test_a_password_is_kept_by_argon2(mara: User, at_harbor: object) -> None:
    passwords.choose(mara, "seven quiet herons wade", now=NOON)
    assert mara.password.startswith("argon2$argon2id$")
