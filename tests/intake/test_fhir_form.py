"""FHIR files behind the scenes: part by part, paused, killed, resumed, refused in part, undone."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from accounts.models import Organisation
from audit.models import Entry as TrailEntry
from contacts import matching
from contacts.fields import DataClass
from contacts.importing import accepting, jobs, refused_file, storing, undoing, work
from contacts.importing.jobs import After, State
from contacts.importing.models import ImportJob
from contacts.models import Contact, Event, ImportRun
from contacts.reveal import reveal
from marketing.intake import fhir_form
from tests.conftest import NOON
from tests.contacts.importing.conftest import living, until, work_off
from tests.contacts.importing.test_kills import killed_after
from tests.ground.server import OwnDatabase
from tests.intake.builders import bundle, condition, patient

pytestmark = pytest.mark.usefixtures("at_harbor")
BROKEN = patient("9", birthDate="unknown, ask Lovelace")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entries a part, so that a short file has several."""
    monkeypatch.setattr(fhir_form, "GROUP", 2)


def brought(*resources: Any, after: After = After.RUN, **more: Any) -> UUID:
    lines = "\n".join(json.dumps(one) for one in resources)
    given = {"name": "a.ndjson", "source": "fhir", "now": NOON, "after": after, **more}
    return accepting.accept([lines.encode()], **given).pk


def many(count: int) -> list[dict[str, Any]]:
    return [patient(str(number)) for number in range(1, count + 1)]


def row(run: UUID) -> ImportRun:
    return ImportRun.objects.get(pk=run)


def values_of(number: str) -> dict[str, Any]:
    (one,) = matching.ids_by_number([("urn:hospital", number)])
    assert one is not None
    return reveal([one], list(DataClass), purpose="test")[one]


def test_a_file_is_checked_with_counts_and_writes_nobody() -> None:
    run = brought(*many(3), {"resourceType": "Claim"}, BROKEN, after=After.WAIT)
    work_off()
    job = ImportJob.objects.get(pk=run)
    assert row(run).state == State.CHECKED
    assert (job.foreseen["new"], job.foreseen["refused"], job.foreseen["read"]) == (3, 1, 5)
    assert row(run).ignored == {"Claim": 1}
    problem = row(run).problems.get()
    assert problem.place == "line 5"
    assert "Lovelace" not in problem.message
    assert living() == 0


def test_what_was_checked_is_stored_without_the_refused() -> None:
    run = brought(*many(3), BROKEN, after=After.WAIT)
    work_off()
    jobs.begin(run)
    work_off()
    done = row(run)
    assert (done.state, done.read, done.created, done.refused) == (State.DONE, 4, 3, 1)
    assert living() == 3


def test_who_is_known_is_foreseen_as_changed_or_as_before() -> None:
    brought(*many(2))
    work_off()
    changed = patient("1", name=[{"family": "Byron", "given": ["Ada"]}])
    run = brought(changed, patient("2"), patient("3"), after=After.WAIT)
    work_off()
    foreseen = ImportJob.objects.get(pk=run).foreseen
    assert (foreseen["new"], foreseen["changed"], foreseen["unchanged"]) == (1, 1, 1)


def test_what_comes_parts_before_its_patient_is_put_together() -> None:
    """HD-02: a bulk export has a line for each resource, in any order."""
    run = brought(condition("1"), condition("2"), *many(3), after=After.WAIT)
    work_off()
    job = ImportJob.objects.get(pk=run)
    assert (job.foreseen["refused"], job.chunks) == (0, 6)
    jobs.begin(run)
    work_off()
    assert (row(run).created, row(run).read) == (3, 5)
    assert values_of("1")["conditions"][0]["code"] == "44054006"


def test_what_speaks_of_a_patient_by_an_address_finds_them_in_a_later_part() -> None:
    url = "urn:uuid:0f0d8d5e-0000-4000-8000-000000000001"
    about = condition("1", subject={"reference": url})
    other = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": patient("1")}],
    }
    brought(about, patient("2"), patient("3"), other)
    work_off()
    assert values_of("1")["conditions"][0]["code"] == "44054006"


def test_what_is_about_nobody_known_is_refused_and_the_rest_stored() -> None:
    run = brought(patient("1"), condition("7"), after=After.WAIT)
    work_off()
    assert "neither in the file nor known" in row(run).problems.get().message
    jobs.begin(run)
    work_off()
    assert (row(run).created, row(run).refused) == (1, 1)


