"""`verify_trail` and `adopt_trail` as an operator types them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from accounts import tenancy
from accounts.models import Organisation
from audit import seal
from tests.conftest import NOON
from tests.ground.server import OwnDatabase


@pytest.fixture
def two_clinics(
    committed_db: OwnDatabase,
    harbor: Organisation,
    hill: Organisation,
    settings: Settings,
    tmp_path: Path,
) -> list[int]:
    settings.ATTUNE_ANCHOR_DIR = tmp_path
    for clinic in (harbor, hill):
        with tenancy.acting_for(clinic.pk):
            assert seal.run_once(now=NOON) == 1
    return [harbor.pk, hill.pk]


def test_every_organisation_is_verified(two_clinics: list[int]) -> None:
    said = _run("verify_trail")
    assert said.count("whole") == 2


def test_a_broken_trail_fails_and_is_told_as_json(two_clinics: list[int]) -> None:
    harbor, hill = two_clinics
    _tamper(f"DELETE FROM audit_entry WHERE organisation_id = {hill}")
    out = io.StringIO()
    with pytest.raises(CommandError, match=f"organisation {hill}$"):
        call_command("verify_trail", json=True, stdout=out)
    told = {one["organisation_id"]: one for one in json.loads(out.getvalue())}
    assert (told[harbor]["ok"], told[hill]["ok"]) == (True, False)
    assert told[hill]["problems"][0]["kind"] == "deleted"


def test_an_organisation_that_only_the_anchor_remembers_is_missed(two_clinics: list[int]) -> None:
    """Removing an organisation with its whole trail does not remove its checkpoints."""
    _, hill = two_clinics
    for table in ("audit_entry", "audit_batch", "accounts_organisation"):
        column = "id" if table == "accounts_organisation" else "organisation_id"
        _tamper(f"DELETE FROM {table} WHERE {column} = {hill}")
    with pytest.raises(CommandError, match=f"organisation {hill}$"):
        _run("verify_trail")


def test_adoption_begins_a_new_epoch(two_clinics: list[int]) -> None:
    assert "epoch 1 begins" in _run("adopt_trail")
    assert _run("verify_trail").count("whole") == 2


def _run(name: str) -> str:
    out = io.StringIO()
    call_command(name, stdout=out)
    return out.getvalue()


def _tamper(statement: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
