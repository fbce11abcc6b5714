"""Files in the browser."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from contacts import matching
from contacts.importing import work
from contacts.importing.models import ImportMapping
from contacts.models import Contact, ImportRun

CSV = b"MRN,First name,DOB\nMRN-1,Adaline,1961-04-12\n"
BROKEN = CSV + b"MRN-2,Adaline,Canarybird\n"
COLUMNS = {"means-0": "record_number", "means-1": "given_name", "means-2": "birth_date"}


@pytest.fixture
def client(harbor: Organisation, now: datetime, sign_in_as: Callable[[User], Client]) -> Client:
    with tenancy.acting_for(harbor.pk):
        ian = staff.add("ian@harbor.example", name="Ian", role=Role.INTEGRATION, now=now)
    return sign_in_as(ian)


def work_off(organisation: Organisation) -> None:
    with tenancy.acting_for(organisation.pk):
        while work.run_once(now=timezone.now()):
            pass


def brought(client: Client, organisation: Organisation, content: bytes) -> UUID:
    """Bring a file and have it read."""
    sent = {"file": SimpleUploadedFile("people.csv", content), "source": "epic"}
    response = client.post("/imports/", sent)
    assert response.status_code == 302, response.content
    work_off(organisation)
    return UUID(response["Location"].split("/")[2])


def checked(client: Client, organisation: Organisation, content: bytes, **more: str) -> UUID:
    run = brought(client, organisation, content)
    given = {"dates": "iso", "remember": "on", **COLUMNS, **more}
    response = client.post(f"/imports/{run}/columns/", given)
    assert response.status_code == 302, response.content.decode()
    work_off(organisation)
    return run


def page(client: Client, run: UUID, of: str = "") -> str:
    return client.get(f"/imports/{run}/{of}").content.decode()


def people(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return Contact.objects.count()


def done(client: Client, organisation: Organisation, content: bytes) -> UUID:
    run = checked(client, organisation, content)
    client.post(f"/imports/{run}/start/")
    work_off(organisation)
    return run


def test_checking_writes_nobody_and_counts_them(client: Client, harbor: Organisation) -> None:
    run = checked(client, harbor, CSV)
    assert "nothing was written" in page(client, run)
    assert "Import 1 people" in page(client, run)
    assert people(harbor) == 0


def test_importing_writes_them(client: Client, harbor: Organisation) -> None:
    assert "Imported" in page(client, done(client, harbor, CSV))
    assert people(harbor) == 1


def test_a_problem_is_shown_with_its_line_and_without_the_value(
    client: Client, harbor: Organisation
) -> None:
    """SE-15."""
    html = page(client, checked(client, harbor, BROKEN))
    assert "line 3" in html
    assert "column C (birth_date)" in html
    assert "Canarybird" not in html


def test_samples_are_shapes_to_a_role_that_sees_nobody(
    client: Client, harbor: Organisation
) -> None:
    html = page(client, brought(client, harbor, CSV), "columns/")
    assert "Xxxxxxx" in html
    assert "Adaline" not in html


def test_the_mapping_is_offered_again_for_the_next_file_of_the_source(
    client: Client, harbor: Organisation
) -> None:
    checked(client, harbor, CSV, **{"means-1": "family_name"})
    html = page(client, brought(client, harbor, CSV), "columns/")
    assert "As the last file of this source" in html
    assert '<option value="family_name" selected>' in html


def test_a_mapping_without_record_number_is_asked_again(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, CSV)
    response = client.post(f"/imports/{run}/columns/", {"dates": "iso", "means-1": "given_name"})
    assert b"no column is the record number" in response.content.lower()


def test_progress_sends_on_when_a_person_is_waited_for(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, CSV)
    answer = client.get(f"/imports/{run}/progress/")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/imports/{run}/columns/")


def test_progress_is_a_page_part_that_asks_again(client: Client, harbor: Organisation) -> None:
    run = checked(client, harbor, CSV)
    client.post(f"/imports/{run}/start/")
    html = page(client, run, "progress/")
    assert 'hx-trigger="every 2s"' in html
    assert "0 % of 1 rows" in html


def test_another_encoding_can_be_chosen(client: Client, harbor: Organisation) -> None:
    run = brought(client, harbor, "MRN;Név\n1;Őz\n".encode("cp1250"))
    client.post(f"/imports/{run}/reading/", {"encoding": "cp1250", "delimiter": ";", "head": "1"})
    work_off(harbor)
    assert "Név" in page(client, run, "columns/")


def test_the_refused_rows_come_back_with_their_reasons_and_the_trail_says_so(
    client: Client, harbor: Organisation
) -> None:
    run = done(client, harbor, BROKEN)
    answer = client.post(f"/imports/{run}/refused/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert text.splitlines()[0] == "MRN,First name,DOB,Line,Reason"
    assert text.splitlines()[1].startswith("MRN-2,Adaline,Canarybird,3,")
    with tenancy.acting_for(harbor.pk):
        assert Entry.objects.filter(action="import.downloaded").count() == 1


def test_se19_a_formula_leaves_as_text(client: Client, harbor: Organisation) -> None:
    """SE-19."""
    run = done(client, harbor, CSV + b'MRN-2,"=cmd()",never\n')
    answer = client.post(f"/imports/{run}/refused/")
    assert b"'=cmd()" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_undo_says_what_it_would_do_and_does_it(client: Client, harbor: Organisation) -> None:
    run = done(client, harbor, CSV)
    assert "Undo: remove 1, put back 0" in page(client, run, "undo/")
    client.post(f"/imports/{run}/undo/")
    work_off(harbor)
    assert "People removed" in page(client, run)
    with tenancy.acting_for(harbor.pk):
        assert not Contact.objects.filter(erased_at=None).exists()


def test_giving_up_deletes_the_file(client: Client, harbor: Organisation) -> None:
    run = checked(client, harbor, CSV)
    client.post(f"/imports/{run}/give-up/")
    with tenancy.acting_for(harbor.pk):
        row = ImportRun.objects.get(pk=run)
        assert (row.state, row.chunks.count()) == ("dropped", 0)


def test_a_large_upload_never_lies_on_a_disk(
    client: Client, harbor: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SR-03: Django's own handlers would write it to a temporary file, readably."""
    monkeypatch.setattr("tempfile.NamedTemporaryFile", None)
    rows = b"".join(b"MRN-%d,Adaline,1961-04-12\n" % number for number in range(110_000))
    run = brought(client, harbor, CSV.splitlines(keepends=True)[0] + rows)
    assert "110,000 rows" in page(client, run, "columns/")


