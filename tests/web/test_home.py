from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import api_keys, staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Permission, Role
from contacts import grouping
from contacts.codes import ICD10
from contacts.declared.code_lines import Code
from contacts.segments import approvals, catalogue
from contacts.segments.models import Segment
from marketing.web import attention, watches
from marketing.web.attention import Matter
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


def titles(user: User) -> list[str]:
    watches.ready()
    with tenancy.acting_for(user.organisation_id):
        found: list[Matter] = attention.matters(user, now=timezone.now())
    return [matter.title for matter in found]


@pytest.fixture
def broken(at_harbor: Organisation) -> Segment:
    now = timezone.now()
    return Segment.objects.create(
        name="Gone list",
        definition={"list": "x"},
        labels=[],
        status=Segment.Status.INVALID,
        created_at=now,
        updated_at=now,
    )


def test_a_broken_segment_is_shown_to_who_may_see_segments(mara: User, broken: Segment) -> None:
    assert "segment is broken" in titles(mara)


def test_what_a_role_may_not_see_does_not_need_it(at_harbor: Organisation, broken: Segment) -> None:
    ines = staff.add("ines@harbor.example", name="Ines", role=Role.INTEGRATION, now=timezone.now())
    assert titles(ines) == []


def test_a_key_about_to_expire_needs_its_keeper(at_harbor: Organisation) -> None:
    now = timezone.now()
    ines = staff.add("ines@harbor.example", name="Ines", role=Role.INTEGRATION, now=now)
    api_keys.issue(
        "EHR", scopes=[Permission.EVENTS_WRITE], expires_at=now + timedelta(days=3), now=now
    )
    assert titles(ines) == ["API key expires within two weeks"]


def test_home_of_another_organisation_shows_nothing_of_ours(ivy: User, broken: Segment) -> None:
    assert "segment is broken" not in titles(ivy)


@pytest.mark.parametrize("role", list(Role))
def test_home_and_its_figures_open_for_every_role(
    harbor: Organisation, sign_in_as: Callable[[User], Client], role: Role
) -> None:
    with tenancy.acting_for(harbor.pk):
        user = staff.add("x@harbor.example", name="X", role=role, now=timezone.now())
    client = sign_in_as(user)
    assert client.get("/").status_code == 200
    assert client.get("/home/last-day/").status_code == 200


def test_a_missing_postal_address_is_told_to_who_may_write_it_down(harbor: Organisation) -> None:
    """CS-05"""
    with tenancy.acting_for(harbor.pk):
        ann = staff.add(
            "ann@harbor.example", name="Ann", role=Role.ADMINISTRATOR, now=timezone.now()
        )
        assert "postal address is missing" not in titles(ann)
        Organisation.objects.filter(pk=harbor.pk).update(postal_address=" ")
    assert "postal address is missing" in titles(ann)


def test_a_segment_that_got_a_label_later_needs_an_approval(
    at_harbor: Organisation, mara: User
) -> None:
    """Nothing is sent to it any more, and only who looked at its page would know."""
    group = grouping.add("Ours", [Code(ICD10, "E11.9")], now=NOON)
    asked = {"field": "conditions", "op": "has_code", "group": str(group.pk)}
    segment = catalogue.save(name="Ours", tree=asked, now=NOON)
    assert titles(mara) == []
    grouping.change(group.pk, [Code(ICD10, "F11.20")], since=1, now=NOON)
    segment.refresh_from_db()
    assert titles(mara) == ["sensitive segment needs an approval"]
    approvals.request(segment, now=NOON)
    assert titles(mara) == []
