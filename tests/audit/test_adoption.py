"""A trail goes on after its database moved to a server whose transaction numbers begin anew."""

from __future__ import annotations

from audit import adoption
from audit.models import Entry
from tests.audit.conftest import CLINIC, Trail
from tests.conftest import NOON


def test_an_adopted_trail_is_whole_and_goes_on(clinic_trail: Trail) -> None:
    _come_from_a_busier_server(clinic_trail)
    clinic_trail.write(2)
    closed = adoption.close_epoch(organisation_id=CLINIC, now=NOON, anchor=clinic_trail.anchor)
    adoption.begin_epoch()
    assert (closed, clinic_trail.seal()) == (5, 0)
    clinic_trail.sealed(4)
    report = clinic_trail.verify()
    assert (report.problems, report.entries, report.batches) == ([], 9, 2)


def test_after_adoption_an_insertion_into_the_old_epoch_is_found(clinic_trail: Trail) -> None:
    _come_from_a_busier_server(clinic_trail)
    adoption.close_epoch(organisation_id=CLINIC, now=NOON, anchor=clinic_trail.anchor)
    adoption.begin_epoch()
    clinic_trail.sealed(2)
    newest = Entry.objects.order_by("id").last()
    assert newest is not None
    clinic_trail.tamper("UPDATE audit_entry SET epoch = 0 WHERE id = %s", newest.pk)
    assert clinic_trail.kinds() == {"deleted", "inserted"}


def _come_from_a_busier_server(trail: Trail) -> None:
    trail.write(3)
    trail.tamper("UPDATE audit_entry SET txid = '9000000000'")
