"""Undoing an import: what it made goes, what it changed comes back, what others touched stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from audit.models import Entry
from contacts import events, lists
from contacts.fields import DataClass
from contacts.importing import jobs, undoing, work
from contacts.importing.jobs import After, NotNow, State
from contacts.importing.models import ImportChunk, ImportJob, ImportMark
from contacts.importing.undoing import Foreseen
from contacts.models import Contact, Identifier, ImportRun
from contacts.records import Change, upsert
from contacts.reveal import reveal
from crypto.models import DataKey
from tests.conftest import NOON
from tests.contacts.importing.conftest import Bring, living, rows, until, work_off

pytestmark = pytest.mark.usefixtures("at_harbor")


def known(number: str, **values: Any) -> int:
    return upsert(
        [Change(source="crm", record_number=number, values=values)], now=NOON
    ).contact_ids[0]


def values(contact_id: int) -> dict[str, Any]:
    found = reveal([contact_id], list(DataClass), purpose="test")[contact_id]
    found.pop("record_numbers")
    found.pop("journey_stage")
    return found


def undone(run: Any) -> dict[str, int]:
    undoing.begin(run, now=NOON)
    work_off()
    assert ImportRun.objects.get(pk=run).state == State.UNDONE
    counts: dict[str, int] = ImportJob.objects.get(pk=run).undone
    return counts


def test_people_that_it_made_are_removed_for_good(bring: Bring) -> None:
    """SE-06: their keys too."""
    run = bring(rows(3))
    work_off()
    assert undoing.foresee(run) == Foreseen(3, 0, 0, 0)
    assert undone(run)["removed"] == 3
    assert (living(), Identifier.objects.count(), DataKey.objects.count()) == (0, 0, 0)


def test_a_value_that_it_changed_comes_back_and_what_it_added_goes(bring: Bring) -> None:
    ada = known("1", given_name="Ada")
    run = bring("id,first,city\n1,Adaline,Boston\n")
    work_off()
    assert values(ada) == {"given_name": "Adaline", "city": "Boston"}
    assert undoing.foresee(run) == Foreseen(0, 0, 1, 0)
    assert undone(run)["restored"] == 1
    assert values(ada) == {"given_name": "Ada"}


def test_a_value_that_it_cleared_comes_back(bring: Bring) -> None:
    ada = known("1", given_name="Ada", city="Boston")
    run = bring("id,city\n1,NULL\n", choice={"marker": "NULL"})
    work_off()
    assert "city" not in values(ada)
    undone(run)
    assert values(ada)["city"] == "Boston"


def test_a_value_that_was_changed_again_stays_and_the_others_come_back(bring: Bring) -> None:
    ada = known("1", given_name="Ada", city="Boston")
    run = bring("id,first,city\n1,Adaline,Salem\n")
    work_off()
    known("1", city="Lynn")
    assert undoing.foresee(run) == Foreseen(0, 0, 0, 1)
    assert undone(run)["partly"] == 1
    assert values(ada) == {"given_name": "Ada", "city": "Lynn"}


def by_change(contact_id: int) -> None:
    known("1", given_name="Eve")


def by_event(contact_id: int) -> None:
    happened = events.NewEvent(contact_id=contact_id, kind="portal.signed_in", occurred_at=NOON)
    events.append([happened], now=NOON)


def by_list(contact_id: int) -> None:
    lists.add(lists.create("Friends", now=NOON).pk, [contact_id], now=NOON)


@pytest.mark.parametrize("touch", [by_change, by_event, by_list])
def test_whom_something_else_has_touched_is_kept(bring: Bring, touch: Any) -> None:
    run = bring(rows(2))
    work_off()
    touch(Contact.objects.order_by("id")[0].pk)
    assert undoing.foresee(run) == Foreseen(1, 1, 0, 0)
    assert undone(run) == {"removed": 1, "kept": 1, "restored": 0, "partly": 0}
    assert living() == 1


def test_every_table_that_upper_floors_name_is_there(bring: Bring) -> None:
    named = {table for table, _ in undoing._holders}
    assert {"consent_entry", "messaging_message", "workflows_enrolment"} <= named
    with connection.cursor() as cursor:
        for table, column in undoing._holders:
            cursor.execute(f"SELECT {column} FROM {table} LIMIT 0")


def test_undoing_part_by_part_goes_on_after_a_break(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "PART", 2)
    run = bring(rows(5))
    work_off()
    undoing.begin(run, now=NOON)
    work.run_once(now=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(undoing, "_restore", None)
        work.run_once(now=NOON)
    assert (living(), ImportMark.objects.count()) == (3, 3)
    work_off()
    assert (living(), ImportJob.objects.get(pk=run).undone["removed"]) == (0, 5)


def test_two_rows_of_one_person_come_back_to_what_stood_before_both(bring: Bring) -> None:
    ada = known("1", given_name="Ada")
    run = bring("id,first\n1,Adaline\n2,Ben\n1,Addie\n")
    work_off()
    assert values(ada) == {"given_name": "Addie"}
    undone(run)
    assert values(ada) == {"given_name": "Ada"}


def test_an_import_is_undone_once(bring: Bring) -> None:
    run = bring(rows(1))
    work_off()
    undone(run)
    with pytest.raises(NotNow):
        undoing.begin(run, now=NOON)


def test_the_file_can_be_imported_again_after_undoing(bring: Bring) -> None:
    undone_first = bring(rows(2))
    work_off()
    undone(undone_first)
    bring(rows(2))
    work_off()
    assert living() == 2


def test_the_trail_counts_what_was_undone(bring: Bring) -> None:
    run = bring(rows(2))
    work_off()
    undone(run)
    assert '"removed":2' in str(Entry.objects.get(action="import.undone").detail).replace(" ", "")


def paused(bring: Bring) -> Any:
    """Return an import that was paused when two of its five rows had been written."""
    run = bring(rows(5), after=After.CHECK)
    until(run, State.CHECKED)
    jobs.begin(run)
    work.run_once(now=NOON)
    jobs.pause(run)
    return run


def test_an_import_that_was_paused_is_undone_as_far_as_it_came(bring: Bring) -> None:
    run = paused(bring)
    assert (living(), undoing.foresee(run)) == (2, Foreseen(2, 0, 0, 0))
    assert undone(run)["removed"] == 2
    assert living() == 0
    with pytest.raises(NotNow):
        jobs.resume(run)


def test_the_file_of_a_paused_import_goes_when_it_is_undone(bring: Bring) -> None:
    run = paused(bring)
    undoing.begin(run, now=NOON)
    assert not ImportChunk.objects.filter(run_id=run, kind=ImportChunk.Kind.ROWS).exists()


def test_undoing_of_a_paused_import_that_fails_goes_on_with_undoing(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = paused(bring)
    undoing.begin(run, now=NOON)
    with monkeypatch.context() as broken:
        broken.setattr(undoing, "_restore", None)
        work_off()
    assert ImportRun.objects.get(pk=run).state == State.FAILED
    jobs.resume(run)
    work_off()
    assert (ImportRun.objects.get(pk=run).state, living()) == (State.UNDONE, 0)


@pytest.mark.parametrize("state", [State.CHECKED, State.RUNNING])
def test_what_wrote_nothing_yet_or_still_writes_is_not_undone(bring: Bring, state: State) -> None:
    run = bring(rows(5), after=After.CHECK)
    until(run, State.CHECKED)
    if state == State.RUNNING:
        jobs.begin(run)
    with pytest.raises(NotNow):
        undoing.begin(run, now=NOON)
    assert ImportRun.objects.get(pk=run).state == state


def test_an_import_that_was_marked_as_paused_after_its_end_is_done_when_it_goes_on(
    bring: Bring,
) -> None:
    run = bring(rows(2))
    work_off()
    ImportRun.objects.filter(pk=run).update(state=State.PAUSED)
    jobs.resume(run)
    work_off()
    assert (ImportRun.objects.get(pk=run).state, living()) == (State.DONE, 2)