def test_what_is_about_a_refused_patient_is_refused_with_them() -> None:
    run = brought(condition("9"), patient("1"), BROKEN, after=After.WAIT)
    work_off()
    assert ImportJob.objects.get(pk=run).foreseen["refused"] == 2


def test_refused_entries_are_given_back_as_they_came_and_mended_come_in() -> None:
    run = brought(patient("1"), condition("9"), BROKEN, after=After.WAIT)
    work_off()
    jobs.begin(run)
    work_off()
    given = refused_file.download(ImportJob.objects.get(pk=run))
    back = json.loads(b"".join(given.parts))
    assert {one["resource"]["id"] for one in back["entry"]} == {"p9", "c9"}
    outcome = back["entry"][0]["response"]["outcome"]["issue"][0]["diagnostics"]
    assert outcome.startswith("line ")
    assert TrailEntry.objects.filter(action="import.downloaded").count() == 1
    for one in back["entry"]:
        one["resource"].pop("birthDate", None)
    mended = brought(back)
    work_off()
    assert (row(mended).created, row(mended).refused) == (1, 0)
    assert values_of("9")["conditions"][0]["code"] == "44054006"


def test_everything_that_is_said_of_a_refused_person_is_given_back() -> None:
    long = {"given": ["x" * 900] * 2, "family": "Long"}
    run = brought(bundle(patient("1", name=[long]), condition("1")), patient("2"))
    work_off()
    assert (row(run).created, row(run).refused) == (1, 2)


def test_a_file_that_breaks_in_its_middle_writes_nobody() -> None:
    whole = "\n".join(json.dumps(one) for one in many(3))
    run = accepting.accept(
        [whole[:-9].encode()], name="a", source="fhir", now=NOON, after=After.RUN
    ).pk
    work_off()
    assert row(run).state == State.REFUSED
    assert row(run).problems.get().place == "line 3"
    assert living() == 0


def test_a_paused_import_goes_on_where_it_stopped() -> None:
    run = brought(*many(5))
    until(run, State.RUNNING)
    work.run_once(now=NOON)
    jobs.pause(run)
    work_off()
    assert (row(run).state, living()) == (State.PAUSED, 2)
    jobs.resume(run)
    work_off()
    assert (row(run).state, living(), row(run).created) == (State.DONE, 5, 5)


@pytest.mark.parametrize("part", [0, 3], ids=["of the patients", "of what is about them"])
def test_an_import_goes_on_where_it_was_killed_and_doubles_nothing(
    committed_db: OwnDatabase, at_harbor: Organisation, part: int
) -> None:
    """SR-23: kill -9 in the middle of a part, of either pass."""
    run = brought(condition("1"), condition("2"), *many(3))
    until(run, State.RUNNING)
    for _ in range(part):
        work.run_once(now=NOON)
    killed_after(storing, "store_prepared", at_harbor.pk)
    assert ImportJob.objects.get(pk=run).next_chunk == part
    work_off()
    assert (row(run).state, row(run).created, living()) == (State.DONE, 3, 3)
    assert Event.objects.filter(campaign=run, kind="contact.created").count() == 3
    assert len(values_of("2")["conditions"]) == 1


def test_undoing_takes_everybody_out_and_puts_values_back() -> None:
    brought(patient("1"))
    work_off()
    again = patient("1", name=[{"family": "Byron", "given": ["Ada"]}])
    run = brought(condition("2"), again, patient("2"), patient("3"))
    work_off()
    assert (living(), values_of("1")["family_name"]) == (3, "Byron")
    undoing.begin(run, now=NOON)
    work_off()
    assert row(run).state == State.UNDONE
    assert (living(), values_of("1")["family_name"]) == (1, "Lovelace")


def test_it_has_no_columns_to_be_chosen() -> None:
    from contacts.importing.mapping import Column, Meaning

    run = brought(patient("1"), after=After.WAIT)
    work_off()
    with pytest.raises(jobs.NotNow, match="no columns"):
        jobs.choose(run, Meaning((Column(0, "id", "record_number"),)), remember=False, now=NOON)
    assert row(run).state == State.CHECKED
    assert Contact.objects.count() == 0
