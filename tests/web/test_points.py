"""The page of a person's addresses."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from audit.models import Entry
from contacts import points as reaching
from contacts.models import Contact, ContactPoint
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from marketing.web.points import Adding
from marketing.web.wishes import Confiding
from tests.conftest import NOON
from tests.consent.conftest import person

SignIn = Callable[[User], Client]
SAFE = "ada.safe@elsewhere.example"


def at(route: str, contact_id: int, *more: object) -> str:
    return reverse(route, args=[Contact.objects.get(pk=contact_id).public_id, *more])


def given(**more: object) -> dict[str, object]:
    return {"kind": "email", "value": SAFE, "use": "home", "rank": 1} | more


def test_pr22_staff_reserve_an_address_and_it_is_what_messages_use(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """PR-22: no reason is asked for; the form has no field for one."""
    ada = person("ada")
    client = sign_in_as(omar)
    client.post(at("contact-points", ada), given(categories=["reproductive"]))
    found = reaching.address_for([ada], channel="email", category="reproductive", now=NOON)
    page = client.get(at("contact-points", ada)).content.decode()
    assert found[ada].value == SAFE
    assert 'name="reason"' not in page


def test_pr22_an_address_can_be_reserved_for_whatever_a_person_may_ask_for(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """PR-22: a wish for which no address could be reserved would stop the messages for good."""
    asked = {key for key, _ in Confiding.base_fields["category"].choices if key}  # type: ignore[attr-defined]
    assert asked <= {key for key, _ in Adding().fields["categories"].choices}  # type: ignore[attr-defined]
    ada = person("ada")
    sign_in_as(omar).post(at("contact-points", ada), given(categories=["payment"]))
    found = reaching.address_for([ada], channel="email", category="payment", now=NOON)
    assert found[ada].value == SAFE


def test_pr22_a_topic_stays_reserved_when_staff_change_something_else(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """PR-22: topics come by the API; the page shows them, and takes away only what is unticked."""
    ada = person("ada")
    safe = NewPoint(kind="email", value=SAFE, categories=frozenset({"walks", "hiv"}))
    row = keeping.add(ada, safe, source="api", now=NOON)
    client = sign_in_as(omar)
    assert "Topic: walks" in client.post(at("contact-point-values", ada)).content.decode()
    client.post(
        at("contact-point", ada, row.pk), {"use": "home", "rank": 2, "categories": ["walks", "hiv"]}
    )
    found = reaching.address_for([ada], channel="email", category="walks", now=NOON)
    assert (found[ada].value, ContactPoint.objects.get().rank) == (SAFE, 2)


def test_values_are_masked_until_they_are_revealed(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    ada = person("ada")
    client = sign_in_as(omar)
    client.post(at("contact-points", ada), given())
    assert SAFE not in client.get(at("contact-points", ada)).content.decode()
    assert SAFE in client.post(at("contact-point-values", ada)).content.decode()
    entry = Entry.objects.filter(action="contact.revealed").latest("id")
    assert entry.subject == f"contact:{ada}"


def test_the_page_says_how_many_share_an_address_and_not_who(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    ada, ben = person("ada", email="f@home.example"), person("ben", email="f@home.example")
    page = sign_in_as(omar).get(at("contact-points", ada)).content.decode()
    assert "also used by 1 other" in page
    assert str(Contact.objects.get(pk=ben).public_id) not in page


def test_a_marketer_changes_no_address(
    at_harbor: Organisation, mara: User, sign_in_as: SignIn
) -> None:
    ada = person("ada")
    assert sign_in_as(mara).post(at("contact-points", ada), given()).status_code == 403
    assert not ContactPoint.objects.exists()


def test_what_is_no_address_is_explained_beside_the_field(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    answer = sign_in_as(omar).post(at("contact-points", person("ada")), given(value="nobody"))
    assert "is not an e-mail address" in answer.content.decode()


def test_an_address_is_changed_and_removed(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    ada = person("ada")
    client = sign_in_as(omar)
    client.post(at("contact-points", ada), given())
    row = ContactPoint.objects.get()
    client.post(at("contact-point", ada, row.pk), {"use": "work", "rank": 2, "checked": "on"})
    row.refresh_from_db()
    assert (row.use, row.rank, row.state, row.verified_by) == ("work", 2, "verified", "staff")
    client.post(at("contact-point-remove", ada, row.pk))
    assert not ContactPoint.objects.exists()


def test_another_organisation_finds_no_page(
    at_harbor: Organisation, ivy: User, sign_in_as: SignIn
) -> None:
    assert sign_in_as(ivy).get(at("contact-points", person("ada"))).status_code in (403, 404)
