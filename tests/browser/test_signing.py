"""A patient signs on a phone; an officer reads the proof."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from consent.models import Authorization
from consent.signing import asking
from consent.signing.models import Form, Signature
from contacts.models import Contact
from tests.browser import axe
from tests.browser.conftest import NewContext, OpenAs
from tests.consent.conftest import person
from tests.consent.test_signing import SOUND, SPANISH, WHOLE, form


@pytest.fixture
def made(harbor: Organisation) -> Form:
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(postal_address="1 Quay\nBoston")
        return form(replace(SOUND, words={"en": WHOLE, "es": SPANISH}))


@pytest.fixture
def link(harbor: Organisation, made: Form) -> str:
    with tenancy.acting_for(harbor.pk):
        born = person("eve", birth_date="1960-04-05")
        return f"/m/s/{asking.ask(born, made, now=timezone.now())[1]}"


def fill(page: Page) -> None:
    page.get_by_label("Month").fill("4")
    page.get_by_label("Day").fill("5")
    page.get_by_label("Year").fill("1960")
    page.get_by_label("Your full name").fill("Eve Example")
    page.get_by_label("I have read this and I agree.").check()


def test_a_person_reads_draws_and_signs_on_a_phone(
    new_context: NewContext, harbor: Organisation, link: str
) -> None:
    """AC-01, PR-15"""
    page = new_context(320, 640).new_page()
    page.goto(link)
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    fill(page)
    field = page.locator("canvas")
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 20, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you. It is signed.")
    assert axe.findings(page) == []
    assert page.context.cookies() == []
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download your copy").click()
    assert taken.value.path().read_bytes().startswith(b"%PDF-")
    with tenancy.acting_for(harbor.pk):
        assert Signature.objects.get().evidence["strokes"]


def test_a_person_signs_in_spanish_with_the_keyboard(
    new_context: NewContext, harbor: Organisation, link: str
) -> None:
    """AC-01, AC-02"""
    page = new_context(375, 740).new_page()
    page.goto(link)
    page.get_by_role("link", name="Español").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Mes").focus()
    for text in ("4", "5", "1960", "Eva"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.get_by_label("He leído esto y estoy de acuerdo.").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Firmar", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Gracias. Está firmado.")
    assert axe.findings(page) == []


@pytest.mark.parametrize("width", [1280, 375])
def test_the_designer_and_the_proof_serve_everyone(
    open_as: OpenAs,
    new_context: NewContext,
    harbor: Organisation,
    omar: User,
    link: str,
    width: int,
) -> None:
    signing = new_context(375, 740).new_page()
    signing.goto(link)
    fill(signing)
    signing.get_by_role("button", name="Sign", exact=True).click()
    expect(signing.get_by_role("heading", level=1)).to_have_text("Thank you. It is signed.")
    with tenancy.acting_for(harbor.pk):
        one, form_id = Authorization.objects.get(), Form.objects.get().id
        contact = Contact.objects.get(pk=one.contact_id).public_id
    for path in (
        "/forms/",
        f"/forms/{form_id}/",
        f"/consent/{contact}/",
        f"/consent/{contact}/authorizations/{one.id}/",
    ):
        page = open_as(omar, path, width=width)
        assert axe.findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
