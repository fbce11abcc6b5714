"""SR-03, SE-14, SE-15: planted values are found nowhere but where they belong."""

from __future__ import annotations

import base64

import pytest

from contacts.fields import FIELDS
from tests.canary import kept, planted, search
from tests.canary.conftest import CONTROL, Aftermath


def test_every_field_of_a_contact_is_planted() -> None:
    """A new field without a canary fails here."""
    assert planted.fields_planted() | planted.CANNOT_BE_UNIQUE == set(FIELDS)


def test_the_journey_leaves_no_patients_value_behind(aftermath: Aftermath) -> None:
    """Everything at once, because the journey is what takes time. The mails are excluded."""
    assert len(aftermath.sent) == 4, "Ada twice, Cleo twice; Ben's server refused"
    assert any(planted.STEM in body for body in aftermath.sent)
    held = kept.by(aftermath.database, aftermath.server)
    for place in ("dump", "tables", "wal"):
        assert any(CONTROL.encode() in held[name] for name in held if name.startswith(place))
    assert b"text withheld" in aftermath.log
    assert any(b"marketing.tick" in content for content in aftermath.broker.values())
    anchored = dict(search.files(aftermath.anchor))
    assert anchored
    pages = {f"page {n}": page for n, page in enumerate(aftermath.pages)}
    everything = held | {"log": aftermath.log} | aftermath.broker | anchored | pages
    assert search.all_leaks(everything) == []


@pytest.mark.parametrize("word", [planted.STEM, planted.PHONE, planted.DATES[0]])
@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_the_search_finds_every_form(word: str, before: str) -> None:
    text = f"{before}{word} and more".encode()
    for content in (text, text.upper(), text.hex().encode(), base64.b64encode(text)):
        assert search.leaks("here", b"\0rubbish" + content + b"\xff")
