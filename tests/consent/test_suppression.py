"""Suppressions by address and by person, scoped and dated, as files (CS-02, TC-03)."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry as Told
from consent import gate, suppression
from consent.choices import suppression_files
from consent.gate import GateRequest, Permit
from consent.models import Entry, Suppression
from consent.suppression import Scope
from contacts import erase
from tests.conftest import NOON
from tests.consent.conftest import person

ADA = "ada@patients.example"


def asked(contact_id: int, *, topic: str = "", now: datetime = NOON) -> str:
    (answer,) = gate.ask([GateRequest(contact_id, "appointment", topic=topic)], now=now)
    return "permit" if isinstance(answer, Permit) else answer.code


def by_person(contact_id: int, scope: Scope = suppression.EVERYTHING) -> None:
    suppression.suppress_person(
        contact_id, reason="request", received_by="test", now=NOON, scope=scope
    )


def take(text: str) -> suppression_files.Took:
    return suppression_files.take(text.encode(), received_by="file", now=NOON)


def exported(*, with_addresses: bool = False) -> list[dict[str, str]]:
    out = io.StringIO()
    csv.writer(out).writerows(suppression_files.export(with_addresses=with_addresses))
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def test_a_suppressed_person_stays_so_when_deleted_and_brought_back(ada: int, ben: int) -> None:
    """CS-02"""
    by_person(ada)
    assert (asked(ada), asked(ben)) == ("suppressed", "permit")
    erase.erase(ada, now=NOON)
    assert asked(person("again", email=ADA)) == "suppressed"


def test_a_suppressed_person_stays_so_with_another_address(ada: int) -> None:
    """CS-02"""
    by_person(ada)
    person("ada", email="other@patients.example")
    assert asked(ada) == "suppressed"


def test_a_suppression_of_a_topic_stops_that_topic_alone(ada: int) -> None:
    """TC-03"""
    by_person(ada, Scope(topic="heart"))
    assert (asked(ada, topic="heart"), asked(ada)) == ("opted_out", "permit")


def test_it_counts_between_its_dates_and_not_before_or_after(ada: int) -> None:
    """TC-03"""
    by_person(ada, Scope("", "", NOON + timedelta(days=1), NOON + timedelta(days=3)))
    days = [asked(ada, now=NOON + timedelta(days=one)) for one in (0, 1, 2, 3)]
    assert days == ["permit", "suppressed", "suppressed", "permit"]


def test_a_release_counts_and_both_stand_in_the_ledger(ada: int) -> None:
    by_person(ada)
    for one in Suppression.objects.all():
        suppression.release(one.id, received_by="test", now=NOON)
    assert asked(ada) == "permit"
    assert Entry.objects.filter(kind="released").count() == Suppression.objects.count() == 2


def test_a_file_is_taken_once_and_says_what_is_wrong_by_line(ada: int) -> None:
    """CS-02"""
    text = f"address,reason\n{ADA},complaint\nnobody,request\nx@y.example,spite\n{ADA.upper()},\n"
    took = take(text)
    assert (took.added, took.known, [line for line, _ in took.faults]) == (1, 0, [3, 4])
    assert not any("nobody" in why or "spite" in why for _, why in took.faults)
    assert take(text).known == 1
    assert asked(ada) == "suppressed"


def test_the_export_gives_hashes_and_can_be_taken_in_again(ada: int) -> None:
    """CS-02"""
    take(f"address,topic\n{ADA},heart\n")
    (row,) = exported()
    assert row["address"] == "" and ADA not in str(row)
    for one in Suppression.objects.all():
        suppression.release(one.id, received_by="test", now=NOON)
    take(f"hash,topic\n{row['hash']},{row['topic']}\n")
    assert asked(ada, topic="heart") == "opted_out"


def test_addresses_are_given_only_where_asked_and_the_trail_says_so(ada: int) -> None:
    take(f"address\n{ADA}\nstranger@elsewhere.example\n")
    assert {row["address"] for row in exported(with_addresses=True)} == {ADA, ""}
    told = Told.objects.filter(action="suppression.exported").latest("id")
    assert json.loads(told.detail)["fields"] == ["hash", "reason", "address"]


def test_no_cell_of_the_export_is_a_formula(ada: int) -> None:
    take('address,topic\n=a@b.example,"=HYPERLINK(1)"\n')
    (row,) = exported()
    assert row["topic"].startswith("'=")


@pytest.mark.parametrize("text", ["", "name\nada\n", 'address\n"broken', "address,salary\na@b,1\n"])
def test_a_file_that_is_no_list_takes_nothing(at_harbor: Organisation, text: str) -> None:
    if text == 'address\n"broken':
        assert take(text).added == 0
    else:
        with pytest.raises(suppression_files.FileRefused):
            take(text)
    assert not Suppression.objects.exists()


def test_a_global_list_counts_in_every_organisation(
    harbor: Organisation, hill: Organisation, tmp_path: Path
) -> None:
    """TC-03"""
    listed = tmp_path / "list.csv"
    listed.write_text(f"address\n{ADA}\n")
    call_command("suppress_everywhere", str(listed))
    for one in (harbor, hill):
        with tenancy.acting_for(one.pk):
            assert asked(person("ada", email=ADA)) == "suppressed"
