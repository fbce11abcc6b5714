"""Code groups: what a pasted list means, and versions that nobody changes."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from hypothesis import given
from hypothesis import strategies as st

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from contacts import code_groups, grouping, records
from contacts.code_groups import GroupGone
from contacts.codes import ICD10, LOINC, SNOMED, labels_of
from contacts.declared import starters
from contacts.declared.code_lines import Code, LinesRefused, parse, written
from contacts.declared.models import CodeGroup
from contacts.fields import Sensitivity
from contacts.grouping import ChangedMeanwhile, GroupRefused, StillUsed
from contacts.segments import catalogue
from contacts.segments.evaluate import among
from contacts.segments.models import Segment
from tests.conftest import NOON

T2 = Code(ICD10, "E11.9", "Type 2 diabetes")
HIV = Code(ICD10, "B20", "HIV disease")


@pytest.mark.parametrize(
    "line",
    [
        "ICD-10-CM\tE11.9\tType 2 diabetes",
        "ICD-10-CM, E11.9, Type 2 diabetes",
        "icd10|e119|Type 2 diabetes",
        "ICD 10 CM E11.9 Type 2 diabetes",
        "icd10cm;E11.9;Type 2 diabetes",
        f"{ICD10} E11.9 Type 2 diabetes",
        f"{ICD10}|E11.9|Type 2 diabetes",
    ],
)
def test_a_line_may_be_written_in_many_ways(line: str) -> None:
    assert parse(line) == [T2]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("E11.9", "needs a system and a code"),
        ("ICD-9 250.00", "names no code system"),
        ("ICD-10-CM 44054006", "has no ICD-10-CM code"),
        ("SNOMED CT 44054007", "has no SNOMED CT code"),
        ("SNOMED CT 12345", "has no SNOMED CT code"),
        ("LOINC 4548", "has no LOINC code"),
        ("ICD-10-CM E11.9\x00", "holds characters"),
        ("=HYPERLINK(1) E11.9", "names no code system"),
        ("ICD-10-CM " + "x" * 600, "is too long"),
    ],
)
def test_a_line_that_is_no_code_is_named_by_its_number(line: str, fault: str) -> None:
    with pytest.raises(LinesRefused) as refused:
        parse(f"# heading\nLOINC 4548-4 HbA1c\n\n{line}\n")
    (found,) = refused.value.faults
    assert found.line == 4
    assert fault in found.message


def test_a_code_given_twice_is_named_with_its_first_line() -> None:
    with pytest.raises(LinesRefused, match="line 2 repeats the code of line 1"):
        parse("ICD-10-CM E11.9\nICD10 e119 again")


def test_an_empty_list_is_no_group() -> None:
    with pytest.raises(LinesRefused, match="is missing"):
        parse("# nothing\n\n")


def test_a_list_that_never_ends_is_refused_at_once() -> None:
    with pytest.raises(LinesRefused, match="too long"):
        parse("x" * 4_000_001)


_digits = st.text("0123456789", min_size=6, max_size=17).filter(lambda d: d[0] != "0")


@given(st.lists(st.sampled_from([code for group in starters.GROUPS for code in group.codes])))
def test_what_is_written_is_read_back(codes: list[Code]) -> None:
    once = list({code[:2]: code for code in codes}.values())
    if once:
        assert set(parse(written(once))) == set(once)


@given(_digits)
def test_exactly_one_check_digit_makes_a_concept(digits: str) -> None:
    lines = [f"SNOMED CT {digits}{check}" for check in range(10)]
    assert sum(_reads(line) for line in lines) == 1


@given(st.text(max_size=200))
def test_no_paste_breaks_the_reader(pasted: str) -> None:
    _reads(pasted)


def _reads(pasted: str) -> bool:
    try:
        return bool(parse(pasted))
    except LinesRefused as refused:
        assert refused.faults
        return False


@pytest.mark.parametrize("group", starters.GROUPS, ids=lambda group: group.key)
def test_every_shipped_code_is_one(group: starters.Starter) -> None:
    assert parse(written(group.codes)) == group.codes


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("substance_use", Sensitivity.SUBSTANCE_USE),
        ("hiv", Sensitivity.HIV),
        ("pregnancy", Sensitivity.REPRODUCTIVE),
        ("depression", Sensitivity.MENTAL_HEALTH),
    ],
)
def test_se20_every_code_of_a_sensitive_group_carries_its_label(
    key: str, label: Sensitivity
) -> None:
    """SE-20: whoever asks by a single code instead of by the group is held to the same."""
    (group,) = [one for one in starters.GROUPS if one.key == key]
    plain = [code for code in group.codes if label not in labels_of([code[:2]])]
    assert plain == []


@pytest.fixture
def diabetes(at_harbor: Organisation) -> CodeGroup:
    return grouping.add("Diabetes", [T2, Code(SNOMED, "44054006")], now=NOON)


def test_a_group_gives_its_codes(diabetes: CodeGroup) -> None:
    assert code_groups.codes_of(diabetes.pk) == {(ICD10, "E11.9"), (SNOMED, "44054006")}


def test_a_group_that_never_was_is_gone(at_harbor: Organisation) -> None:
    with pytest.raises(GroupGone):
        code_groups.codes_of(uuid4())


def test_another_organisation_does_not_know_it(diabetes: CodeGroup, hill: Organisation) -> None:
    with tenancy.acting_for(hill.pk):
        with pytest.raises(GroupGone):
            code_groups.codes_of(diabetes.pk)
        assert code_groups.titles([diabetes.pk]) == {}


def test_a_change_is_a_new_version_and_the_old_one_stays(diabetes: CodeGroup) -> None:
    found = grouping.change(diabetes.pk, [T2, Code(LOINC, "4548-4")], since=1, now=NOON)
    assert [code.code for code in found.added] == ["4548-4"]
    assert [code.code for code in found.removed] == ["44054006"]
    assert (LOINC, "4548-4") in code_groups.codes_of(diabetes.pk)
    assert (LOINC, "4548-4") not in code_groups.codes_of(diabetes.pk, version=1)


def test_the_same_codes_make_no_version(diabetes: CodeGroup) -> None:
    found = grouping.change(diabetes.pk, [Code(SNOMED, "44054006"), T2], since=1, now=NOON)
    assert found == grouping.Difference((), ())
    assert diabetes.versions.count() == 1


def test_of_two_who_edit_one_version_the_second_is_told(diabetes: CodeGroup) -> None:
    grouping.change(diabetes.pk, [T2], since=1, now=NOON)
    with pytest.raises(ChangedMeanwhile):
        grouping.change(diabetes.pk, [HIV], since=1, now=NOON)


@pytest.mark.parametrize("act", ["UPDATE contacts_codegroupversion SET codes = '[]'",
                                 "DELETE FROM contacts_codegroupversion"])  # fmt: skip
def test_the_database_keeps_versions_as_they_are(diabetes: CodeGroup, act: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(act)


@pytest.mark.parametrize("name", ["", "  ", "diabetes", "x" * 81, "a\x00b"])
def test_a_group_has_a_name_of_its_own(diabetes: CodeGroup, name: str) -> None:
    with pytest.raises(GroupRefused):
        grouping.add(name, [T2], now=NOON)


def _asking(group: CodeGroup) -> Segment:
    segment = catalogue.save(
        name="Diabetics", tree={"field": "conditions", "op": "exists"}, now=NOON
    )
    segment.definition = {"field": "conditions", "op": "has_code", "group": str(group.pk)}
    segment.save()
    return segment


def test_a_group_in_use_is_not_archived(diabetes: CodeGroup) -> None:
    segment = _asking(diabetes)
    with pytest.raises(StillUsed) as refused:
        grouping.archive(diabetes.pk, now=NOON)
    assert [user.id for user in refused.value.dependants] == [segment.pk]
    catalogue.archive(segment, now=NOON)
    grouping.archive(diabetes.pk, now=NOON)
    with pytest.raises(GroupGone):
        code_groups.codes_of(diabetes.pk)


def test_starters_come_once(at_harbor: Organisation) -> None:
    assert len(grouping.add_starters(now=NOON)) == len(starters.GROUPS)
    assert grouping.add_starters(now=NOON) == []


def test_a_starter_whose_name_is_taken_is_left_out(diabetes: CodeGroup) -> None:
    assert "Diabetes" not in [group.name for group in grouping.add_starters(now=NOON)]


def test_an_archived_starter_does_not_come_back(at_harbor: Organisation) -> None:
    first = grouping.add_starters(now=NOON)[0]
    grouping.archive(first.pk, now=NOON)
    assert grouping.add_starters(now=NOON) == []


def test_every_act_stands_in_the_trail(diabetes: CodeGroup) -> None:
    grouping.change(diabetes.pk, [T2], since=1, now=NOON)
    grouping.rename(diabetes.pk, "Diabetes mellitus", now=NOON)
    grouping.archive(diabetes.pk, now=NOON)
    told = Entry.objects.filter(subject=f"code_group:{diabetes.pk}").order_by("id")
    assert list(told.values_list("action", flat=True)) == [
        "code_group.created", "code_group.changed", "code_group.renamed", "code_group.archived",
    ]  # fmt: skip


def test_pr30_a_version_gives_segments_the_labels_of_its_codes(diabetes: CodeGroup) -> None:
    """PR-30: the group became sensitive after the segment was made."""
    tree = {"field": "conditions", "op": "has_code", "group": str(diabetes.pk)}
    segment = catalogue.save(name="By group", tree=tree, now=NOON)
    assert segment.labels == []
    grouping.change(diabetes.pk, [T2, HIV], since=1, now=NOON)
    segment.refresh_from_db()
    assert segment.labels == ["hiv"]


def test_a_segment_finds_people_by_the_newest_version(diabetes: CodeGroup) -> None:
    ids = records.upsert(
        [
            records.Change(
                source="ehr",
                record_number=code,
                values={"conditions": [{"system": ICD10, "code": code, "status": "active"}]},
            )
            for code in ("E11.9", "B20")
        ],
        now=NOON,
    ).contact_ids
    tree = {"field": "conditions", "op": "has_code", "group": str(diabetes.pk)}
    segment = catalogue.save(name="By group", tree=tree, now=NOON)
    assert among(catalogue.definition_of(segment), ids, now=NOON) == {ids[0]}
    grouping.change(diabetes.pk, [HIV], since=1, now=NOON)
    assert among(catalogue.definition_of(segment), ids, now=NOON) == {ids[1]}


def test_a_command_adds_the_starters_of_every_organisation(
    harbor: Organisation, hill: Organisation
) -> None:
    told = StringIO()
    call_command("add_code_groups", stdout=told)
    assert told.getvalue().count(f"{len(starters.GROUPS)} code groups added") == 2


def test_the_command_adds_them_to_one_organisation_by_its_slug(
    harbor: Organisation, hill: Organisation
) -> None:
    told = StringIO()
    call_command("add_code_groups", "--organisation", "hill", stdout=told)
    assert told.getvalue().startswith(f"organisation {hill.pk}: ")
    assert told.getvalue().count("\n") == 1
    with pytest.raises(CommandError, match="no organisation with this slug"):
        call_command("add_code_groups", "--organisation", "nowhere")
