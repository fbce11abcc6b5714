"""Fields of an organisation's own: who may hold what, from the first value to the last trace."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts import tenancy
from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from audit.models import Entry
from contacts import amending, custom_fields, erase, records, registry, sweeping, writing
from contacts.custom_fields import FieldRefused, NoSuchField, StillUsed
from contacts.declared.models import CustomField
from contacts.facts import CLEAR
from contacts.fields import FIELDS, DataClass, FieldType, Sensitivity
from contacts.history import reading
from contacts.models import Contact, ValueChange
from contacts.records import Change, ChangeRefused
from contacts.reveal import RevealRefused, reveal
from contacts.segments import catalogue
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")

SHOE: dict[str, Any] = {
    "label": "Shoe size",
    "type_": "decimal",
    "data_class": "demographic",
    "labels": [],
}


def added(**parts: Any) -> CustomField:
    return custom_fields.add(**({**SHOE, "now": NOON} | parts))


def put(number: str = "1001", /, **values: Any) -> int:
    change = Change(source="ehr", record_number=number, values=values)
    return records.upsert([change], now=NOON).contact_ids[0]


def seen(contact_id: int) -> dict[str, Any]:
    return reveal([contact_id], list(DataClass), purpose="test")[contact_id]


@pytest.mark.parametrize(
    ("type_", "given", "stored"),
    [
        ("text", " 02026 ", "02026"),
        ("number", 7, 7),
        ("decimal", "+007.50", "7.5"),
        ("boolean", "yes", True),
        ("date", "2026-01-31", "2026-01-31"),
        ("time", "9:05", "09:05"),
        ("datetime", "2026-01-31T09:30:00-05:00", "2026-01-31T14:30:00Z"),
        ("choice", "LARGE", "Large"),
        ("choices", ["large", "Small"], ["Small", "Large"]),
        ("coded", {"system": "s", "code": "c"}, {"system": "s", "code": "c", "display": ""}),
    ],
)
def test_a_value_of_each_type_comes_back(type_: str, given: object, stored: object) -> None:
    choices = ["Small", "Large"] if type_ in {"choice", "choices"} else []
    key = added(label="Anything", type_=type_, choices=choices).key
    assert seen(put(given_name="Ada", **{key: given}))[key] == stored


@pytest.mark.parametrize("data_class", list(custom_fields.CLASSES))
def test_a_value_is_sealed_with_its_class_and_no_other(data_class: DataClass) -> None:
    key = added(data_class=data_class.value).key
    contact_id = put(**{key: 42})
    stored = writing.lock_and_open(tenancy.current(), [contact_id])[contact_id]
    assert [kind for kind, record in stored.items() if key in record.values] == [data_class]


def test_sr13_a_field_without_a_class_is_refused() -> None:
    """SR-13."""
    with pytest.raises(FieldRefused, match="data_class is needed"):
        added(data_class="")


def test_sr13_the_database_refuses_it_too() -> None:
    """SR-13."""
    field = added()
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomField.objects.filter(pk=field.pk).update(data_class="")


@pytest.mark.parametrize(
    ("part", "given"),
    [
        ("label", ""),
        ("label", "  "),
        ("label", "x" * 81),
        ("label", "Family\x00name"),
        ("label", "family NAME"),
        ("type_", "conditions"),
        ("type_", "codes"),
        ("data_class", "engagement"),
        ("labels", ["secret"]),
        ("labels", "hiv"),
        ("choices", ["one"]),
        ("key", "custom_"),
        ("key", "given_name"),
        ("key", "custom_Größe"),
        ("key", "custom_" + "x" * 41),
        ("key", "custom_a; drop table"),
    ],
)
def test_what_is_no_field_is_refused_by_its_part(part: str, given: object) -> None:
    with pytest.raises(FieldRefused) as refused:
        added(**{part: given})
    assert refused.value.part == part.rstrip("_")
    assert not CustomField.objects.exists()


@pytest.mark.parametrize("choices", [[], ["a", "A"], ["a|b"], [" "], ["x"] * 201])
def test_choices_are_needed_and_differ(choices: list[str]) -> None:
    with pytest.raises(FieldRefused, match="choices"):
        added(type_="choice", choices=choices)


def test_a_key_is_made_of_the_label() -> None:
    assert added(label="Größe (Schuh) — 2").key == "custom_große_schuh_2".replace("ß", "")


def test_a_change_by_another_process_is_seen_by_the_next_call() -> None:
    added()
    assert "custom_shoe_size" in registry.current()
    with connection.cursor() as cursor:  # what another process leaves behind: rows and a mark
        cursor.execute("UPDATE contacts_customfield SET label = 'Foot'")
        cursor.execute("UPDATE contacts_fieldmark SET mark = gen_random_uuid()")
    assert registry.current()["custom_shoe_size"].label == "Foot"


def test_a_change_taken_back_is_not_remembered() -> None:
    added()
    with pytest.raises(RuntimeError), transaction.atomic():
        custom_fields.change("custom_shoe_size", label="Foot", now=NOON)
        assert registry.current()["custom_shoe_size"].label == "Foot"
        raise RuntimeError
    assert registry.current()["custom_shoe_size"].label == "Shoe size"


def test_an_organisation_sees_only_its_own(hill: Organisation) -> None:
    added()
    with tenancy.acting_for(hill.pk):
        assert registry.current() is FIELDS
        assert not CustomField.objects.exists()
        with pytest.raises(NoSuchField):
            custom_fields.archive("custom_shoe_size", now=NOON)
    assert "custom_shoe_size" in registry.fields_for(tenancy.current())


def test_two_organisations_may_use_one_key_for_different_things(hill: Organisation) -> None:
    added(type_="boolean")
    with tenancy.acting_for(hill.pk):
        added(type_="text")
        assert registry.current()["custom_shoe_size"].type is FieldType.TEXT
    assert registry.current()["custom_shoe_size"].type is FieldType.BOOLEAN


def test_a_role_sees_no_value_of_a_class_that_it_does_not_hold(mara: User) -> None:
    key = added(data_class="clinical").key
    contact_id = put(**{key: 3})
    with acting_as(Actor("staff", str(mara.pk))):
        with pytest.raises(RevealRefused):
            reveal([contact_id], [DataClass.CLINICAL], purpose="test")
        shown = reveal([contact_id], [DataClass.DEMOGRAPHIC], purpose="test")
    assert key not in shown[contact_id]


def test_a_value_under_a_foreign_class_is_not_shown() -> None:
    """Were a key ever given another class, its old values must not show under the new one."""
    key = added(data_class="clinical").key
    contact_id = put(**{key: 3})
    with registry.changing():
        CustomField.objects.update(data_class="demographic")
    assert key not in seen(contact_id)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ChangeRefused) as refused:
        put(custom_shoe_size=3)
    assert refused.value.reason == "is not a field of contacts"


def test_a_value_can_be_changed_cleared_and_left_as_it_is() -> None:
    key = added().key
    contact_id = put(**{key: 3})
    put(given_name="Ada")
    assert seen(contact_id)[key] == "3"
    put(**{key: 4})
    assert seen(contact_id)[key] == "4"
    put(**{key: CLEAR})
    assert key not in seen(contact_id)


def test_a_workflow_can_amend_it() -> None:
    key = added().key
    contact_id = put(given_name="Ada")
    assert amending.amend({contact_id: {key: "7.0"}}, source="workflow", now=NOON) == 1
    assert seen(contact_id)[key] == "7"


def test_a_change_of_other_fields_keeps_values_of_fields_it_does_not_know() -> None:
    key = added().key
    contact_id = put(language="en", **{key: 3})
    custom_fields.delete(key, now=NOON)
    put(language="es")
    stored = writing.lock_and_open(tenancy.current(), [contact_id])[contact_id]
    assert stored[DataClass.DEMOGRAPHIC].values == {"language": "es", key: "3"}


def test_an_archived_field_shows_its_values_and_takes_no_new_ones() -> None:
    key = added().key
    contact_id = put(**{key: 3})
    custom_fields.archive(key, now=NOON)
    assert seen(contact_id)[key] == "3"
    assert not registry.current()[key].segmentable
    with pytest.raises(ChangeRefused, match="is archived"):
        put(**{key: 4})
    custom_fields.restore(key, now=NOON)
    put(**{key: 4})
    assert seen(contact_id)[key] == "4"


def test_a_deleted_field_is_gone_for_every_reader_at_once() -> None:
    key = added().key
    contact_id = put(**{key: 3})
    custom_fields.delete(key, now=NOON)
    assert key not in registry.current()
    assert key not in seen(contact_id)


def test_the_key_of_a_deleted_field_is_never_used_again() -> None:
    custom_fields.delete(added().key, now=NOON)
    with pytest.raises(FieldRefused, match="never used twice"):
        added()


def test_the_values_of_a_deleted_field_leave_every_record() -> None:
    key = added().key
    ids = [put(str(number), language="en", **{key: number}) for number in range(5)]
    custom_fields.delete(key, now=NOON)
    while sweeping.sweep(now=NOON, batch=2):
        pass
    stored = writing.lock_and_open(tenancy.current(), ids)
    assert [record[DataClass.DEMOGRAPHIC].values for record in stored.values()] == [
        {"language": "en"}
    ] * 5
    assert CustomField.objects.get().swept is None


def test_sweeping_one_field_leaves_the_others() -> None:
    gone, kept = added().key, added(label="Hat size").key
    contact_id = put(**{gone: 1, kept: 2})
    custom_fields.delete(gone, now=NOON)
    assert sweeping.sweep(now=NOON) == 1
    assert seen(contact_id)[kept] == "2"


def test_erasing_a_person_erases_custom_values() -> None:
    """SE-06."""
    key = added(data_class="clinical").key
    contact_id = put(**{key: 3})
    erase.erase(contact_id, now=NOON)
    row = Contact.objects.get(pk=contact_id)
    assert row.sealed() == {}
    assert reveal([contact_id], list(DataClass), purpose="test") == {}


def _asked(key: str, **clause: Any) -> Any:
    """A segment whose definition names the field, as the builder will write it."""
    segment = catalogue.save(name="Big feet", tree={"field": "language", "op": "exists"}, now=NOON)
    segment.definition = {"all": [{"not": {"field": key, "op": "exists"}}]}
    segment.save()
    return segment


def test_a_field_in_use_is_neither_archived_nor_deleted() -> None:
    key = added().key
    segment = _asked(key)
    for act in (custom_fields.archive, custom_fields.delete):
        with pytest.raises(StillUsed) as refused:
            act(key, now=NOON)
        (user,) = refused.value.dependants
        assert (user.kind, user.id, user.title) == ("segment", segment.id, "Big feet")
    catalogue.archive(segment, now=NOON)
    custom_fields.delete(key, now=NOON)


def test_pr30_the_name_of_a_labelled_segment_is_not_told() -> None:
    """PR-30."""
    key = added().key
    segment = _asked(key)
    segment.labels = ["hiv"]
    segment.save()
    with pytest.raises(StillUsed) as refused:
        custom_fields.delete(key, now=NOON)
    assert "Big feet" not in refused.value.dependants[0].title


def test_a_choice_in_use_is_not_taken_away() -> None:
    key = added(type_="choice", choices=["a", "b"]).key
    _asked(key)
    with pytest.raises(StillUsed):
        custom_fields.change(key, choices=["a"], now=NOON)
    assert custom_fields.change(key, choices=["b", "a", "c"], now=NOON).choices == ["b", "a", "c"]


def test_labels_follow_the_field_into_the_registry() -> None:
    added(labels=["hiv", "minor"], data_class="clinical")
    found = registry.current()["custom_shoe_size"].sensitivity
    assert found == Sensitivity.HIV | Sensitivity.MINOR


def test_every_act_stands_in_the_trail() -> None:
    key = added(labels=["hiv"], data_class="clinical").key
    later = NOON + timedelta(hours=1)
    custom_fields.change(key, label="Foot", labels=[], now=later)
    custom_fields.archive(key, now=later)
    custom_fields.restore(key, now=later)
    custom_fields.delete(key, now=later)
    told = Entry.objects.filter(subject=f"field:{key}").order_by("id")
    assert list(told.values_list("action", flat=True)) == [
        "field.created", "field.changed", "field.archived", "field.restored", "field.deleted",
    ]  # fmt: skip
    assert told[1].detail == '{"fields":["label","labels"],"labels":[]}'


def test_pr30_a_label_given_later_reaches_the_segments_that_ask() -> None:
    """PR-30."""
    key = added(type_="text").key
    tree = {"field": key, "op": "exists"}
    segment = catalogue.save(name="Asks", tree=tree, now=NOON)
    over = catalogue.save(name="Over", tree={"segment": str(segment.pk)}, now=NOON)
    custom_fields.change(key, labels=["hiv"], now=NOON)
    for one in (segment, over):
        one.refresh_from_db()
        assert one.labels == ["hiv"]


def test_the_values_of_a_deleted_field_leave_the_history() -> None:
    key = added().key
    contact_id = put(**{key: 1})
    amending.amend({contact_id: {key: 2, "language": "en"}}, source="ehr", now=NOON)
    amending.amend({contact_id: {key: 3}}, source="ehr", now=NOON)

    def told() -> list[dict[str, Any]]:
        found = reading.revealed(contact_id, [DataClass.DEMOGRAPHIC], purpose="test")
        return [one.fields for one in found]

    custom_fields.delete(key, now=NOON)
    assert told() == [{}, {"language": (None, "en")}]
    while sweeping.sweep(now=NOON):
        pass
    assert told() == [{"language": (None, "en")}]
    assert ValueChange.objects.count() == 1
