"""The main path in a browser: sign in, build a segment, publish the journey, read the funnel."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts.sample import seed
from contacts.segments import columns
from tests.browser.conftest import NewContext
from tests.browser.test_sign_in import code_of, give_password, with_password
from workflows import runner, sample, triggers


def move_on(organisation: Organisation) -> None:
    later = timezone.now() + timedelta(minutes=1)
    with tenancy.acting_for(organisation.pk):
        triggers.run_once(now=later)
        runner.run_once(now=later)


def test_from_the_door_to_the_funnel(
    new_context: NewContext, harbor: Organisation, mara: User
) -> None:
    with tenancy.acting_for(harbor.pk):
        seed.patients(60, now=timezone.now())
        columns.compact(now=timezone.now())
        sample.install(now=timezone.now())
    page = new_context().new_page()
    give_password(page, with_password(mara))
    page.get_by_label("Six-digit code").fill(code_of(mara))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("link", name="I have kept them").click()
    page.goto("/segments/new/")
    expect(page.locator("#preview")).to_contain_text("of 61 people")  # one is known twice
    page.get_by_label("Name").fill("Aged 50 and over")
    page.get_by_role("button", name="Save segment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Aged 50 and over")
    page.goto("/workflows/")
    page.get_by_role("link", name="Diabetes education series").click()
    page.get_by_role("button", name="Publish the draft").click()
    expect(page.get_by_role("status").first).to_contain_text("Some would be refused")
    page.get_by_role("button", name="Publish the draft").click()
    expect(page.get_by_role("status").first).to_contain_text("Version 1 is live")
    move_on(harbor)
    page.reload()
    entered = page.locator(".stat", has_text="Entered").locator("dd")
    expect(entered).not_to_have_text("0")
    expect(page.locator(".canvas-step-trigger .canvas-figures dd")).to_have_text(
        entered.inner_text()
    )
