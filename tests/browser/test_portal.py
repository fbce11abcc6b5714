"""EM-26: a person picks a message up on a phone, by keyboard, and staff answer what they wrote."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from messaging import attachments, dispatch, outbox
from messaging.attachments import Given
from messaging.models import Answer, Pickup
from messaging.portal import carriers, codes
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.browser import axe
from tests.browser.conftest import NewContext, OpenAs
from tests.messaging.conftest import SOURCE, approved, person, sign, template
from tests.messaging.portal.conftest import PDF
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import path_in

SHOTS = Path(os.environ["SHOTS"]) if "SHOTS" in os.environ else None
Desk = Callable[..., Page]
WORDS = "Thank you. The new pills make me dizzy: may I take half?"


def text_of(memory: Memory) -> str:
    return str(next(parsed(memory.sent[-1]).iter_parts()).get_content())


@contextmanager
def inside(organisation: Organisation) -> Iterator[Memory]:
    with tenancy.acting_for(organisation.pk):
        yield Memory()


@pytest.fixture
def address(harbor: Organisation) -> str:
    """Where the real notice mail leads: a message with a file that waits for Eve."""
    now = timezone.now()
    with inside(harbor) as memory:
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay\nBoston", web_origin="https://h.example"
        )
        eve = person("eve", email="eve@example.org")
        sign(eve)
        version = approved(template())
        order = outbox.Order(
            eve,
            version.id,
            "marketing",
            SOURCE,
            "news",
            1,
            "",
            now,
            path_classes=frozenset({"clinical"}),
        )
        (row,) = outbox.enqueue([order], now=now)
        attachments.attach(row.message_id, [Given("Your plan.pdf", PDF)], now=now)
        dispatch.run_once(transport=memory, now=now, onward=Onward.OPPORTUNISTIC)
        return path_in(text_of(memory), "p")


@pytest.fixture
def at_desk(open_as: OpenAs, harbor: Organisation) -> Desk:
    """Open pages as Nora, of care staff."""
    with tenancy.acting_for(harbor.pk):
        nora = staff.add(
            "nora@harbor.example", name="Nora Ferris", role=Role.CARE, now=timezone.now()
        )
    return partial(open_as, nora)


def code_from_mail(organisation: Organisation) -> str:
    with inside(organisation) as memory:
        assert codes.send_due(carriers.usual(memory), now=timezone.now()) == 1
        found = re.search(r"\b\d{6}\b", text_of(memory))
    assert found
    return found[0]


def looked_at(page: Page, name: str) -> None:
    """Hold a page to its promises, and keep a picture of it where one was asked for."""
    assert axe.findings(page) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if SHOTS:
        page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)


def press(page: Page, name: str) -> None:
    """Go to a button with the tab key alone, and press it."""
    button = page.get_by_role("button", name=name, exact=True)
    for _ in range(40):
        page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")


def let_in(page: Page, organisation: Organisation) -> None:
    press(page, "Send me a code")
    expect(page.get_by_role("status")).to_contain_text("on its way")
    looked_at(page, "portal-code")
    page.get_by_label("Code", exact=True).focus()
    page.keyboard.type(code_from_mail(organisation))
    for part in ("4", "5", "1960"):
        page.keyboard.press("Tab")
        page.keyboard.type(part)
    press(page, "Read the message")
    expect(page.get_by_role("heading", level=1)).to_have_text("News from Harbor Clinic")


def test_em26_a_person_picks_up_reads_saves_and_replies_on_a_phone(
    new_context: NewContext, harbor: Organisation, address: str, at_desk: Desk
) -> None:
    """EM-26, AC-01"""
    page = new_context(375, 740).new_page()
    page.goto(address)
    looked_at(page, "portal-door")
    let_in(page, harbor)
    looked_at(page, "portal-message")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Your plan.pdf").press("Enter")
    assert saving.value.suggested_filename == "Your plan.pdf"
    assert Path(saving.value.path()).read_bytes() == PDF
    _reply(page)
    page.get_by_role("link", name="What we encrypt to").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Encrypted e-mail")
    looked_at(page, "portal-key")
    page.get_by_role("link", name="Back to the message").press("Enter")
    press(page, "Sign out")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    looked_at(page, "portal-left")
    page.go_back()
    page.goto(f"{address}/message")
    assert "/message" not in page.url, "the way back is shut"
    _answered(at_desk, harbor)


def _reply(page: Page) -> None:
    page.get_by_label("Your message").focus()
    page.keyboard.type(WORDS)
    page.get_by_label(re.compile("^Files")).set_input_files(
        {"name": "pills.txt", "mimeType": "text/plain", "buffer": b"two at night"}
    )
    press(page, "Send the reply")
    expect(page.get_by_role("status")).to_have_text("Your reply was sent.")
    expect(page.locator("section.panel")).to_contain_text("may I take half")
    looked_at(page, "portal-replied")


def _answered(at_desk: Desk, harbor: Organisation) -> None:
    """Care staff find the reply, save its file, and answer it."""
    desk = at_desk("/inbox/")
    expect(desk.get_by_text("Unread")).to_be_visible()
    looked_at(desk, "inbox")
    desk.get_by_role("row").nth(1).get_by_role("link").first.click()
    expect(desk.locator(".turn")).to_contain_text("may I take half")
    looked_at(desk, "conversation")
    with desk.expect_download() as saving:
        desk.get_by_role("link", name="pills.txt").click()
    assert Path(saving.value.path()).read_bytes() == b"two at night"
    desk.get_by_label("Your answer").fill("Please do not halve them. We call you today.")
    desk.get_by_label("Does the person ask us to stop?").select_option("nothing")
    desk.get_by_role("button", name="Send the answer").click()
    expect(desk.locator(".flash")).to_contain_text("on its way")
    looked_at(desk, "answered")
    narrow = at_desk("/inbox/?show=done", width=375)
    looked_at(narrow, "inbox")
    with tenancy.acting_for(harbor.pk):
        assert Answer.objects.get().done_at is not None


def test_ac02_the_portal_speaks_spanish_and_says_what_is_wrong(
    new_context: NewContext, harbor: Organisation, address: str
) -> None:
    """AC-02"""
    page = new_context(320, 640).new_page()
    page.goto(address)
    page.get_by_role("link", name="Español").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Le espera un mensaje")
    press(page, "Envíenme un código")
    page.get_by_label("Código", exact=True).fill("000000")
    for label, part in (("Mes", "4"), ("Día", "5"), ("Año", "1961")):
        page.get_by_label(label, exact=True).fill(part)
    press(page, "Leer el mensaje")
    expect(page.get_by_role("alert")).to_contain_text("no concuerdan")
    assert page.locator("html").get_attribute("lang") == "es"
    looked_at(page, "portal-wrong-es")
    with tenancy.acting_for(harbor.pk):
        assert (Pickup.objects.get().language, Pickup.objects.get().attempts) == ("es", 1)
    with inside(harbor) as memory:
        codes.send_due(carriers.usual(memory), now=timezone.now())
        assert "Escríbalo en la página" in text_of(memory)


def test_the_signing_page_reads_well(open_as: OpenAs, omar: User, harbor: Organisation) -> None:
    for width in (1280, 375):
        page = open_as(omar, "/settings/signing/", width=width)
        expect(page.get_by_text("Nothing signs yet")).to_be_visible()
        looked_at(page, "signing")
