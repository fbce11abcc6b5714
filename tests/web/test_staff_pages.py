from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts import api_keys, staff, tenancy
from accounts.models import ApiKey, Organisation, Session, User
from accounts.roles import Permission, Role
from audit.models import Entry
from tests.conftest import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(at_harbor: Organisation) -> User:
    """Administrator at Harbor."""
    return staff.add("ada@harbor.example", name="Ada Obi", role=Role.ADMINISTRATOR, now=NOON)


@pytest.fixture
def client(ada: User, sign_in_as: Callable[[User], Client]) -> Client:
    return sign_in_as(ada)


def stale(user: User) -> None:
    Session.objects.filter(user=user).update(confirmed_at=timezone.now() - Session.FRESH)


def last(action: str) -> Entry:
    return Entry.objects.filter(action=action).latest("id")


def test_the_role_table_stands_on_one_page(client: Client) -> None:
    page = client.get("/staff/").content.decode()
    assert all(role.label in page for role in Role)
    assert all(permission.value in page for permission in Permission)


def test_an_invitation_is_a_link_shown_once(client: Client) -> None:
    answer = client.post(
        "/staff/invite/", {"name": "Nia", "email": "nia@harbor.example", "role": "analyst"}
    )
    found = re.search(r"http://testserver(/invitation/[\w-]+/)", answer.content.decode())
    assert found
    assert Client().get(found[1]).status_code == 200
    assert last("staff.created").facts() == {"role": "analyst"}


def test_an_address_in_use_is_not_invited_twice(client: Client, ada: User) -> None:
    answer = client.post(
        "/staff/invite/", {"name": "A", "email": "ADA@harbor.example", "role": "analyst"}
    )
    assert "already signs in" in answer.content.decode()


def test_a_staff_change_asks_for_a_fresh_code(client: Client, ada: User, mara: User) -> None:
    """SE-09: re-authentication before a sensitive change."""
    stale(ada)
    page = f"http://testserver/staff/{mara.pk}/"
    answer = client.post(f"/staff/{mara.pk}/disable/", headers={"Referer": page})
    assert answer["Location"] == f"/confirm/?next=%2Fstaff%2F{mara.pk}%2F"
    assert User.objects.get(pk=mara.pk).is_active
    assert client.get("/staff/invite/")["Location"].startswith("/confirm/")


def test_disabling_ends_access_and_is_in_the_trail(client: Client, mara: User) -> None:
    client.post(f"/staff/{mara.pk}/disable/")
    assert not User.objects.get(pk=mara.pk).is_active
    assert last("staff.disabled").subject == f"staff:{mara.pk}"


def test_staff_of_another_organisation_are_not_there(client: Client, ivy: User) -> None:
    assert client.get(f"/staff/{ivy.pk}/").status_code == 404
    client.post(f"/staff/{ivy.pk}/disable/")
    with tenancy.acting_for(ivy.organisation_id):
        assert User.objects.get(pk=ivy.pk).is_active


def test_an_api_key_is_shown_once_and_works(client: Client) -> None:
    answer = client.post(
        "/integrations/keys/new/", {"name": "EHR", "scopes": ["events.write"], "days": "30"}
    )
    found = re.search(r"attune_\d+_[\w-]{43}", answer.content.decode())
    assert found
    assert api_keys.authenticate(found[0], now=timezone.now()).name == "EHR"
    assert found[0] not in client.get("/integrations/keys/").content.decode()
    assert last("api_key.created").facts()["scopes"] == ["events.write"]


@pytest.mark.parametrize("prefix", ["Ab3_xY", "-Ab3xY", "_-b3xY"])
def test_a_revoked_key_is_in_the_trail(client: Client, prefix: str) -> None:
    key, _ = api_keys.issue(
        "EHR", scopes=[Permission.EVENTS_WRITE], expires_at=NOON.replace(year=2036), now=NOON
    )
    ApiKey.objects.update(prefix=prefix)
    client.post(f"/integrations/keys/{key.pk}/revoke/")
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None
    entry = last("api_key.revoked")
    assert (entry.subject, entry.facts()) == (f"api_key:{key.pk}", {"prefix": f"key:{prefix}"})


def test_the_trail_is_filtered_and_looking_is_recorded(client: Client, mara: User) -> None:
    page = client.get("/trail/", {"action": "staff.created", "subject": f"staff:{mara.pk}"})
    assert [row["entry"].subject for row in page.context["rows"]] == [f"staff:{mara.pk}"]
    assert last("trail.viewed").facts() == {"count": 1, "fields": ["action", "subject"]}


def test_the_trail_goes_on_where_the_page_ends(client: Client, ada: User) -> None:
    for _ in range(60):
        client.get("/trail/")
    first = client.get("/trail/", {"action": "trail."})
    assert len(first.context["rows"]) == 50
    second = client.get(first.context["next"])
    seen = {row["entry"].pk for page in (first, second) for row in page.context["rows"]}
    assert len(seen) == 60


def test_an_entry_tells_its_facts(client: Client, mara: User) -> None:
    entry = Entry.objects.get(action="staff.created", subject=f"staff:{mara.pk}")
    page = client.get(f"/trail/{entry.pk}/").content.decode()
    assert "Mara Lind" in page
    assert "marketer" in page


def test_an_entry_of_another_organisation_is_not_there(client: Client, ivy: User) -> None:
    with tenancy.acting_for(ivy.organisation_id):
        entry = Entry.objects.filter(action="staff.created").latest("id")
    assert client.get(f"/trail/{entry.pk}/").status_code == 404


def test_the_trail_is_verified_from_its_page(client: Client) -> None:
    assert "The trail is whole" in client.post("/trail/check/").content.decode()