@pytest.mark.parametrize(
    "path", ["columns/", "reading/", "start/", "pause/", "resume/", "give-up/", "undo/", "refused/"]
)
def test_a_marketer_may_look_and_not_touch(
    client: Client,
    harbor: Organisation,
    mara: User,
    sign_in_as: Callable[[User], Client],
    path: str,
) -> None:
    run = done(client, harbor, BROKEN)
    marketer = sign_in_as(mara)
    assert marketer.get(f"/imports/{run}/").status_code == 200
    assert marketer.post(f"/imports/{run}/{path}", {}).status_code == 403


def test_another_organisation_finds_no_import(
    client: Client, harbor: Organisation, hill: Organisation, sign_in_as: Any, now: datetime
) -> None:
    run = done(client, harbor, CSV)
    with tenancy.acting_for(hill.pk):
        other = staff.add("ida@hill.example", name="Ida", role=Role.INTEGRATION, now=now)
        assert not ImportMapping.objects.exists()
    assert sign_in_as(other).get(f"/imports/{run}/").status_code == 404


def upload() -> tuple[HttpRequest, QueryDict]:
    given = {"file": SimpleUploadedFile("large.csv", b"x" * 5_000), "source": "epic"}
    request = RequestFactory().post("/sign-in/", given)
    return request, request.POST


def test_a_file_of_somebody_who_is_not_signed_in_is_not_kept() -> None:
    """A stranger must not fill the memory that uploads lie in."""
    request, fields = upload()
    assert fields["source"] == "epic"
    assert not request.FILES


def test_a_sign_in_with_files_is_answered_and_the_files_are_dropped(harbor: Organisation) -> None:
    given = {"file": SimpleUploadedFile("large.csv", b"x"), "email": "a@b.example"}
    assert Client().post("/sign-in/", given).status_code == 200


def test_files_over_the_limit_are_not_kept_whole_and_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketing.intake.arriving.LARGEST_UPLOAD", 1_000)
    sent = {
        "file": SimpleUploadedFile("people.csv", CSV + b"MRN-2,Ben,1961-04-12\n" * 200),
        "source": "epic",
    }
    assert b"Over 0 MB" in client.post("/imports/", sent).content


FHIR = (
    b'{"resourceType":"Patient","id":"p1","name":[{"family":"Canarybird"}]}\n'
    b'{"resourceType":"Pacient","id":"p2","name":[{"family":"Canarybird"}]}\n'
)


