"""The page of the suppression list, and its API's twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Organisation, User
from consent.models import Suppression
from marketing.web import list_files
from tests.consent.conftest import person

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def test_an_officer_takes_looks_up_releases_and_hands_out(
    at_harbor: Organisation, omar: User, sign_in_as: SignedIn
) -> None:
    """CS-02"""
    person("ada")
    client = sign_in_as(omar)
    listed = SimpleUploadedFile("list.csv", b"address\nada@patients.example\nbroken\n")
    said = client.post("/consent/suppressions/import/", {"file": listed}).content.decode()
    assert "1 added" in said and "Line 3" in said
    found = client.post(
        "/consent/suppressions/find/", {"channel": "email", "address": "ADA@patients.example"}
    )
    assert b"Release" in found.content
    plain = client.post("/consent/suppressions/file/").content
    assert b"ada@" not in plain
    assert b"ada@patients" in client.post("/consent/suppressions/file/", {"addresses": "1"}).content
    row = Suppression.objects.get()
    client.post(f"/consent/suppressions/{row.id}/release/")
    row.refresh_from_db()
    assert row.released_at is not None


def test_a_marketer_sees_figures_and_changes_nothing(
    at_harbor: Organisation, mara: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(mara)
    assert client.get("/consent/suppressions/").status_code == 200
    for path in ("import", "file", "find"):
        assert client.post(f"/consent/suppressions/{path}/").status_code == 403


def test_a_list_of_numbers_is_taken_and_a_file_that_is_too_large_is_not(
    at_harbor: Organisation, omar: User, sign_in_as: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TC-06"""
    client = sign_in_as(omar)

    def post(content: bytes) -> tuple[int, str]:
        given = {"reason": "do_not_call", "file": SimpleUploadedFile("list.csv", content)}
        answer = client.post("/consent/numbers/list/", given)
        return answer.status_code, answer.content.decode()

    status, _ = post(b"+16175550143\n")
    assert (status, Suppression.objects.get().reason) == (200, "do_not_call")
    monkeypatch.setattr(list_files, "LARGEST", 5)
    status, said = post(b"+16175550144\n")
    assert (status, "larger than 20 MB" in said) == (422, True)
    monkeypatch.undo()
    status, said = post(b"\xff\xfe\xff")
    assert (status, "Nothing was taken" in said) == (422, True)
    assert Suppression.objects.count() == 1
