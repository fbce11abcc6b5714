from __future__ import annotations

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User

pytestmark = pytest.mark.django_db


def found(slug: str = "bay", administrator: str = "ann@bay.example") -> str:
    out = StringIO()
    call_command(
        "found_organisation", "Bay Clinic", slug=slug, administrator=administrator, stdout=out
    )
    return out.getvalue()


def test_the_first_administrator_comes_in_by_an_invitation(
    client: Client, settings: LazySettings
) -> None:
    link = found().splitlines()[0]
    path = link.removeprefix(settings.ATTUNE_PUBLIC_ORIGIN)
    answer = client.post(path, {"password": "seven quiet herons wade"})
    assert answer["Location"] == "/sign-in/code/"
    with tenancy.door():
        assert User.objects.get(email="ann@bay.example").role == "administrator"


def test_a_slug_in_use_founds_nothing() -> None:
    found()
    with pytest.raises(CommandError, match="Nothing was founded"):
        found(administrator="bob@bay.example")


def test_an_administrator_in_use_founds_nothing() -> None:
    found()
    with pytest.raises(CommandError, match="Nothing was founded"):
        found(slug="cove")
    with tenancy.door():
        assert not Organisation.objects.filter(slug="cove").exists()


def test_a_time_zone_must_exist() -> None:
    with pytest.raises(CommandError, match="no time zone"):
        call_command(
            "found_organisation", "Bay", slug="bay", administrator="a@b.example", timezone="Boston"
        )


def test_the_postal_address_is_given_in_lines() -> None:
    call_command(
        "found_organisation", "Bay Clinic", slug="bay", administrator="ann@bay.example",
        postal_address="1 Bay Road\\nSalem, MA 01970", stdout=StringIO(),
    )  # fmt: skip
    with tenancy.door():
        assert Organisation.objects.get(slug="bay").postal_address == "1 Bay Road\nSalem, MA 01970"
