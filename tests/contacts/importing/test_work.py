"""Files in the background: part by part, paused, killed and gone on with."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from contacts.importing import accepting, chunks, jobs, staging, storing, work
from contacts.importing.jobs import After, NotNow, State
from contacts.importing.models import ImportChunk, ImportJob, ImportMark, ImportSeen
from contacts.models import Contact, Dirty, Event, ImportRun
from contacts.records import Change, upsert
from tests.conftest import NOON
from tests.contacts.importing.conftest import Bring, living, rows, until, work_off

pytestmark = pytest.mark.usefixtures("at_harbor")


def test_a_file_comes_in_part_by_part(bring: Bring) -> None:
    run = bring(rows(5))
    work_off()
    row = ImportRun.objects.get(pk=run)
    assert (row.state, row.read, row.created) == (State.DONE, 5, 5)
    assert ImportJob.objects.get(pk=run).chunks == 3


def test_a_check_counts_and_writes_nobody(bring: Bring) -> None:
    upsert(
        [
            Change(source="crm", record_number="1", values={"given_name": "Ada"}),
            Change(source="crm", record_number="2", values={"given_name": "Eve"}),
        ],
        now=NOON,
    )
    run = bring("id,first\n1,Ada\n2,Ada\n3,Ada\n3,Ben\n,Ada\n", after=After.CHECK)
    until(run, State.CHECKED)
    told = ImportJob.objects.get(pk=run).foreseen
    assert (told["new"], told["changed"], told["unchanged"]) == (1, 1, 1)
    assert (told["refused"], told["repeated"]) == (1, 1)
    assert living() == 2


def test_a_check_leaves_nothing_of_what_it_met(bring: Bring) -> None:
    until(bring(rows(3), after=After.CHECK), State.CHECKED)
    assert not ImportSeen.objects.exists()


def test_refused_rows_are_left_out_and_the_others_come_in(bring: Bring) -> None:
    run = bring("id,email\n1,a@b.example\n2,nothing\n3,c@d.example\n")
    work_off()
    row = ImportRun.objects.get(pk=run)
    assert (row.created, row.refused) == (2, 1)
    assert row.problems.get().place == "line 3"


def test_a_strict_import_with_a_refused_row_writes_nobody(bring: Bring) -> None:
    run = bring("id,email\n1,a@b.example\n2,nothing\n", strict=True)
    work_off()
    assert ImportRun.objects.get(pk=run).state == State.REFUSED
    assert living() == 0


def test_a_pause_stops_after_the_part_and_resuming_does_the_rest(bring: Bring) -> None:
    run = bring(rows(6))
    until(run, State.RUNNING)
    work.run_once(now=NOON)
    jobs.pause(run)
    assert work.run_once(now=NOON) == 0
    assert living() == 2
    jobs.resume(run)
    work_off()
    assert (ImportRun.objects.get(pk=run).created, living()) == (6, 6)


def test_a_part_that_breaks_is_done_again_whole(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bring(rows(4))
    until(run, State.RUNNING)
    work.run_once(now=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(chunks, "put_refused", None)
        work.run_once(now=NOON)
    assert (ImportJob.objects.get(pk=run).next_chunk, living()) == (1, 2)
    work_off()
    row = ImportRun.objects.get(pk=run)
    assert (row.state, row.created, row.read, living()) == (State.DONE, 4, 4, 4)


def test_only_the_end_waits_for_the_disk(bring: Bring) -> None:
    """Before it, a crash takes whole parts, which are done again; after it, nothing is lost."""
    until(bring(rows(6)), State.RUNNING)
    waited = []
    for _ in range(3):
        with CaptureQueriesContext(connection) as said:
            work.run_once(now=NOON)
        waited.append(not any("synchronous_commit" in one["sql"] for one in said))
    assert waited == [False, False, True]


def test_what_fails_again_and_again_stops_and_can_be_resumed(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bring(rows(4))
    until(run, State.RUNNING)
    with monkeypatch.context() as broken:
        broken.setattr(storing, "store_prepared", None)
        work_off()
    assert ImportRun.objects.get(pk=run).state == State.FAILED
    assert ImportJob.objects.get(pk=run).problem == "TypeError"
    jobs.resume(run)
    work_off()
    assert ImportRun.objects.get(pk=run).state == State.DONE


def test_a_reader_that_died_is_followed_by_another(bring: Bring) -> None:
    run = bring(rows(4), after=After.WAIT)
    dead = staging.claim(now=NOON)
    assert dead is not None
    chunks.put_rows(run, 0, [])
    assert work.run_once(now=NOON) == 0
    assert work.run_once(now=NOON + timedelta(seconds=61)) == 1
    assert (ImportRun.objects.get(pk=run).state, ImportJob.objects.get(pk=run).rows) == (
        State.MAPPING,
        4,
    )


def test_a_reader_that_lost_its_lease_writes_no_more(bring: Bring) -> None:
    bring(rows(4), after=After.WAIT)
    slow = staging.claim(now=NOON)
    assert slow is not None
    assert staging.claim(now=NOON + timedelta(hours=1)) is not None
    with pytest.raises(staging.LeaseLost):
        staging.stage(slow, now=NOON)


def test_the_file_is_deleted_when_the_import_is_done(bring: Bring) -> None:
    """SR-03: a file of people is kept no longer than it is needed."""
    bring(rows(4))
    work_off()
    assert not ImportChunk.objects.exists()


def test_a_file_that_waits_is_deleted_after_its_time(bring: Bring) -> None:
    run = bring(rows(4), after=After.WAIT)
    until(run, State.MAPPING)
    work.run_once(now=NOON + accepting.KEPT + timedelta(minutes=1))
    assert not ImportChunk.objects.exists()
    assert ImportRun.objects.get(pk=run).state == State.DROPPED


def test_the_marks_are_deleted_when_undoing_is_over(bring: Bring) -> None:
    bring(rows(2))
    work_off()
    assert ImportMark.objects.count() == 2
    work.run_once(now=NOON + jobs.UNDOABLE + timedelta(minutes=1))
    assert not ImportMark.objects.exists()


def test_nothing_of_the_file_lies_in_the_clear(bring: Bring) -> None:
    """SR-03: the file, its rows, its header and its name are sealed."""
    run = bring("id,Canarycolumn\n1,Canarybird\n", after=After.WAIT, name="Canaryfile.csv")
    until(run, State.MAPPING)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(j::text, '') FROM contacts_importjob j")
        told = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(encode(payload, 'escape'), '') FROM contacts_importchunk")
        told += cursor.fetchone()[0]
    assert "anary" not in told
    assert b"Canary".hex() not in told


def test_each_contact_is_announced_once(bring: Bring) -> None:
    run = bring(rows(4))
    work_off()
    assert Event.objects.filter(campaign=run, kind="contact.created").count() == 4
    assert Dirty.objects.count() == 4


def test_the_trail_tells_the_way_of_an_import(bring: Bring) -> None:
    run = bring(rows(4))
    work_off()
    told = Entry.objects.filter(subject=f"import:{run}").order_by("id")
    assert list(told.values_list("action", flat=True)) == [
        "import.started",
        "import.begun",
        "import.finished",
    ]


def test_what_is_running_cannot_be_started_again(bring: Bring) -> None:
    run = bring(rows(4))
    until(run, State.RUNNING)
    with pytest.raises(NotNow, match="being imported"):
        jobs.begin(run)


def test_the_same_person_in_two_parts_is_one_contact(bring: Bring) -> None:
    bring("id,first\n1,Ada\n2,Ben\n1,Adaline\n")
    work_off()
    assert Contact.objects.count() == 2
