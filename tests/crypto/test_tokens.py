"""CS-04, TR-02: links carry opaque tokens that outlive rotations."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import keyring, tokens
from crypto.tokens import TokenRefused
from tests.conftest import NOON

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
PAYLOADS = st.dictionaries(
    st.text(max_size=4), st.integers(-(2**40), 2**60) | st.text(max_size=20), max_size=4
)


def _issue(*, purpose: str = "unsubscribe", lifetime: timedelta | None = None) -> str:
    return tokens.issue({"m": 42}, purpose=purpose, now=NOON, lifetime=lifetime, organisation_id=3)


def test_a_token_brings_back_its_payload(clinic: int) -> None:
    assert tokens.read(_issue(), purpose="unsubscribe", now=NOON) == (3, {"m": 42})


def test_a_token_is_short_and_fits_a_url(clinic: int) -> None:
    token = _issue()
    assert len(token) <= 40
    assert token.replace("-", "").replace("_", "").isalnum()


def test_decoding_a_token_shows_nothing(clinic: int) -> None:
    token = tokens.issue({"who": "CANARY"}, purpose="x", now=NOON, lifetime=None, organisation_id=3)
    assert b"CANARY" not in base64.urlsafe_b64decode(token + "==")


def test_a_token_serves_one_purpose(clinic: int) -> None:
    with pytest.raises(TokenRefused):
        tokens.read(_issue(purpose="open"), purpose="unsubscribe", now=NOON)


def test_a_token_expires(clinic: int) -> None:
    token = _issue(lifetime=timedelta(hours=1))
    tokens.read(token, purpose="unsubscribe", now=NOON + timedelta(minutes=59))
    with pytest.raises(TokenRefused):
        tokens.read(token, purpose="unsubscribe", now=NOON + timedelta(hours=1))


def test_an_unsubscribe_link_works_after_400_days_and_three_rotations(clinic: int) -> None:
    """CS-04."""
    token = _issue()
    for year in range(3):
        keyring.rotate_installation(now=NOON + timedelta(days=100 * year))
    later = NOON + timedelta(days=400)
    assert tokens.read(token, purpose="unsubscribe", now=later).payload == {"m": 42}


def test_another_process_reads_a_token_of_a_newer_key(clinic: int) -> None:
    stale = keyring.installation()
    keyring.rotate_installation(now=NOON)
    token = _issue()
    place = (keyring._database(), None)
    keyring._remembered[place] = (0.0 - 5, keyring._remembered[place][1], stale)
    assert tokens.read(token, purpose="unsubscribe", now=NOON).organisation_id == 3


@SHARED
@given(payload=PAYLOADS, organisation=st.integers(1, 2**31 - 1))
def test_any_payload_makes_the_round_trip(
    clinic: int, payload: dict[str, int | str], organisation: int
) -> None:
    token = tokens.issue(
        payload, purpose="p", now=NOON, lifetime=None, organisation_id=organisation
    )
    assert tokens.read(token, purpose="p", now=NOON) == (organisation, payload)


def test_every_flipped_character_is_refused_alike(clinic: int) -> None:
    """No oracle: one answer for every cause, the unused bits of the last character included."""
    token = _issue()
    answers = set()
    for place, character in enumerate(token):
        for other in "ABCDwxyz0189-_":
            if other != character:
                with pytest.raises(TokenRefused) as refusal:
                    forged = token[:place] + other + token[place + 1 :]
                    tokens.read(forged, purpose="unsubscribe", now=NOON)
                answers.add(str(refusal.value))
    assert answers == {str(TokenRefused())}


@SHARED
@given(st.text(max_size=60))
def test_rubbish_is_refused(clinic: int, text: str) -> None:
    with pytest.raises(TokenRefused):
        tokens.read(text, purpose="unsubscribe", now=NOON)
