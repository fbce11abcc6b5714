"""The segment builder in a browser: keys, live counts, errors at their clause, small screens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts.segments import catalogue
from contacts.segments.models import Segment
from tests.browser import axe
from tests.browser.conftest import NARROW, OpenAs
from tests.conftest import NOON
from tests.contacts.segments import world

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


@pytest.fixture
def elders(harbor: Organisation) -> None:
    """Two people to count, one of them past fifty."""
    with tenancy.acting_for(harbor.pk):
        world.add([{"city": "Boston", "birth_date": "1950-01-01"}, {"city": "Quincy"}])


@pytest.fixture
def page(open_as: OpenAs, elders: None, mara: User) -> Page:
    """The builder for a new segment, seen by Mara."""
    return open_as(mara, "/segments/new/")


def test_a_segment_is_built_counted_and_saved_by_keyboard_alone(
    page: Page, harbor: Organisation
) -> None:
    expect(page.locator("#preview strong")).to_have_text("1")
    page.get_by_label("Name").focus()
    page.keyboard.type("Boston elders")
    page.get_by_role("button", name="Add condition").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What").nth(1)).to_be_focused()
    page.keyboard.type("City")
    expect(page.get_by_label("What").nth(1)).to_have_value("field:city")
    page.get_by_label("Text", exact=True).focus()
    page.keyboard.type("Boston")
    expect(page.locator("#preview")).to_contain_text("city is “Boston”")
    page.get_by_role("button", name="Save segment").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/segments/*-*/")
    with tenancy.acting_for(harbor.pk):
        saved = Segment.objects.get().definition
    assert saved == {
        "all": [
            {"field": "birth_date", "op": "age_gte", "value": 50},
            {"field": "city", "op": "equals", "value": "Boston"},
        ]
    }


def test_an_error_stands_at_its_clause(page: Page) -> None:
    page.get_by_role("button", name="Add condition").first.click()
    expect(page.locator(".clause.wrong .clause-error")).to_contain_text("must be")


def test_not_turns_a_condition_around_and_keeps_the_focus(page: Page) -> None:
    press = page.locator(".clause").get_by_role("button", name="Not")
    press.click()
    expect(press).to_be_focused()
    expect(press).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#preview")).to_contain_text("not (age is 50 or more)")


def test_json_and_form_are_the_same_definition(page: Page) -> None:
    page.get_by_text("Definition as JSON").click()
    tree = '{"any": [{"field": "city", "op": "exists"}, {"not": {"event": "message.clicked"}}]}'
    page.get_by_label("Definition", exact=True).fill(tree)
    page.get_by_label("Name").focus()
    expect(page.locator(".clause")).to_have_count(2)
    expect(page.locator(".clause.negated")).to_have_count(1)
    expect(page.locator("#preview strong")).to_have_text("2")


@pytest.mark.parametrize("width", [NARROW[0], 320])
def test_the_builder_fits_a_phone(open_as: OpenAs, elders: None, mara: User, width: int) -> None:
    page = open_as(mara, "/segments/new/", width=width)
    page.get_by_role("button", name="Add group").first.click()
    expect(page.locator("#preview strong")).to_have_text("1")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_builder_has_no_serious_finding(
    open_as: OpenAs, elders: None, mara: User, dark: bool
) -> None:
    page = open_as(mara, "/segments/new/", dark=dark)
    page.get_by_role("button", name="Add group").first.click()
    page.get_by_role("button", name="Add condition").first.click()
    expect(page.locator(".clause.wrong").first).to_be_visible()
    assert axe.findings(page) == []


@pytest.mark.parametrize("path", ["/segments/", "/segments/{}/"])
def test_list_and_page_have_no_serious_finding_and_fit_a_phone(
    open_as: OpenAs, elders: None, harbor: Organisation, mara: User, path: str
) -> None:
    with tenancy.acting_for(harbor.pk):
        boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    page = open_as(mara, path.format(boston.id), width=NARROW[0])
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
