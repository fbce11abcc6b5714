"""What counts as a no (TC-02)."""

from __future__ import annotations

import pytest

from consent.choices.stop_words import classify

NOES = """STOP|stop|Stop.|sToP!!|  stop  |"STOP"|S T O P|STOP please|please stop|Quit|QUIT.|END|end!
|Revoke|REVOKE|OPT OUT|opt-out|Opt_Out|optout|CANCEL|cancel.|UNSUBSCRIBE|Unsubscribe me|stop all
|STOPALL|Please stop texting me|take me off your list|remove my number|Do not text me again
|don't email me|I want to opt out|ALTO|Baja|Dar de baja|No más|no me escriban más""".replace(
    "\n", ""
)
UNCLEAR = """please leave me alone|who is this?|I moved to another doctor|don't stop the reminders
|why do I get this|stop by the clinic at noon?|can I cancel my appointment on Monday
|when does it end""".replace("\n", "")


@pytest.mark.parametrize("said", NOES.split("|"))
def test_a_keyword_or_clear_wording_is_a_no(said: str) -> None:
    """TC-02"""
    assert classify(said) == "stop"


@pytest.mark.parametrize("said", UNCLEAR.split("|"))
def test_anything_unclear_is_read_by_a_person(said: str) -> None:
    """TC-02"""
    assert classify(said) == "review"


@pytest.mark.parametrize("said", ["Thanks!", "OK", "yes", "C", "Gracias", "HELP", ""])
def test_thanks_and_confirmations_are_nothing(said: str) -> None:
    assert classify(said) == "nothing"


def test_what_is_quoted_and_signed_does_not_count() -> None:
    mail = "Stop\n-- \nAda, who likes long signatures\n"
    assert classify(mail) == "stop"
    quoted = "Thanks\n\nOn Mon, Mar 2, 2026 Harbor Clinic wrote:\n> Stop these mails: https://h\n"
    assert classify(quoted) == "nothing"
