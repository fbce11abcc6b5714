"""Files in the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, QueryDict
from django.test import Client, RequestFactory

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts.models import Contact, ImportRun

CSV = b"record_number,given_name,birth_date\nMRN-1,Adaline,1961-04-12\n"
BROKEN = b"record_number,given_name,birth_date\nMRN-1,Adaline,Canarybird\n"


@pytest.fixture
def client(harbor: Organisation, now: datetime, sign_in_as: Callable[[User], Client]) -> Client:
    with tenancy.acting_for(harbor.pk):
        ian = staff.add("ian@harbor.example", name="Ian", role=Role.INTEGRATION, now=now)
    return sign_in_as(ian)


def bring(client: Client, content: bytes, action: str) -> str:
    sent = {
        "file": SimpleUploadedFile("people.csv", content),
        "form": "csv",
        "source": "epic",
        "dates": "iso",
        action: "1",
    }
    response = client.post("/imports/", sent, follow=True)
    assert response.status_code == 200, response.content
    return response.content.decode()


def people(organisation: Organisation) -> int:
    with tenancy.acting_for(organisation.pk):
        return Contact.objects.count()


def test_checking_writes_nobody(client: Client, harbor: Organisation) -> None:
    assert "nothing was written" in bring(client, CSV, "check")
    assert people(harbor) == 0


def test_importing_writes_them(client: Client, harbor: Organisation) -> None:
    assert "Imported" in bring(client, CSV, "import")
    assert people(harbor) == 1


def test_a_problem_is_shown_with_its_line_and_without_the_value(
    client: Client, harbor: Organisation
) -> None:
    """SE-15."""
    html = bring(client, BROKEN, "import")
    assert "line 2" in html
    assert "Canarybird" not in html
    assert people(harbor) == 0


def test_a_large_upload_never_lies_on_a_disk(
    client: Client, harbor: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SR-03: Django's own handlers would write it to a temporary file."""
    monkeypatch.setattr("tempfile.NamedTemporaryFile", None)
    rows = b"".join(b"MRN-%d,Adaline,1961-04-12\n" % number for number in range(110_000))
    html = bring(client, CSV.splitlines(keepends=True)[0] + rows, "check")
    assert "nothing was written" in html
    with tenancy.acting_for(harbor.pk):
        assert ImportRun.objects.get().read == 110_000


def test_a_marketer_may_look_and_not_bring(
    mara: User, sign_in_as: Callable[[User], Client]
) -> None:
    client = sign_in_as(mara)
    assert client.get("/imports/").status_code == 200
    assert client.post("/imports/", {}).status_code == 403


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
    monkeypatch.setattr("marketing.intake.arriving.LARGEST", 1_000)
    assert "Over 0 MB" in bring(client, CSV + b"MRN-2,Ben,1961-04-12\n" * 200, "import")
