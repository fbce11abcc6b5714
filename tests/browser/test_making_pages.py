"""The other pages of a template in a browser: read by all, fit for a phone, used by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.actor import Actor, acting_as
from contacts.segments import catalogue
from messaging import versions
from messaging.models import ContentBlock, Template
from tests.browser import axe
from tests.browser.conftest import OpenAs
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN


@pytest.fixture
def draft(harbor: Organisation, site: str) -> Template:
    """A template with two versions, a language, a condition and a shared block beside it."""
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin=site
        )
        segment = catalogue.save(name="Women", tree=WOMEN, now=NOON)
        made = template("news")
        approved(made)
        made.conditions = {"women": {"label": "Women", "definition": {"segment": str(segment.id)}}}
        made.mjml = made.mjml.replace("how to eat well", "how to eat and sleep well")
        made.save()
        with acting_as(Actor("staff", "author")):
            versions.save(made, now=NOON)
        ContentBlock.objects.create(
            slug="foot", name="Foot", kind="piece", mjml="<mj-text>Hi</mj-text>",
            created_at=NOON, changed_at=NOON,
        )  # fmt: skip
        return made


@pytest.fixture
def nora(harbor: Organisation) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)


def pages(draft: Template) -> list[str]:
    own = f"/templates/{draft.id}/"
    parts = ["", "flow/", "languages/", "conditions/", "compare/", "compare/?view=inline",
             "versions/2/"]  # fmt: skip
    return [*(own + part for part in parts), "/templates/", "/templates/blocks/",
            "/templates/reviews/"]  # fmt: skip


@pytest.mark.parametrize("width", [1280, 375, 320])
def test_every_page_of_a_template_is_for_all_and_fits(
    open_as: OpenAs, mara: User, draft: Template, width: int
) -> None:
    page = open_as(mara, "/templates/", width=width)
    for path in pages(draft):
        page.goto(path)
        assert axe.findings(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.press("Enter")


def test_a_language_a_condition_and_a_block_are_made_by_keyboard(
    open_as: OpenAs, mara: User, draft: Template
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/languages/")
    page.get_by_label("Language", exact=True).select_option("es")
    page.get_by_label("Language", exact=True).press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It begins with the words as they are")).to_be_visible()
    page.get_by_label("Subject").fill("Noticias")
    press(page, "Save")
    expect(page.get_by_text("A version takes all languages together.")).to_be_visible()
    page.goto(f"/templates/{draft.id}/conditions/")
    page.get_by_label("What it means").fill("Women again")
    page.get_by_label("Its name in the template").fill("again")
    page.get_by_label("People in this segment").select_option(label="Women")
    page.get_by_label("Its name in the template").press("Enter")
    expect(page.get_by_text("{% if when.again %}").first).to_be_visible()
    page.goto("/templates/blocks/")
    page.get_by_label("Name").fill("Greeting")
    page.get_by_label("Name").press("Enter")
    press(page, "Publish")
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()


def test_a_reviewer_sees_what_changed_and_sends_it_back(
    open_as: OpenAs, nora: User, draft: Template
) -> None:
    page = open_as(nora, "/templates/reviews/")
    page.get_by_role("link", name="News").first.press("Enter")
    page.get_by_role("link", name="What changed since it was last approved").press("Enter")
    expect(page.locator("ins, .new").filter(has_text="sleep").first).to_be_visible()
    page.go_back()
    press(page, "Send back")
    expect(page.get_by_text("Say what should be changed.")).to_be_visible()
    page.get_by_label("Comment").fill("Say why sleep matters.")
    press(page, "Send back")
    expect(page.get_by_text("Sent back to its author.")).to_be_visible()
