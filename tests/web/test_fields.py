"""Fields in the browser: who may see them, who may change them, what is told before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts import custom_fields, matching, records, registry
from contacts.declared.models import CustomField
from contacts.segments import catalogue
from tests.conftest import NOON

SHOE = {
    "label": "Shoe size", "type": "decimal", "data_class": "demographic", "labels": ["none"],
    "choices": "", "key": "",
}  # fmt: skip
SignIn = Callable[[User], Client]


@pytest.fixture
def ada(harbor: Organisation) -> User:
    """Administrator at Harbor."""
    with tenancy.acting_for(harbor.pk):
        return staff.add("ada@harbor.example", name="Ada Stone", role=Role.ADMINISTRATOR, now=NOON)


@pytest.fixture
def shoe(harbor: Organisation) -> CustomField:
    with tenancy.acting_for(harbor.pk):
        return custom_fields.add(
            label="Shoe size", type_="decimal", data_class="demographic", labels=[], now=NOON
        )


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_settings_lead_to_what_the_role_may_see(ada: User, mara: User, sign_in_as: SignIn) -> None:
    assert "/staff/" in text(sign_in_as(ada).get("/settings/"))
    page = text(sign_in_as(mara).get("/settings/"))
    assert "/settings/fields/" in page
    assert "Staff and roles" not in page


def test_an_administrator_adds_a_field(harbor: Organisation, ada: User, sign_in_as: SignIn) -> None:
    answer = sign_in_as(ada).post("/settings/fields/new/", SHOE)
    assert answer["Location"] == "/settings/fields/custom_shoe_size/"
    with tenancy.acting_for(harbor.pk):
        assert registry.current()["custom_shoe_size"].label == "Shoe size"


@pytest.mark.parametrize(
    ("part", "given", "said"),
    [
        ("data_class", "", "This field is required"),
        ("labels", [], "This field is required"),
        ("labels", ["hiv", "none"], "not both"),
        ("label", "Given name", "is that of another field"),
        ("key", "shoe", "must begin with custom_"),
        ("choices", "small", "belong to the types choice"),
    ],
)
def test_sr13_what_is_missing_or_wrong_is_said_at_its_place(
    harbor: Organisation, ada: User, sign_in_as: SignIn, part: str, given: Any, said: str
) -> None:
    """SR-13."""
    page = text(sign_in_as(ada).post("/settings/fields/new/", SHOE | {part: given}))
    assert said in page
    with tenancy.acting_for(harbor.pk):
        assert not CustomField.objects.exists()


_ACTS = ("", "archive/", "restore/", "delete/")


@pytest.mark.parametrize("what", ["new/", *(f"custom_shoe_size/{act}" for act in _ACTS)])
def test_a_marketer_changes_no_field(
    harbor: Organisation, shoe: CustomField, mara: User, sign_in_as: SignIn, what: str
) -> None:
    answer = sign_in_as(mara).post(f"/settings/fields/{what}", SHOE | {"label": "Foot"})
    assert answer.status_code == 403
    with tenancy.acting_for(harbor.pk):
        assert list(CustomField.objects.values_list("label", "state")) == [("Shoe size", "active")]


def test_a_marketer_sees_the_fields(shoe: CustomField, mara: User, sign_in_as: SignIn) -> None:
    client = sign_in_as(mara)
    assert "custom_shoe_size" in text(client.get("/settings/fields/"))
    page = text(client.get("/settings/fields/custom_shoe_size/"))
    assert "Archive" not in page


def test_the_other_clinic_finds_nothing(shoe: CustomField, ivy: User, sign_in_as: SignIn) -> None:
    client = sign_in_as(ivy)
    assert "custom_shoe_size" not in text(client.get("/settings/fields/"))
    assert client.get("/settings/fields/custom_shoe_size/").status_code == 404


def test_a_field_is_renamed_archived_and_restored(
    harbor: Organisation, shoe: CustomField, ada: User, sign_in_as: SignIn
) -> None:
    client, page = sign_in_as(ada), "/settings/fields/custom_shoe_size/"
    client.post(page, {"label": "Foot", "labels": ["minor"]})
    client.post(f"{page}archive/")
    with tenancy.acting_for(harbor.pk):
        row = CustomField.objects.get()
        assert (row.label, row.labels, row.state) == ("Foot", ["minor"], "archived")
    client.post(f"{page}restore/")
    with tenancy.acting_for(harbor.pk):
        assert CustomField.objects.get().state == "active"


def test_what_uses_a_field_is_shown_and_keeps_it(
    harbor: Organisation, shoe: CustomField, ada: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        segment = catalogue.save(name="Big feet", tree={"field": "city", "op": "exists"}, now=NOON)
        segment.definition = {"field": "custom_shoe_size", "op": "exists"}
        segment.save()
    client = sign_in_as(ada)
    page = text(client.get("/settings/fields/custom_shoe_size/"))
    assert "Big feet" in page
    assert 'data-opens="delete"' not in page
    told = client.post("/settings/fields/custom_shoe_size/delete/", follow=True)
    assert "is in use" in text(told)
    with tenancy.acting_for(harbor.pk):
        assert CustomField.objects.get().state == "active"


def test_a_persons_page_shows_the_value_to_a_role_of_its_class(
    harbor: Organisation, shoe: CustomField, mara: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        change = records.Change(
            source="epic", record_number="1", values={"custom_shoe_size": "42.5"}
        )
        (contact_id,) = records.upsert([change], now=NOON).contact_ids
        public_id = matching.public_ids([contact_id])[contact_id]
    page = text(sign_in_as(mara).post(f"/contacts/{public_id}/demographic/"))
    assert "Shoe size" in page
    assert "42.5" in page


def test_pr30_the_name_of_a_labelled_field_is_for_who_sees_clinical_facts_or_keeps_fields(
    harbor: Organisation, ada: User, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        custom_fields.add(
            label="Viral load bracket",
            type_="number",
            data_class="demographic",
            labels=["hiv"],
            now=NOON,
        )
    pages = ("/settings/fields/", "/segments/new/")
    for page in pages:
        assert "Viral load" not in text(sign_in_as(mara).get(page))
        assert "viral_load" not in text(sign_in_as(mara).get(page))
    assert "Restricted field" in text(sign_in_as(mara).get(pages[0]))
    address = "/settings/fields/custom_viral_load_bracket/"
    assert sign_in_as(mara).get(address).status_code == 403
    assert all("Viral load" in text(sign_in_as(one).get(address)) for one in (ada, omar))
