from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.texts import length
from messaging.texts.length import BASIC, EXTENDED, GSM, UCS2

PLAIN = st.text(st.sampled_from(sorted(BASIC | EXTENDED)), max_size=700)


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "segments"),
    [
        ("", GSM, 0, 0),
        ("a" * 160, GSM, 160, 1),
        ("a" * 161, GSM, 161, 2),
        ("a" * 306, GSM, 306, 2),
        ("a" * 307, GSM, 307, 3),
        ("€" * 80, GSM, 160, 1),
        ("€" * 81, GSM, 162, 2),
        ("ñ" * 160, GSM, 160, 1),
        ("á" + "a" * 69, UCS2, 70, 1),
        ("á" + "a" * 70, UCS2, 71, 2),
        ("\N{GRINNING FACE}" * 35, UCS2, 70, 1),
        ("\N{GRINNING FACE}" * 36, UCS2, 72, 2),
    ],
)
def test_a_text_is_measured_as_carriers_do(
    text: str, alphabet: str, units: int, segments: int
) -> None:
    """3GPP TS 23.038 and 23.040"""
    found = length.of(text)
    assert (found.alphabet, found.units, found.segments) == (alphabet, units, segments)


def test_an_escaped_character_is_never_cut_in_two() -> None:
    assert length.of("a" * 152 + "€" + "a" * 152).segments == 3


def test_it_says_what_makes_it_long() -> None:
    assert length.of("“Hi”, José — hí").outside == "“”—í"


@given(PLAIN)
def test_what_the_alphabet_has_stays_in_it(text: str) -> None:
    assert length.of(text).alphabet == GSM


@given(st.text(max_size=700), st.text(min_size=1, max_size=20))
def test_a_longer_text_never_has_fewer_parts(text: str, more: str) -> None:
    assert length.of(text + more).segments >= length.of(text).segments


@given(st.text(min_size=1, max_size=700))
def test_the_parts_hold_the_text(text: str) -> None:
    found = length.of(text)
    assert 0 <= found.left <= (160 if found.alphabet == GSM else 70) + 2 * found.segments
    assert found.characters == len(text)
