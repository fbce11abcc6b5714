"""The page of household and representatives."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from contacts import households
from contacts.models import Contact, Representation
from tests.consent.conftest import person

SignIn = Callable[[User], Client]
MOTHER = {"kind": "parent", "name": "Eva Canary", "authority": "Mother, has custody"}


def at(route: str, contact_id: int, *more: object) -> str:
    return reverse(route, args=[Contact.objects.get(pk=contact_id).public_id, *more])


def test_a_representative_is_recorded_masked_revealed_and_ended(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    child = person("child", birth_date="2015-01-01")
    client = sign_in_as(omar)
    client.post(at("contact-family", child), MOTHER)
    masked = client.get(at("contact-family", child)).content.decode()
    opened = client.post(at("contact-family-names", child)).content.decode()
    row = Representation.objects.get()
    client.post(at("contact-representative-end", child, row.pk))
    row.refresh_from_db()
    assert ("Canary" in masked, "Canary" in opened) == (False, True)
    assert row.ended_at is not None


def test_pr14_the_form_asks_on_what_the_authority_rests(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """PR-14"""
    child = person("child")
    sign_in_as(omar).post(at("contact-family", child), MOTHER | {"authority": ""})
    assert not Representation.objects.exists()


def test_somebody_joins_and_leaves_a_household(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    ada, ben = person("ada"), person("ben")
    client = sign_in_as(omar)
    client.post(at("contact-household-join", ada), {"number": "ben"})
    joined = households.members_of([ada])
    home = households.living.households_of(ada)[0]
    client.post(at("contact-household-leave", ada, home.pk))
    assert (joined, households.members_of([ada])) == ({ada: frozenset({ben})}, {})


def test_a_marketer_records_no_representative(
    at_harbor: Organisation, mara: User, sign_in_as: SignIn
) -> None:
    answer = sign_in_as(mara).post(at("contact-family", person("child")), MOTHER)
    assert (answer.status_code, Representation.objects.exists()) == (403, False)
