"""Lists in the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.test import Client

from accounts import tenancy
from accounts.models import Organisation, User
from contacts import records
from contacts.models import ContactList, Event


def test_a_list_is_made_filled_and_emptied(
    harbor: Organisation, mara: User, now: datetime, sign_in_as: Callable[[User], Client]
) -> None:
    with tenancy.acting_for(harbor.pk):
        records.upsert(
            [records.Change(source="epic", record_number="MRN-1", values={"city": "Salem"})],
            now=now,
        )
    client = sign_in_as(mara)
    address = client.post("/lists/", {"name": "Class of May"})["Location"]
    client.post(f"{address}join/", {"number": "MRN-1"})
    html = client.get(address).content.decode()
    assert "1 person" in html
    with tenancy.acting_for(harbor.pk):
        member = ContactList.objects.get().members.get().contact
    client.post(f"{address}leave/", {"contact": str(member.public_id)})
    with tenancy.acting_for(harbor.pk):
        kinds = Event.objects.filter(kind__startswith="list.").order_by("id")
        assert [event.kind for event in kinds] == ["list.joined", "list.left"]


def test_a_number_that_nobody_has_is_said_so(
    harbor: Organisation, mara: User, sign_in_as: Callable[[User], Client]
) -> None:
    client = sign_in_as(mara)
    address = client.post("/lists/", {"name": "Class of May"})["Location"]
    response = client.post(f"{address}join/", {"number": "none"}, follow=True)
    assert "Nobody has this record number" in response.content.decode()
