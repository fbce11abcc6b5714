"""The pages of people in a browser: addresses, family, history, review, merging and taking back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts import amending
from contacts.households import living, representing
from contacts.merge import proposing
from contacts.models import Contact, Merge
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, OpenAs
from tests.conftest import NOON
from tests.consent.conftest import person

LONG = "a.remarkably.long.name.that.no.form.would.ever.break@somewhere-very-far-away.example"


@pytest.fixture
def ada(harbor: Organisation) -> Contact:
    """Ada, with a second address, a daughter's household, a guardian, a change and a namesake."""
    with tenancy.acting_for(harbor.pk):
        same = {"given_name": "Ada", "family_name": "Example", "birth_date": "1961-02-03"}
        ada, ben, twin = person("ada", **same), person("ben"), person("twin", **same)
        amending.amend({ada: {"city": "Salem"}}, source="registry", now=NOON)
        given = NewPoint(kind="email", value=LONG, categories=frozenset({"reproductive"}))
        keeping.add(ada, given, source="staff", now=NOON)
        living.join([ada, ben], now=NOON)
        representing.appoint(
            ada, kind="representative", name="Ben Example", authority="Health care proxy, 2024",
            source="staff", holder_id=ben, now=NOON,
        )  # fmt: skip
        proposing.propose([(ada, twin)], reason="same_name_and_birth", now=NOON)
        return Contact.objects.get(pk=ada)


def looked_at(page: Page) -> None:
    """Check the page for people who cannot see or point, wide and small, light and dark."""
    for (width, height), look in zip((WIDE, NARROW), ("light", "dark"), strict=True):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=look)  # type: ignore[arg-type]  # one of the two
        assert axe.findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("path", "reveal", "told"),
    [
        ("points/", "Reveal", LONG),
        ("family/", "Reveal names", "Health care proxy, 2024"),
        ("history/", "Reveal what", "Salem"),
    ],
)
def test_a_page_of_a_person_is_masked_then_revealed(
    open_as: OpenAs, omar: User, ada: Contact, path: str, reveal: str, told: str
) -> None:
    page = open_as(omar, f"/contacts/{ada.public_id}/{path}")
    expect(page.get_by_text("masked", exact=False).first).to_be_visible()
    expect(page.get_by_text(told)).to_have_count(0)
    looked_at(page)
    page.get_by_role("button", name=reveal).click()
    expect(page.get_by_text(told).first).to_be_visible()
    expect(page.get_by_text("revealed and in the trail").first).to_be_visible()
    looked_at(page)


def test_hd04_two_contacts_are_merged_and_parted_by_hand(
    open_as: OpenAs, omar: User, ada: Contact, harbor: Organisation
) -> None:
    """HD-04"""
    page = open_as(omar, "/people/review/")
    looked_at(page)
    page.get_by_role("link", name="Compare").click()
    looked_at(page)
    page.get_by_role("button", name="Reveal both").click()
    expect(page.get_by_role("row", name="Date of birth").first).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="Merge 2 contacts").click()
    with tenancy.acting_for(harbor.pk):
        assert Merge.objects.get().undone_at is None
    page.goto("/people/review/")
    looked_at(page)
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("No merges")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        assert Merge.objects.get().undone_at is not None


def test_se06_a_death_is_recorded_and_then_the_person_is_erased_by_hand(
    open_as: OpenAs, omar: User, ada: Contact, harbor: Organisation
) -> None:
    """SE-06, HD-06"""
    page = open_as(omar, f"/contacts/{ada.public_id}/")
    page.get_by_text("Record that this person died").click()
    page.get_by_role("button", name="Record the death").click()
    expect(page.get_by_text("recorded as deceased: nothing is sent")).to_be_visible()
    looked_at(page)
    page.get_by_role("link", name="Erase…").click()
    expect(page.get_by_text("1 further address", exact=True)).to_be_visible()
    looked_at(page)
    page.get_by_label("Why").select_option("retention")
    page.get_by_role("button", name="Erase 1 person for good").click()
    expect(page.get_by_text("1 person erased.")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        assert Contact.objects.get(pk=ada.pk).erased_at is not None


def test_an_address_is_added_by_keyboard_alone(open_as: OpenAs, omar: User, ada: Contact) -> None:
    page = open_as(omar, f"/contacts/{ada.public_id}/points/")
    page.get_by_label("E-mail address or number").focus()
    page.keyboard.type("ada.new@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 address added.")).to_be_visible()


def test_by_keys_alone_a_stage_is_revealed_and_its_reasons_read(
    open_as: OpenAs, omar: User, ada: Contact
) -> None:
    page = open_as(omar, f"/contacts/{ada.public_id}/")
    page.get_by_role("button", name="Reveal engagement").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Engagement")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="The rule of “at risk”")).to_be_visible()
    looked_at(page)
