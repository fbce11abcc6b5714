"""CS-05: a mail that calls itself care is commercial where an offer comes first."""

from __future__ import annotations

import pytest

from accounts.models import Organisation
from messaging.making import drafts
from messaging.templates_compile import TemplateInvalid
from tests.messaging.conftest import template
from tests.messaging.mails import compiled

REMINDER = "<mj-text>Your visit is on Tuesday at nine. Please bring your card and your list of medicines, and come a little earlier than the time that we wrote.</mj-text>"  # noqa: E501
OFFER = "<mj-text>Our shop has 20% off vitamins.</mj-text>"


def said(body: str, *, purpose: str = "appointment", subject: str = "Your visit") -> list[str]:
    made = compiled(body=body, subject=subject, text="", purpose=purpose)
    return [one.part for one in made.warnings if one.code == "purpose"]


def test_a_reminder_with_an_offer_in_its_first_half_is_called_commercial() -> None:
    """CS-05"""
    assert said(OFFER + REMINDER) == ["mjml"]


def test_an_offer_behind_the_reminder_is_not() -> None:
    """CS-05"""
    assert said(REMINDER + OFFER) == []


def test_a_subject_that_offers_makes_it_commercial() -> None:
    """CS-05"""
    assert said(REMINDER, subject="Save up to half on vitamins") == ["subject"]


def test_a_reminder_alone_is_a_reminder() -> None:
    assert said(REMINDER) == []


def test_what_calls_itself_marketing_is_told_nothing() -> None:
    assert said(OFFER + REMINDER, purpose="marketing", subject="Special offers") == []


@pytest.mark.parametrize("words", ["Ofertas de otoño", "20 % de descuento", "Compre hoy"])
def test_spanish_offers_are_offers(words: str) -> None:
    assert said(f"<mj-text>{words}</mj-text>{REMINDER}") == ["mjml"]


def test_a_commercial_mail_of_nowhere_is_refused(at_harbor: Organisation) -> None:
    """CS-05"""
    Organisation.objects.filter(pk=at_harbor.pk).update(postal_address=" ")
    draft = template(purpose="treatment")
    drafts.compiled(draft)
    draft.purpose = "marketing"
    with pytest.raises(TemplateInvalid) as refused:
        drafts.compiled(draft)
    assert [one.message for one in refused.value.problems] == [drafts.NO_ADDRESS]
