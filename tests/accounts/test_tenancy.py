"""Organisations are separated by the database, whatever a query forgets (SE-01)."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import tenancy
from accounts.models import Organisation, User
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def told() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('attune.organisation', true)")
        return cursor.fetchone()[0] or ""


def test_without_an_organisation_there_is_none_to_return() -> None:
    with pytest.raises(tenancy.NoOrganisation):
        tenancy.current()


def test_a_row_belongs_to_the_organisation_at_work(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    assert mara.organisation_id == harbor.pk


def test_an_unfiltered_query_returns_no_row_of_another_organisation(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    """SE-01"""
    with tenancy.acting_for(hill.pk):
        assert not User.objects.exists()
    assert not User.objects.exists()


def test_a_row_cannot_be_written_for_another_organisation(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    with (
        tenancy.acting_for(harbor.pk),
        pytest.raises(Exception, match="row-level security"),
        transaction.atomic(),
    ):
        User.objects.create(
            organisation=hill, email="x@hill.example", role="marketer", created_at=NOON
        )


def test_an_inner_organisation_gives_way_to_the_outer_one(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        with tenancy.acting_for(hill.pk):
            assert told() == str(hill.pk)
        assert told() == str(harbor.pk)
    assert told() == ""


def test_a_broken_transaction_leaves_the_outer_organisation(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        with pytest.raises(IntegrityError), transaction.atomic(), tenancy.acting_for(hill.pk):
            Organisation.objects.create(name="Twice", slug="hill-2", pk=hill.pk, created_at=NOON)
        assert told() == str(harbor.pk)


def test_the_door_shows_organisations_and_staff_and_nothing_else(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    with tenancy.acting_for(harbor.pk):
        mara.authenticators.create(secret="sealed", created_at=NOON)
    with tenancy.door():
        assert Organisation.objects.count() == 2
        assert User.objects.get() == mara
        assert not mara.authenticators.exists()
    assert not Organisation.objects.exists()


def test_every_organisation_is_listed_for_the_loops(
    mara: User, harbor: Organisation, hill: Organisation
) -> None:
    assert tenancy.organisation_ids() == [harbor.pk, hill.pk]