def test_a_fhir_file_is_checked_behind_the_scenes_and_asks_for_no_columns(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, FHIR)
    shown = page(client, run)
    assert "Import 1 people" in shown
    assert "unknown resource type Pacient" in shown
    assert "Refused entries" in shown
    assert "Change the columns" not in shown
    assert "Canarybird" not in shown
    assert client.get(f"/imports/{run}/columns/").status_code == 302
    assert people(harbor) == 0


def test_a_fhir_file_is_imported_its_refused_entries_taken_and_all_of_it_undone(
    client: Client, harbor: Organisation
) -> None:
    run = brought(client, harbor, FHIR)
    client.post(f"/imports/{run}/start/")
    work_off(harbor)
    assert people(harbor) == 1
    assert "Download 1 refused entry" in page(client, run)
    answer = client.post(f"/imports/{run}/refused/")
    assert answer["Content-Type"] == "application/fhir+json"
    given = json.loads(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert given["entry"][0]["resource"]["id"] == "p2"
    client.post(f"/imports/{run}/undo/")
    work_off(harbor)
    with tenancy.acting_for(harbor.pk):
        assert Contact.objects.filter(erased_at=None).count() == 0


def test_what_is_started_is_what_was_seen(client: Client, harbor: Organisation) -> None:
    """Two people at one import: the second checks it anew while the first still looks."""
    run = checked(client, harbor, CSV)
    seen = client.get(f"/imports/{run}/").context["seen"]
    client.post(f"/imports/{run}/columns/", {"dates": "iso", "means-0": "record_number"})
    work_off(harbor)
    answer = client.post(f"/imports/{run}/start/", {"seen": seen}, follow=True)
    assert "checked again since you looked" in answer.content.decode()
    assert "Import 1 people" in answer.content.decode() and people(harbor) == 0
    client.post(f"/imports/{run}/start/", {"seen": answer.context["seen"]})
    work_off(harbor)
    assert people(harbor) == 1


def test_columns_that_come_too_late_are_told_not_to_count(
    client: Client, harbor: Organisation
) -> None:
    run = done(client, harbor, CSV)
    answer = client.post(f"/imports/{run}/columns/", {"dates": "mdy", **COLUMNS}, follow=True)
    assert "The columns stay as they were chosen: the import is imported" in answer.content.decode()


def test_refused_rows_that_come_back_are_read_as_before_and_double_nobody(
    client: Client, harbor: Organisation
) -> None:
    """The mended workbook of a file with a Reason of its own, whose meaning is kept too."""
    mixed = b"MRN;First name;DOB;Reason\n0001;Ada;1961-04-12;x\n0002;Eve;never;x\n"
    run = checked(client, harbor, mixed, **{"means-3": "city"})
    client.post(f"/imports/{run}/start/")
    work_off(harbor)
    assert "from the same source, <strong>epic</strong>" in page(client, run)
    answer = client.post(f"/imports/{run}/refused/", {"as": "workbook"})
    assert answer["Content-Disposition"].endswith('.xlsx"')
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    book["Refused"]["C2"] = "1961-04-13"
    book.save(mended := io.BytesIO())
    again = brought(client, harbor, mended.getvalue())
    meant = [one.key for one in client.get(f"/imports/{again}/columns/").context["columns"]]
    assert meant == ["record_number", "given_name", "birth_date", "city", "", ""]
    client.post(f"/imports/{again}/columns/", {"dates": "iso", "remember": "on", **COLUMNS})
    work_off(harbor)
    client.post(f"/imports/{again}/start/")
    work_off(harbor)
    with tenancy.acting_for(harbor.pk):
        assert matching.ids_by_number([("epic", "0002"), ("epic", "2")])[0] is not None
        assert Contact.objects.count() == 2


def test_refused_rows_of_a_file_with_semicolons_have_semicolons(
    client: Client, harbor: Organisation
) -> None:
    run = checked(client, harbor, BROKEN.replace(b",", b";"))
    answer = client.post(f"/imports/{run}/refused/")
    assert b"MRN-2;Adaline;Canarybird;3;" in b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_a_paused_import_offers_undoing_with_counts(client: Client, harbor: Organisation) -> None:
    run = checked(client, harbor, CSV)
    client.post(f"/imports/{run}/start/")
    client.post(f"/imports/{run}/pause/")
    assert f"/imports/{run}/undo/" in page(client, run)
    assert "the rows that were not imported yet are given up" in page(client, run, "undo/")
    client.post(f"/imports/{run}/undo/")
    work_off(harbor)
    assert "Undone" in page(client, run)
