"""People choose and sign up on a phone, by keyboard, without scripts, cookies or other hosts."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import tenancy
from accounts.models import Organisation
from consent.choices import preferences, sign_ups, topics
from contacts.models import Contact
from marketing.web import public_sign_up
from messaging import links, outbox
from tests.browser import axe
from tests.browser.conftest import NewContext
from tests.messaging.conftest import SOURCE, approved, person, template


@pytest.fixture
def address(harbor: Organisation) -> str:
    """The preference page behind one mail to Eve."""
    now = timezone.now()
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay\nBoston", web_origin="https://h.example"
        )
        topics.add("heart", {"en": {"name": "Heart health"}, "es": {"name": "Corazón"}}, now=now)
        eve = person("eve", email="eve@example.org")
        version = approved(template())
        order = outbox.Order(eve, version.id, "marketing", SOURCE, "news", 1, "", now)
        (row,) = outbox.enqueue([order], now=now)
        made = links.addresses(
            "",
            organisation_id=harbor.pk,
            message_id=row.message_id,
            contact_id=eve,
            tracked=False,
            now=now,
        )
    return f"{made.unsubscribe}/choices"


def chosen(harbor: Organisation) -> preferences.Preferences:
    with tenancy.acting_for(harbor.pk):
        return preferences.of(Contact.objects.get().id, now=timezone.now())


def test_a_person_unticks_a_topic_by_keyboard_on_a_phone(
    new_context: NewContext, harbor: Organisation, address: str
) -> None:
    """AC-01, CS-03"""
    page = new_context(320, 640).new_page()
    hosts: set[str] = set()
    page.on("request", lambda one: hosts.add(one.url.split("/")[2]))
    page.goto(address)
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_label("Heart health").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save my choices").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Saved. It counts from now on.")
    assert axe.findings(page) == []
    assert chosen(harbor).topics_off == {"heart"}
    assert page.context.cookies() == []
    assert hosts == {page.url.split("/")[2]}


def test_everything_off_works_in_spanish_without_scripts(
    browser: Browser, live_server: LiveServer, harbor: Organisation, address: str
) -> None:
    """AC-02, CS-03"""
    context = browser.new_context(
        java_script_enabled=False, locale="es-MX", base_url=live_server.url
    )
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Detener todo").click()
    expect(page.get_by_role("status")).to_have_text("Detenido. Desde ahora no le enviamos nada.")
    assert chosen(harbor).everything_off
    context.close()


def test_the_sign_up_form_is_clean_and_narrow(
    new_context: NewContext, harbor: Organisation, address: str
) -> None:
    """AC-01"""
    with tenancy.acting_for(harbor.pk):
        form = sign_ups.make(
            "News", {"en": "I agree to news."}, confirmation=SOURCE, now=timezone.now()
        )
    page: Page = new_context(320, 640).new_page()
    page.goto(public_sign_up.address_of(form))
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Sign up").click()
    assert axe.findings(page) == []
    assert page.context.cookies() == []
