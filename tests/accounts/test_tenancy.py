"""Organisations are separated by the database, whatever a query forgets (SE-01)."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import tenancy
from accounts.models import Organisation, User
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def two() -> tuple[Organisation, Organisation]:
    with tenancy.door():
        ours = Organisation.objects.create(name="Harbor Clinic", slug="harbor", created_at=NOON)
        theirs = Organisation.objects.create(name="Hill Clinic", slug="hill", created_at=NOON)
    return ours, theirs


def told() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('attune.organisation', true)")
        return cursor.fetchone()[0] or ""


def test_without_an_organisation_there_is_none_to_return() -> None:
    with pytest.raises(tenancy.NoOrganisation):
        tenancy.current()


def test_a_row_belongs_to_the_organisation_at_work(
    two: tuple[Organisation, Organisation],
) -> None:
    with tenancy.acting_for(two[0].pk):
        mara = User.objects.create(email="mara@harbor.example", role="marketer", created_at=NOON)
    assert mara.organisation_id == two[0].pk


def test_an_unfiltered_query_returns_no_row_of_another_organisation(
    two: tuple[Organisation, Organisation],
) -> None:
    """SE-01"""
    with tenancy.acting_for(two[0].pk):
        User.objects.create(email="mara@harbor.example", role="marketer", created_at=NOON)
    with tenancy.acting_for(two[1].pk):
        assert not User.objects.exists()
    assert not User.objects.exists()


def test_a_row_cannot_be_written_for_another_organisation(
    two: tuple[Organisation, Organisation],
) -> None:
    with (
        tenancy.acting_for(two[0].pk),
        pytest.raises(Exception, match="row-level security"),
        transaction.atomic(),
    ):
        User.objects.create(
            organisation=two[1], email="x@hill.example", role="marketer", created_at=NOON
        )


def test_an_inner_organisation_gives_way_to_the_outer_one(
    two: tuple[Organisation, Organisation],
) -> None:
    with tenancy.acting_for(two[0].pk):
        with tenancy.acting_for(two[1].pk):
            assert told() == str(two[1].pk)
        assert told() == str(two[0].pk)
    assert told() == ""


def test_a_broken_transaction_leaves_the_outer_organisation(
    two: tuple[Organisation, Organisation],
) -> None:
    with tenancy.acting_for(two[0].pk):
        with pytest.raises(IntegrityError), transaction.atomic(), tenancy.acting_for(two[1].pk):
            Organisation.objects.create(name="Twice", slug="hill", pk=two[1].pk, created_at=NOON)
        assert told() == str(two[0].pk)


def test_the_door_shows_organisations_and_staff_and_nothing_else(
    two: tuple[Organisation, Organisation],
) -> None:
    with tenancy.acting_for(two[0].pk):
        mara = User.objects.create(email="mara@harbor.example", role="marketer", created_at=NOON)
        mara.authenticators.create(secret=b"sealed", created_at=NOON)
    with tenancy.door():
        assert Organisation.objects.count() == 2
        assert User.objects.get() == mara
        assert not mara.authenticators.exists()
    assert not Organisation.objects.exists()


def test_every_organisation_is_listed_for_the_loops(
    two: tuple[Organisation, Organisation],
) -> None:
    assert tenancy.organisation_ids() == sorted(each.pk for each in two)
