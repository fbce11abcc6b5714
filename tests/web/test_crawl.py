"""Whoever follows every link that a role is shown comes to a page, never to a no (UI.md, 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.actor import Actor
from consent import sample as consents
from contacts import grouping, lists
from contacts.households import living
from contacts.merge import acts, proposing
from contacts.models import Contact
from contacts.sample import seed
from contacts.segments import columns
from marketing.campaigns import sample as campaign
from messaging.protect import Hop
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.web.crawling import crawl
from workflows import sample as journey

SignIn = Callable[[User], Client]


@pytest.fixture
def everyone(harbor: Organisation) -> dict[Role, User]:
    with tenancy.acting_for(harbor.pk):
        return {
            role: staff.add(f"{role}@harbor.example", name=role.label, role=role, now=NOON)
            for role in Role
        }


@pytest.fixture
def lived_in(harbor: Organisation, everyone: dict[Role, User]) -> None:
    """A clinic with something of everything."""
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin="https://h.example"
        )
        harbor.refresh_from_db()
        seed.patients(60, now=NOON)
        grouping.add_starters(now=NOON)
        columns.compact(now=NOON)
        people = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        consents.record(people, clinic="Harbor", zone=harbor.timezone, now=NOON)
        transport = Memory(hop=Hop.VERIFIED)
        journey.ensure(harbor, transport=transport, now=NOON)
        author, approver = (
            Actor("staff", str(everyone[one].pk)) for one in (Role.MARKETER, Role.APPROVER)
        )
        campaign.ensure(harbor, author=author, approver=approver, transport=transport, now=NOON)
        _families(people)


def _families(people: list[int]) -> None:
    living.join(people[-2:], now=NOON)
    proposing.by_hand(people[-3], people[-4], now=NOON)
    proposing.by_hand(people[-5], people[-6], now=NOON)
    acts.merge(people[-5], people[-7], now=NOON)
    lists.add(lists.create("Walkers", now=NOON).id, people[-3:], now=NOON)


def getter(client: Client) -> Callable[[str], tuple[int, str]]:
    def get(path: str) -> tuple[int, str]:
        answer: Any = client.get(path, follow=True)
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        return answer.status_code, answer.content.decode() if is_page else ""

    return get


@pytest.mark.usefixtures("lived_in")
def test_no_role_is_shown_a_link_that_leads_nowhere(
    everyone: dict[Role, User], sign_in_as: SignIn
) -> None:
    dead, looked = [], 0
    for role, user in everyone.items():
        found, pages = crawl(getter(sign_in_as(user)))
        dead += [f"{role}: {one}" for one in found]
        looked += pages
    assert dead == []
    assert looked > 200
