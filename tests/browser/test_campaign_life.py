"""A campaign's whole life: two messages against each other, some held out, again each week."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from playwright.sync_api import Page, expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts import events
from marketing.campaigns import running
from marketing.campaigns.models import Run
from messaging import dispatch
from messaging.models import Message
from messaging.protect import Hop, Onward
from messaging.transports.memory import Memory
from tests.browser.axe import findings
from tests.browser.conftest import OpenAs
from tests.browser.test_campaigns import clinic
from tests.conftest import NOON
from tests.messaging.conftest import approved, template

__all__ = ["clinic"]


def _start(clinic: Organisation) -> datetime:
    """Ten in the morning, by the organisation's clock, the day after tomorrow."""
    day = datetime.now(clinic.zone).date() + timedelta(days=2)
    return datetime.combine(day, time(10), tzinfo=clinic.zone)


def _work(clinic: Organisation, now: datetime) -> None:
    """Do what the loops do, at that moment."""
    memory = Memory(hop=Hop.VERIFIED)
    with tenancy.acting_for(clinic.pk):
        for _ in range(12):
            running.run_once(now=now)
            dispatch.run_once(transport=memory, now=now, onward=Onward.ENFORCED)


def _click(clinic: Organisation, letter: str, at: datetime, *, machine: bool = False) -> None:
    """Everybody who got this message follows a link, or a program does before them."""
    with tenancy.acting_for(clinic.pk):
        sent = Message.objects.filter(step=letter, state="sent").select_related("version")
        events.append(
            [
                events.NewEvent(
                    contact_id=one.contact_id,
                    kind="message.clicked",
                    occurred_at=at,
                    source="mail",
                    campaign=one.version.template_id,
                    message_id=one.id,
                    machine=machine,
                )
                for one in sent
            ],
            now=at,
        )


def _fill(page: Page, start: datetime) -> None:
    page.get_by_label("Name", exact=True).fill("Weekly letter")
    page.get_by_label("To the segment").select_option(label="Women")
    page.get_by_label("Message", exact=True).select_option(index=1)
    page.get_by_label("Day", exact=True).fill(f"{start:%Y-%m-%d}")
    page.get_by_label("Time", exact=True).fill("10:00")
    for title in ("Again and again", "Try messages or times", "Know what it brings about"):
        page.get_by_text(title).first.click()
    page.get_by_label("Repeats").select_option("WEEKLY")
    page.get_by_label("Tried against", exact=True).select_option(index=2)
    page.get_by_label("Try the messages on (%)").fill("60")
    page.get_by_label("Named after (hours)").fill("24")
    page.get_by_label("Held out (%)").fill("10")
    page.get_by_label("What it wants to bring about").fill("appointment.booked")


def _approved_and_launched(page: Page, open_as: OpenAs, by: User) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("are held out, to compare with")).to_be_visible()
    expect(page.get_by_text("people try each message")).to_be_visible()
    page.get_by_role("button", name="Send for approval").click()
    second = open_as(by, page.url)
    second.get_by_role("button", name="Approve").click()
    page.reload()
    page.get_by_role("button", name="Launch").click()
    page.get_by_role("dialog").get_by_role("button", name="Launch").click()


def _told_to_the_end(page: Page, folder: Path) -> None:
    page.reload()
    expect(page.get_by_text("goes to the rest")).to_be_visible()
    expect(page.get_by_text("100 % dealt with")).to_be_visible()
    expect(page.get_by_role("heading", name="By mailbox provider")).to_be_visible()
    assert findings(page) == []
    page.screenshot(path=folder / "life-1280.png", full_page=True)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take these figures as a file").click()
    assert "by_programs / clicked" in taken.value.path().read_text()


def _cancelled(page: Page) -> None:
    page.get_by_role("button", name="Cancel the campaign").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the campaign").click()
    expect(page.get_by_text("Cancelled for good.")).to_be_visible()


def test_tried_held_out_decided_repeated_and_cancelled(
    open_as: OpenAs, clinic: Organisation, mara: User, tmp_path: Path
) -> None:
    """CA-72, CA-75, CA-77"""
    start = _start(clinic)
    with tenancy.acting_for(clinic.pk):
        nora = staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)
        approved(template("other"))
    page = open_as(mara, "/campaigns/new/")
    _fill(page, start)
    assert findings(page) == []
    _approved_and_launched(page, open_as, nora)
    begins = start.astimezone(UTC)
    _work(clinic, begins + timedelta(minutes=1))
    _click(clinic, "A", begins + timedelta(hours=1))
    _click(clinic, "B", begins + timedelta(hours=1), machine=True)
    page.reload()
    expect(page.get_by_text("The winner is named")).to_be_visible()
    _work(clinic, begins + timedelta(hours=25))
    _told_to_the_end(page, tmp_path)
    with tenancy.acting_for(clinic.pk):
        states = list(Run.objects.order_by("number").values_list("state", flat=True))
    assert states == ["done", "due"]
    phone = open_as(mara, page.url.removeprefix(page.url.split("/campaigns")[0]), width=320)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 320
    assert findings(phone) == []
    phone.screenshot(path=tmp_path / "life-320.png", full_page=True)
    _cancelled(page)
