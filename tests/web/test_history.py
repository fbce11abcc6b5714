"""Provenance beside a value, the history, and correcting by hand."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from audit.models import Entry
from contacts import amending
from contacts.fields import DataClass
from contacts.models import Contact
from contacts.reveal import reveal
from tests.conftest import NOON
from tests.consent.conftest import person

SignIn = Callable[[User], Client]
DIABETES = {"system": "s", "code": "1", "display": "Canary diabetes", "status": "active"}


def at(route: str, contact_id: int, *more: object) -> str:
    return reverse(route, args=[Contact.objects.get(pk=contact_id).public_id, *more])


def test_hd18_a_revealed_value_says_where_it_comes_from(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """HD-18"""
    page = sign_in_as(omar).post(at("contact-values", person("ada"), "contact_point"))
    assert "from ehr" in page.content.decode()


def test_pr28_a_value_is_corrected_by_hand_and_the_old_one_kept(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    """PR-28"""
    ada = person("ada", birth_date="1961-02-03")
    client = sign_in_as(omar)
    right = {"field": "birth_date", "value": "1961-03-02"}
    client.post(at("contact-correct", ada, "identity"), right)
    known = reveal([ada], [DataClass.IDENTITY], purpose="test")[ada]
    masked = client.get(at("contact-history", ada)).content.decode()
    opened = client.post(at("contact-changes", ada)).content.decode()
    assert known["birth_date"] == "1961-03-02"
    assert ("1961-02-03" in masked, "1961-02-03" in opened) == (False, True)
    assert Entry.objects.filter(action="contact.history_viewed").exists()


def test_a_marketer_reads_no_clinical_history_and_corrects_nothing(
    at_harbor: Organisation, mara: User, sign_in_as: SignIn
) -> None:
    ada = person("ada")
    amending.amend({ada: {"conditions": [DIABETES], "city": "Salem"}}, source="ehr", now=NOON)
    client = sign_in_as(mara)
    page = client.post(at("contact-changes", ada)).content.decode()
    assert ("Salem" in page, "Canary" in page) == (True, False)
    wrong = client.post(at("contact-correct", ada, "identity"), {"field": "given_name"})
    assert wrong.status_code == 403


def test_what_is_no_date_is_refused_in_words_without_the_value(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    ada = person("ada")
    given = {"field": "birth_date", "value": "canary spring"}
    page = sign_in_as(omar).post(at("contact-correct", ada, "identity"), given, follow=True)
    assert "Nothing was corrected" in page.content.decode()
    assert "canary spring" not in page.content.decode()
