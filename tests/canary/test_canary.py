"""SR-03, SE-14, SE-15: planted values are found nowhere but where they belong."""

from __future__ import annotations

import base64
import subprocess

import pytest
from django.db import connections

from contacts.fields import FIELDS
from tests.canary import planted, search
from tests.canary.conftest import CONTROL, Aftermath


def test_every_field_of_a_contact_is_planted() -> None:
    """A new field without a canary fails here."""
    assert planted.fields_planted() | planted.CANNOT_BE_UNIQUE == set(FIELDS)


def test_the_journey_leaves_no_patients_value_behind(aftermath: Aftermath) -> None:
    """Everything at once, because the journey is what takes time. The mails are excluded."""
    assert len(aftermath.sent) == 4, "Ada twice, Cleo twice; Ben's server refused"
    assert any(planted.STEM in body for body in aftermath.sent)
    kept = _database(aftermath)
    for place in ("dump", "tables", "wal"):
        assert any(CONTROL.encode() in kept[name] for name in kept if name.startswith(place))
    assert b"text withheld" in aftermath.log
    assert any(b"marketing.tick" in content for content in aftermath.broker.values())
    anchored = dict(search.files(aftermath.anchor))
    assert anchored
    pages = {f"page {n}": page for n, page in enumerate(aftermath.pages)}
    everything = kept | {"log": aftermath.log} | aftermath.broker | anchored | pages
    assert search.all_leaks(everything) == []


@pytest.mark.parametrize("word", [planted.STEM, planted.PHONE, planted.DATES[0]])
@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_the_search_finds_every_form(word: str, before: str) -> None:
    text = f"{before}{word} and more".encode()
    for content in (text, text.upper(), text.hex().encode(), base64.b64encode(text)):
        assert search.leaks("here", b"\0rubbish" + content + b"\xff")


def _database(aftermath: Aftermath) -> dict[str, bytes]:
    """Return the dump, the database's raw files, the write-ahead log and the server's own log."""
    postgres = aftermath.server.postgres
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        folder = cursor.fetchone()[0]
    dump = subprocess.run(
        [str(postgres.programs / "pg_dump"), aftermath.database.owner_url],
        capture_output=True,
        check=True,
        timeout=120,
    )
    raw = {
        f"tables/{name}": content for name, content in search.files(postgres.data / "base" / folder)
    }
    wal = {f"wal/{name}": content for name, content in search.files(postgres.data / "pg_wal")}
    return {"dump": dump.stdout, "server log": postgres.log.read_bytes()} | raw | wal
