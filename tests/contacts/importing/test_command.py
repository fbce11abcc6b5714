"""Imports from the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from contacts.importing import jobs
from contacts.importing.jobs import State
from contacts.models import ImportRun
from tests.contacts.importing.conftest import Bring, living, rows, until, work_off

pytestmark = pytest.mark.usefixtures("at_harbor")


def told(*words: object) -> str:
    said = io.StringIO()
    call_command("imports", "--organisation", "harbor", *map(str, words), stdout=said)
    return said.getvalue()


def test_a_paused_import_is_resumed_and_worked_off(bring: Bring) -> None:
    run = bring(rows(3))
    until(run, State.RUNNING)
    jobs.pause(run)
    assert "Paused" in told("list")
    assert "3 new" in told("resume", run, "--wait")


def test_undo_says_its_counts_and_waits_for_yes(bring: Bring) -> None:
    run = bring(rows(2))
    work_off()
    assert "2 new people removed" in told("undo", run)
    assert living() == 2
    told("undo", run, "--yes")
    assert living() == 0


def test_the_refused_rows_go_to_a_file_that_nobody_else_can_read(
    bring: Bring, tmp_path: Path
) -> None:
    run = bring("id,email\n1,nothing\n2,a@b.example\n")
    work_off()
    told("refused", run, "--to", tmp_path / "refused.csv")
    written = (tmp_path / "refused.csv").read_text(encoding="utf-8-sig")
    header, row = csv.reader(written.splitlines())
    assert header == ["id", "email", "Line", "Reason"]
    assert row[:3] == ["1", "nothing", "2"]
    assert (tmp_path / "refused.csv").stat().st_mode & 0o077 == 0


def test_what_is_wrong_is_shown_by_line(bring: Bring) -> None:
    run = bring("id,email\n1,nothing\n2,a@b.example\n")
    work_off()
    assert "line 2: column B (email): is not an e-mail address" in told("show", run)


def test_an_import_that_is_not_there_is_told(bring: Bring) -> None:
    with pytest.raises(CommandError, match="no such import"):
        told("show", ImportRun().pk)


def test_an_unclear_encoding_is_refused_until_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes("As of May;\n\nid;first\n1;In\u00eas\n".encode("cp1252"))
    words = ("import_csv", str(path), "--organisation", "harbor", "--source", "crm")
    with pytest.raises(CommandError, match="--encoding"):
        call_command(*words)
    call_command(*words, "--encoding", "cp1252", "--delimiter", ";", "--header-line", "3")
    assert living() == 1
    with pytest.raises(CommandError, match="delimiter must be"):
        call_command(*words, "--delimiter", "x")
