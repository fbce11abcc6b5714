"""Fields in the browser: who may see them, who may change them, what is told before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts import amending, custom_fields, matching, records, registry
from contacts.declared.models import CustomField
from contacts.segments import catalogue, membership
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


def brought(values: dict[str, Any]) -> tuple[int, UUID]:
    """Bring one person; return the id and the public one."""
    change = records.Change(source="epic", record_number="1", values=values)
    (contact_id,) = records.upsert([change], now=NOON).contact_ids
    return contact_id, matching.public_ids([contact_id])[contact_id]


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
        ("data_class", "", "Choose the class of its values"),
        ("labels", [], "Choose what applies"),
        ("labels", ["hiv", "none"], "not both"),
        ("label", "Given name", "is that of another field: choose another name"),
        ("label", "Επάγγελμα", "The key cannot be made of this name: write one"),
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


def test_pr30_the_value_of_a_labelled_field_is_for_who_sees_clinical_facts(
    harbor: Organisation, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    """PR-30: a label closes a value whatever its class, on the page and in the history."""
    with tenancy.acting_for(harbor.pk):
        custom_fields.add(
            label="Viral load bracket",
            type_="number",
            data_class="demographic",
            labels=["hiv"],
            now=NOON,
        )
        contact_id, public_id = brought({"custom_viral_load_bracket": 3})
        amending.amend({contact_id: {"custom_viral_load_bracket": 4}}, source="epic", now=NOON)
    for page in ("demographic/", "history/values/"):
        seen = [
            "iral" in text(sign_in_as(who).post(f"/contacts/{public_id}/{page}"))
            for who in (mara, omar)
        ]
        assert (page, seen) == (page, [False, True])


def test_the_funnel_calls_a_field_by_its_name(
    harbor: Organisation, shoe: CustomField, mara: User, sign_in_as: SignIn
) -> None:
    asked = {"field": "custom_shoe_size", "op": "gte", "value": 40}
    with tenancy.acting_for(harbor.pk):
        change = records.Change(source="epic", record_number="1", values={"custom_shoe_size": 42})
        records.upsert([change], now=NOON)
    page = text(
        sign_in_as(mara).post("/segments/preview/", {"definition": json.dumps({"all": [asked]})})
    )
    assert '<th scope="row">shoe size is at least 40' in page
    assert "custom_shoe_size" not in page


def test_pr40_a_count_that_rests_on_a_labelled_field_is_not_exact_for_a_marketer(
    harbor: Organisation, mara: User, sign_in_as: SignIn
) -> None:
    """PR-40: else the overlap with a segment of one person would tell who it is."""
    with tenancy.acting_for(harbor.pk):
        custom_fields.add(
            label="Viral load", type_="number", data_class="demographic", labels=["hiv"], now=NOON
        )
        change = records.Change(source="e", record_number="1", values={"custom_viral_load": 3})
        records.upsert([change], now=NOON)
        found = catalogue.save(
            name="Three", tree={"field": "custom_viral_load", "op": "exists"}, now=NOON
        )
        membership.refresh(found, now=NOON)
    page = text(sign_in_as(mara).get(f"/segments/{found.id}/"))
    assert "&lt;11" in page


@pytest.mark.parametrize(
    ("key", "type_", "given", "said"),
    [
        ("custom_sites", "choices", "harbor; North", "North, Harbor"),
        ("custom_smoking", "coded", "SNOMED CT 77176002 Smoker", "Smoker"),
    ],
)
def test_a_value_of_several_parts_is_put_right_on_the_persons_page(
    harbor: Organisation,
    omar: User,
    sign_in_as: SignIn,
    key: str,
    type_: str,
    given: str,
    said: str,
) -> None:
    with tenancy.acting_for(harbor.pk):
        choices = ["North", "Harbor"] if type_ == "choices" else []
        custom_fields.add(
            label="Told", key=key, type_=type_, data_class="coverage", labels=[], choices=choices,
            now=NOON,
        )  # fmt: skip
        public_id = brought({"given_name": "Ada"})[1]
    client, page = sign_in_as(omar), f"/contacts/{public_id}/"
    client.post(f"{page}correct/coverage/", {"field": key, "value": given})
    assert said in text(client.post(f"{page}coverage/"))


def test_an_archived_field_is_not_offered_for_correction(
    harbor: Organisation, shoe: CustomField, omar: User, sign_in_as: SignIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        public_id = brought({"custom_shoe_size": "4"})[1]
        custom_fields.archive("custom_shoe_size", now=NOON)
    page = text(sign_in_as(omar).post(f"/contacts/{public_id}/demographic/"))
    assert "Shoe size" in page
    assert 'value="custom_shoe_size"' not in page


def test_who_is_about_to_delete_is_told_how_many_have_a_value(
    harbor: Organisation, shoe: CustomField, ada: User, mara: User, ivy: User, sign_in_as: SignIn
) -> None:
    """PR-40: an administrator sees no values, so few are "<11". Archived fields are counted too."""
    address = "/settings/fields/custom_shoe_size/holders/"
    with tenancy.acting_for(harbor.pk):
        changes = [
            records.Change(source="e", record_number=str(n), values={"custom_shoe_size": n})
            for n in range(3)
        ]
        records.upsert(changes, now=NOON)
        custom_fields.archive("custom_shoe_size", now=NOON)
    assert "&lt;11</strong> people have a value" in text(sign_in_as(ada).get(address))
    assert sign_in_as(mara).get(address).status_code == 403
    assert sign_in_as(ivy).get(address).status_code == 404
    assert address in text(sign_in_as(ada).get("/settings/fields/custom_shoe_size/"))


def test_pr30_a_preview_does_not_say_the_name_of_a_labelled_field(
    harbor: Organisation, omar: User, mara: User, sign_in_as: SignIn
) -> None:
    """PR-30: whoever guesses a key learns neither its name nor an exact count."""
    with tenancy.acting_for(harbor.pk):
        custom_fields.add(
            label="Viral load", key="custom_vl", type_="number", data_class="demographic",
            labels=["hiv"], now=NOON,
        )  # fmt: skip
        change = records.Change(source="e", record_number="1", values={"custom_vl": 3})
        records.upsert([change], now=NOON)
    asked = {"definition": json.dumps({"all": [{"field": "custom_vl", "op": "exists"}]})}
    page = text(sign_in_as(mara).post("/segments/preview/", asked))
    assert "a restricted field is known" in page
    assert "viral" not in page.lower()
    assert "&lt;11" in page
