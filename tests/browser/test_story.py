"""One mail from the first block to the last delivery, on the product's own web server and workers.

A marketer draws it with mouse and keyboard, is told of a diagnosis in the subject, mends that and
asks for review; a colleague passes it, and passes the campaign; a hundred people get it.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts.segments import catalogue, columns
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from deploy.run import answers
from deploy.supervisor import Supervisor
from messaging.models import Message
from tests.browser.axe import findings
from tests.browser.conftest import OpenAs
from tests.browser.test_mail_board import canvas
from tests.chaos.clinic import PATIENCE, processes
from tests.deploy.ports import free_port
from tests.ground.server import OwnDatabase
from tests.workflows.conftest import WOMEN, people, sign

HUNDRED = [f"w{number}" for number in range(100)]


@pytest.fixture
def site(
    committed_db: OwnDatabase, harbor: Organisation, mailbox: Mailbox, settings: LazySettings
) -> Iterator[str]:
    """The product under way: web server, workers and scheduler, each a process of its own."""
    home = Path(tempfile.mkdtemp(prefix="attune-", dir="/var/tmp"))
    broker, port = EmbeddedBroker(home / "broker"), free_port()
    address = f"http://127.0.0.1:{port}"
    started = processes(committed_db, broker=broker, mailbox=mailbox, home=home, port=port)
    supervisor = Supervisor(started, [broker.start])
    settings.SMTP_PORT, settings.SMTP_CA_FILE = mailbox.port, str(mailbox.ca_file)
    try:
        broker.start()
        supervisor.start()
        end = time.monotonic() + PATIENCE
        while not answers(f"{address}/"):
            assert time.monotonic() < end, (home / "web.log").read_text()[-2000:]
            time.sleep(0.1)
        yield address
    finally:
        supervisor.stop()
        broker.stop_any()
        shutil.rmtree(home)


@pytest.fixture
def clinic(harbor: Organisation, site: str) -> Organisation:
    """Harbor with a hundred women who agreed."""
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin=site
        )
        sign(people(*HUNDRED, gender="female"))
        columns.compact(now=timezone.now(), at_least=1)
        catalogue.save(name="Women", tree=WOMEN, now=timezone.now())
    return harbor


@pytest.fixture
def nora(harbor: Organisation) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add(
            "nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=timezone.now()
        )


def begin(page: Page) -> None:
    page.get_by_label("Name", exact=True).first.fill("Spring walks")
    page.get_by_label("Purpose").first.select_option(label="Marketing")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="Draw it").click()
    expect(canvas(page).get_by_text("Write here.")).to_be_visible()


def draw(page: Page) -> None:
    """A heading by keyboard, a button by mouse, the words of both."""
    canvas(page).get_by_text("Write here.").click()
    page.get_by_role("button", name="Blocks", exact=True).click()
    page.get_by_role("button", name="Button").click()
    write(page, "Choose a walk")
    page.get_by_label("Where it leads").fill("https://harbor.example/walks")
    page.get_by_role("button", name="Order", exact=True).press("Enter")
    greeting = page.get_by_role("button", name="Text: Dear")
    greeting.press("Enter")
    page.get_by_role("button", name="Blocks", exact=True).press("Enter")
    page.get_by_role("button", name="Heading").press("Enter")
    write(page, "<h1>Walk with us</h1>")
    page.get_by_role("button", name="Order", exact=True).press("Enter")
    page.get_by_role("button", name="Text: Walk with us").press("Alt+ArrowUp")
    expect(page.get_by_text("Text: Walk with us moved up.")).to_be_visible()


def write(page: Page, words: str) -> None:
    page.get_by_role("button", name="Selected", exact=True).click()
    page.get_by_label("Words").fill(words)


def the_diagnosis_is_flagged_and_taken_out(page: Page) -> None:
    subject = page.get_by_label("Subject", exact=True)
    subject.fill("Walks for {{ contact.conditions }}")
    expect(page.get_by_role("button", name="Check 1")).to_be_visible()
    page.get_by_role("button", name="Check 1").click()
    expect(page.get_by_text("A subject is read on locked screens")).to_be_visible()
    page.get_by_role("button", name="Send for review").click()
    expect(page.get_by_text("1 problem: no version")).to_be_visible()
    page.get_by_role("link", name="Draw it").click()
    expect(canvas(page).get_by_text("Walk with us")).to_be_visible()
    subject.fill("Spring walks with {{ organisation.name }}")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text("Nothing keeps it from becoming a version.")).to_be_visible()


def pass_the_mail(second: Page) -> None:
    second.get_by_role("link", name="Spring walks").click()
    mail = second.frame_locator(".mail-frame >> nth=0")
    expect(mail.get_by_role("heading", name="Walk with us")).to_be_visible()
    expect(mail.get_by_role("link", name="Choose a walk")).to_be_visible()
    assert findings(second) == []
    second.get_by_role("button", name="Pass: Content").click()
    expect(second.get_by_text("Version 1 may be used in workflows.")).to_be_visible()


def plan_the_campaign(page: Page) -> None:
    page.goto("/campaigns/new/")
    page.get_by_label("Name", exact=True).fill("Spring walks")
    page.get_by_label("To the segment").select_option(label="Women")
    page.get_by_label("Message", exact=True).select_option(index=1)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("of 100 people may be written to now")).to_be_visible()
    page.get_by_role("button", name="Send for approval").click()


def launch_and_watch(page: Page) -> None:
    page.reload()
    page.get_by_role("button", name="Launch").click()
    page.get_by_role("dialog").get_by_role("button", name="Launch").click()
    expect(page.get_by_text("100 % dealt with")).to_be_visible(timeout=60_000)
    assert findings(page) == []


def test_a_mail_is_drawn_reviewed_launched_and_watched_to_the_end(
    open_as: OpenAs, clinic: Organisation, mara: User, nora: User, mailbox: Mailbox, tmp_path: Path
) -> None:
    page = open_as(mara, "/templates/")
    begin(page)
    draw(page)
    page.screenshot(path=tmp_path / "board.png", full_page=True)
    the_diagnosis_is_flagged_and_taken_out(page)
    page.get_by_role("button", name="Send for review").click()
    expect(page.get_by_text("Version 1 waits for review: content.")).to_be_visible()
    second = open_as(nora, "/templates/reviews/")
    pass_the_mail(second)
    plan_the_campaign(page)
    second.goto(page.url)
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Approved, exactly as it is now.")).to_be_visible()
    launch_and_watch(page)
    page.screenshot(path=tmp_path / "campaign.png", full_page=True)
    letters = mailbox.letters()
    assert {one.recipient for one in letters} == {f"{one}@patients.example" for one in HUNDRED}
    assert len(letters) == len(HUNDRED)
    assert {one.subject for one in letters} == {"Spring walks with Harbor Clinic"}
    with tenancy.acting_for(clinic.pk):
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
