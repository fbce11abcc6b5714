"""Code groups in the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from contacts import code_groups, grouping
from contacts.codes import ICD10, SNOMED
from contacts.declared.code_lines import Code
from contacts.declared.models import CodeGroup
from tests.conftest import NOON

SignIn = Callable[[User], Client]


@pytest.fixture
def diabetes(harbor: Organisation) -> CodeGroup:
    with tenancy.acting_for(harbor.pk):
        return grouping.add("Diabetes", [Code(ICD10, "E11.9", "Type 2")], now=NOON)


def test_starters_are_added_once_by_one_button(
    harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    client = sign_in_as(omar)
    client.post("/settings/code-groups/starters/")
    page = client.get("/settings/code-groups/").content.decode()
    assert "Substance use disorders" in page
    assert "42 CFR Part 2" in page
    again = client.post("/settings/code-groups/starters/", follow=True)
    assert "was added before" in again.content.decode()


def test_a_group_is_pasted(harbor: Organisation, omar: User, sign_in_as: SignIn) -> None:
    given = {"name": "Asthma", "codes": "ICD-10-CM J45.909\nSNOMED CT 195967001", "since": 0}
    address = sign_in_as(omar).post("/settings/code-groups/new/", given)["Location"]
    with tenancy.acting_for(harbor.pk):
        group = CodeGroup.objects.get()
        assert address == f"/settings/code-groups/{group.pk}/"
        assert code_groups.codes_of(group.pk) == {(ICD10, "J45.909"), (SNOMED, "195967001")}


def test_wrong_lines_are_named_and_what_was_pasted_stays(
    harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    given = {"name": "Asthma", "codes": "ICD-10-CM J45.909\nICD-9 493.90", "since": 0}
    page = sign_in_as(omar).post("/settings/code-groups/new/", given).content.decode()
    assert "Line 2 names no code system" in page
    assert "ICD-9 493.90" in page
    with tenancy.acting_for(harbor.pk):
        assert not CodeGroup.objects.exists()


def test_an_edit_is_a_version_that_shows_what_came_and_went(
    diabetes: CodeGroup, omar: User, sign_in_as: SignIn
) -> None:
    client, page = sign_in_as(omar), f"/settings/code-groups/{diabetes.pk}/"
    assert "ICD-10-CM\tE11.9\tType 2" in client.get(f"{page}edit/").content.decode()
    client.post(f"{page}edit/", {"codes": "ICD-10-CM E11.8", "since": 1})
    shown = client.get(page).content.decode()
    assert "Version 2 of 2" in shown
    assert "Came with this version" in shown
    assert "E11.9" not in client.get(f"{page}?version=2").content.decode().split("Codes</h2>")[-1]
    assert "Version 1 of 2" in client.get(f"{page}?version=1").content.decode()


def test_who_edits_an_old_version_is_told(
    diabetes: CodeGroup, omar: User, sign_in_as: SignIn
) -> None:
    client, page = sign_in_as(omar), f"/settings/code-groups/{diabetes.pk}/edit/"
    client.post(page, {"codes": "ICD-10-CM E11.8", "since": 1})
    told = client.post(page, {"codes": "ICD-10-CM E11.7", "since": 1}).content.decode()
    assert "Somebody else made a new version" in told


@pytest.mark.parametrize("version", ["0", "9", "x", "-1", "1" * 400])
def test_a_version_that_is_not_there_is_missing(
    diabetes: CodeGroup, omar: User, sign_in_as: SignIn, version: str
) -> None:
    page = f"/settings/code-groups/{diabetes.pk}/?version={version}"
    assert sign_in_as(omar).get(page).status_code == 404


@pytest.mark.parametrize("what", ["starters/", "new/", "{}/edit/", "{}/name/", "{}/archive/"])
def test_a_marketer_changes_no_group(
    harbor: Organisation, diabetes: CodeGroup, mara: User, sign_in_as: SignIn, what: str
) -> None:
    client = sign_in_as(mara)
    address = f"/settings/code-groups/{what.format(diabetes.pk)}"
    assert client.post(address, {"name": "x"}).status_code == 403
    assert "Edit as" not in client.get(f"/settings/code-groups/{diabetes.pk}/").content.decode()


def test_the_other_clinic_finds_no_group(
    diabetes: CodeGroup, ivy: User, sign_in_as: SignIn
) -> None:
    assert sign_in_as(ivy).get(f"/settings/code-groups/{diabetes.pk}/").status_code == 404


def test_a_group_is_renamed_and_archived(
    harbor: Organisation, diabetes: CodeGroup, omar: User, sign_in_as: SignIn
) -> None:
    client, page = sign_in_as(omar), f"/settings/code-groups/{diabetes.pk}/"
    client.post(f"{page}name/", {"name": "Sugar"})
    assert "Sugar" in client.get(page).content.decode()
    client.post(f"{page}archive/")
    assert client.get(page).status_code == 404


def test_pr30_the_name_of_a_labelled_group_is_hidden_from_a_marketer(
    harbor: Organisation, diabetes: CodeGroup, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        group = grouping.add("Opioid use", [Code(ICD10, "F11.20", "Opioid")], now=NOON)
    marketer, officer = sign_in_as(mara), sign_in_as(omar)
    page = marketer.get("/settings/code-groups/").content.decode()
    assert "Opioid" not in page and "Restricted code group" in page and "Diabetes" in page
    assert "Opioid" not in marketer.get("/segments/new/").content.decode()
    assert marketer.get(f"/settings/code-groups/{group.pk}/").status_code == 403
    assert "Opioid" in officer.get("/settings/code-groups/").content.decode()
    assert officer.get(f"/settings/code-groups/{group.pk}/").status_code == 200


def test_of_a_huge_change_a_page_holds_the_beginning_and_counts_the_rest(
    harbor: Organisation, diabetes: CodeGroup, omar: User, sign_in_as: SignIn
) -> None:
    many = [Code(ICD10, f"E{n:02}.{d}") for n in range(100) for d in range(12)]
    with tenancy.acting_for(harbor.pk):
        grouping.change(diabetes.pk, many, since=1, now=NOON)
        grouping.change(diabetes.pk, many[:1], since=2, now=NOON)
    page = sign_in_as(omar).get(f"/settings/code-groups/{diabetes.pk}/").content.decode()
    assert "1,199 codes" in page
    assert "199 more are not shown here" in page
    assert page.count("<tr>") < 1_010


def test_a_long_list_is_shown_whole_to_who_asks(
    harbor: Organisation, diabetes: CodeGroup, mara: User, sign_in_as: SignIn
) -> None:
    many = [Code(ICD10, f"E{n:02}.{d}") for n in range(100) for d in range(12)]
    with tenancy.acting_for(harbor.pk):
        grouping.change(diabetes.pk, many, since=1, now=NOON)
    client, address = sign_in_as(mara), f"/settings/code-groups/{diabetes.pk}/"
    assert (
        "E99.11" not in client.get(f"{address}?version=2").content.decode().split("Codes</h2>")[-1]
    )
    assert "Show all 1200 codes" in client.get(address).content.decode()
    assert (
        "E99.11" in client.get(f"{address}?version=2&all").content.decode().split("Codes</h2>")[-1]
    )
