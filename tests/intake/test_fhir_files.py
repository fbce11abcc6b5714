"""Importing FHIR files."""

from __future__ import annotations

import csv
import json
import lzma
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organisation
from contacts import matching
from contacts.fields import DataClass
from contacts.importing.runs import Report, State
from contacts.models import Contact, Event, ImportProblem, ImportRun
from contacts.reveal import reveal
from marketing.intake import fhir_files
from tests.conftest import NOON
from tests.intake.builders import DATA, bundle, condition, patient, written

PATIENTS = DATA / "fhir-patients"
pytestmark = pytest.mark.usefixtures("at_harbor")


def imported(path: Path, **more: Any) -> Report:
    return fhir_files.import_files([path], now=NOON, **more)


def only_person() -> dict[str, Any]:
    contact = Contact.objects.get()
    return reveal([contact.pk], list(DataClass), purpose="test")[contact.pk]


def test_hd02_importing_twice_adds_nobody(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", bundle(patient(), condition()))
    imported(path)
    again = imported(path)
    assert (again.tally.created, again.tally.updated, again.tally.unchanged) == (0, 0, 1)
    assert Event.objects.count() == 1


def test_a_bulk_export_with_a_line_for_each_resource_is_put_together(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.ndjson", condition("1"), condition("2"), patient("1"), patient("2")
    )
    assert imported(path).tally.created == 2
    contact = Contact.objects.first()
    assert contact is not None
    values = reveal([contact.pk], [DataClass.CLINICAL], purpose="test")[contact.pk]
    assert values["conditions"][0]["code"] == "44054006"


def test_a_resource_of_a_patient_known_from_before_finds_them(tmp_path: Path) -> None:
    imported(written(tmp_path / "a.json", patient()))
    imported(written(tmp_path / "b.json", condition()))
    assert only_person()["conditions"][0]["code"] == "44054006"


def test_a_resource_of_nobody_known_is_refused_with_its_place(tmp_path: Path) -> None:
    report = imported(written(tmp_path / "a.ndjson", patient("1"), condition("2")))
    assert report.state == State.REFUSED
    (problem,) = report.problems
    assert problem.place == "a.ndjson, line 2"
    assert "neither in the file nor known" in problem.message


def test_a_file_named_after_its_patient_is_called_by_its_number(tmp_path: Path) -> None:
    """Places are kept open and read by roles that see no names; who names files here is told."""
    first = written(tmp_path / "Ada_Lovelace.json", patient("1"))
    second = written(tmp_path / "Ben_Canarybird.json", {"resourceType": "Pacient"})
    report = fhir_files.import_files([first, second], now=NOON)
    assert ImportProblem.objects.get().place == "file 2, line 1"
    assert report.problems[0].place == "Ben_Canarybird.json, line 1"


def test_an_empty_file_among_several_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.json").touch()
    first = written(tmp_path / "a.json", patient("1"))
    report = fhir_files.import_files([first, tmp_path / "b.json"], now=NOON)
    assert str(report.problems[0]) == "b.json: the file is empty"


def test_a_file_with_one_unknown_resource_imports_nobody(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ndjson", bundle(patient()), bundle({"resourceType": "Pacient"}))
    report = imported(path)
    assert str(report.problems[0]).startswith("a.ndjson, line 2, entry 1: unknown resource type")
    assert Contact.objects.count() == 0


def test_a_truncated_file_imports_nobody(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps(bundle(patient("1"))) + "\n" + json.dumps(bundle(patient("2")))[:-9])
    assert imported(path).state == State.REFUSED
    assert Contact.objects.count() == 0


def test_a_dry_run_writes_nobody_and_keeps_a_record(tmp_path: Path) -> None:
    report = imported(written(tmp_path / "a.json", patient()), dry_run=True)
    assert report.state == State.CHECKED
    assert Contact.objects.count() == 0
    assert ImportRun.objects.get().state == State.CHECKED


def test_problems_are_kept_without_any_value(tmp_path: Path) -> None:
    imported(written(tmp_path / "a.json", patient(birthDate="unknown, ask Lovelace")))
    kept = ImportProblem.objects.get()
    assert "Lovelace" not in kept.message + kept.place


def test_a_test_address_is_given_only_to_those_without(tmp_path: Path) -> None:
    own = [{"system": "email", "value": "ada@harbor.example"}]
    path = written(tmp_path / "a.ndjson", patient("1"), patient("2", telecom=own))
    imported(path, email_domain="example.test")
    (found,) = matching.find("email", "ADA@harbor.example")
    other = Contact.objects.exclude(pk=found.pk).get()
    address = reveal([other.pk], [DataClass.CONTACT_POINT], purpose="test")[other.pk]["email"]
    assert address.endswith("@example.test")
    assert "Lovelace" not in address


def test_recent_visits_become_events_and_old_ones_only_facts(tmp_path: Path) -> None:
    visit = {
        "resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": "Patient/p1"},
    }  # fmt: skip
    recent = {**visit, "id": "e1", "period": {"start": "2026-02-01T09:00:00Z"}}
    old = {**visit, "id": "e2", "period": {"start": "2015-02-01T09:00:00Z"}}
    imported(written(tmp_path / "a.json", bundle(patient(), recent, old)))
    assert Event.objects.filter(kind="encounter.started").count() == 1
    assert len(only_person()["encounters"]) == 2


def test_the_command_names_every_problem(harbor: Organisation, tmp_path: Path) -> None:
    path = written(tmp_path / "a.ndjson", {"resourceType": "X"}, {"resourceType": "Y"})
    with pytest.raises(CommandError) as refused:
        call_command("import_fhir", str(path), organisation=harbor.slug)
    assert "line 1: unknown resource type X" in str(refused.value)
    assert "line 2: unknown resource type Y" in str(refused.value)


def test_the_command_says_what_it_did(harbor: Organisation, tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", bundle(patient(), {"resourceType": "Claim"}))
    out = StringIO()
    call_command("import_fhir", str(path), organisation="harbor", stdout=out)
    assert "1 × Claim" in out.getvalue()
    assert "2 read: 1 new" in out.getvalue()


@pytest.mark.skipif(not PATIENTS.exists(), reason="needs the published patients beside it")
def test_two_hundred_published_patients_are_stored_as_their_index_says() -> None:
    report = imported(PATIENTS / "bundles.ndjson.xz")
    assert report.tally.created == 200
    rows = list(csv.DictReader((PATIENTS / "index.csv").read_text().splitlines()))
    ids = matching.ids_by_number([("fhir", row["patient_id"]) for row in rows])
    stored = reveal([i for i in ids if i], [DataClass.IDENTITY, DataClass.CONTACT_POINT,
                                            DataClass.DEMOGRAPHIC], purpose="test")  # fmt: skip
    for row, contact_id in zip(rows, ids, strict=True):
        assert contact_id is not None
        values = stored[contact_id]
        assert values["given_name"] == row["given"]
        assert values["family_name"] == row["family"]
        assert values["birth_date"] == row["birth_date"]
        assert values["gender"] == row["gender"]
        assert values.get("postal_code", "") == row["postal_code"]
        assert bool(values.get("deceased")) is bool(row["deceased"])


@pytest.mark.skipif(not PATIENTS.exists(), reason="needs the published patients beside it")
def test_a_published_file_that_was_cut_off_imports_nobody(tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson.xz"
    path.write_bytes((PATIENTS / "bundles.ndjson.xz").read_bytes()[:400_000])
    assert "damaged or was cut off" in imported(path).problems[-1].message
    with lzma.open(PATIENTS / "bundles.ndjson.xz") as packed:
        plain = packed.read(2_000_000)
    (tmp_path / "cut.ndjson").write_bytes(plain)
    assert imported(tmp_path / "cut.ndjson").state == State.REFUSED
    assert Contact.objects.count() == 0
