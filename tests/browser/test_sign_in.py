"""From the door to Home with a password and an authenticator, in a real browser."""

from __future__ import annotations

from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import mfa, passwords, tenancy
from accounts.models import Authenticator, User
from tests.browser import axe
from tests.browser.conftest import NewContext, OpenAs

GOOD = "seven quiet herons wade at dusk"


def with_password(user: User) -> User:
    with tenancy.acting_for(user.organisation_id):
        passwords.choose(user, GOOD, now=timezone.now())
    return user


def code_of(user: User) -> str:
    with tenancy.acting_for(user.organisation_id):
        return mfa.code_at(Authenticator.objects.get(user=user), now=timezone.now())


def give_password(page: Page, user: User) -> None:
    page.goto("/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Continue").click()


def test_a_newcomer_enrols_and_is_home(new_context: NewContext, mara: User) -> None:
    """SE-07"""
    page = new_context(375).new_page()
    give_password(page, with_password(mara))
    expect(page.get_by_role("heading", name="Set up your authenticator")).to_be_visible()
    assert axe.findings(page) == []
    page.get_by_label("Six-digit code").fill(code_of(mara))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(
        10
    )
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("needs you")


def test_a_wrong_password_is_told_once_and_focused(new_context: NewContext, mara: User) -> None:
    page = new_context().new_page()
    page.goto("/sign-in/")
    page.get_by_label("E-mail address").fill(mara.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    assert axe.findings(page) == []


def test_keys_go_places_and_dialogs_give_the_focus_back(open_as: OpenAs, mara: User) -> None:
    page = open_as(mara, "/account/")
    opener = page.get_by_role("button", name="Keyboard shortcuts")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_url("**/")


def test_the_narrow_menu_opens_and_closes(open_as: OpenAs, mara: User) -> None:
    page = open_as(mara, "/account/", width=375)
    menu = page.get_by_role("button", name="Menu")
    home = page.get_by_role("navigation", name="Main").get_by_role("link", name="Home")
    expect(home).to_be_hidden()
    menu.click()
    expect(home).to_be_visible()
    page.keyboard.press("Escape")
    expect(home).to_be_hidden()
    expect(menu).to_be_focused()


def test_the_first_tab_skips_to_the_content(open_as: OpenAs, mara: User) -> None:
    page = open_as(mara, "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
