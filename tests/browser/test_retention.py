"""The officer purges what may go, by keyboard; a patient reads the notice on a phone."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts import tenancy
from accounts.models import Organisation, User
from consent.models import Authorization
from consent.notices import keeping as notices
from tests.browser import axe
from tests.browser.conftest import NewContext, OpenAs
from tests.browser.test_signing import link, made
from tests.consent.conftest import person
from tests.consent.test_retention import LONG_AGO, signed

__all__ = ["link", "made"]


@pytest.fixture
def over(harbor: Organisation) -> Authorization:
    with tenancy.acting_for(harbor.pk):
        signed(person("dora"), expires_on=date(2024, 12, 31))
        return signed(person("cleo"), at=LONG_AGO, expires_on=date(2011, 1, 1))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)])
def test_the_page_of_what_may_go_is_clean_at_any_width(
    open_as: OpenAs, omar: User, over: Authorization, width: int, dark: bool
) -> None:
    """PR-16, AC-01"""
    page = open_as(omar, "/consent/retention/", width=width, dark=dark)
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_officer_purges_with_the_keyboard_and_is_asked_once(
    open_as: OpenAs, omar: User, over: Authorization, harbor: Organisation
) -> None:
    """PR-16: Escape leaves all as it is."""
    page = open_as(omar, "/consent/retention/")
    opens = page.get_by_role("button", name="Purge 1 paper")
    opens.focus()
    page.keyboard.press("Enter")
    asks = page.get_by_role("dialog")
    expect(asks).to_be_visible()
    page.keyboard.press("Escape")
    expect(asks).to_be_hidden()
    page.keyboard.press("Enter")
    asks.get_by_role("button", name="Purge 1 paper").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 paper was purged").first).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        assert Authorization.objects.filter(id=over.id).count() == 0
        assert Authorization.objects.count() == 1


def test_the_notice_that_a_form_links_reads_on_a_phone_in_spanish(
    new_context: NewContext, harbor: Organisation, link: str
) -> None:
    """PR-39, AC-01, AC-02: no cookie, no other host."""
    day = timezone.now().date() - timedelta(days=2)
    with tenancy.acting_for(harbor.pk):
        for language, words in (("en", "How we use records."), ("es", "Cómo usamos sus datos.")):
            notices.publish(words, language=language, effective_on=day, now=timezone.now())
    page = new_context(320, 640).new_page()
    page.goto(f"{link}?lang=es")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    address = page.locator("a[href*='/m/n/']").get_attribute("href")
    assert address and re.match(r"/m/n/", address)
    page.goto(address)
    expect(page.get_by_text("Cómo usamos sus datos.")).to_be_visible()
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.context.cookies() == []
