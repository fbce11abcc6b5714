"""The appointment journey from nothing: drawn, mended, simulated, published, and seen to move.

Twice: with the mouse on the drawing, and with the keyboard alone. What moves people on are real
workers in a process of their own; what lets them in are fifty events by the API.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import api_keys, tenancy
from accounts.models import Organisation, User
from accounts.roles import Permission
from contacts.models import Contact
from contacts.segments import catalogue, columns
from deploy.broker import EmbeddedBroker
from deploy.mailbox import Mailbox
from tests.browser import axe
from tests.browser.conftest import OpenAs
from tests.browser.desk import Desk, Keyboard, Mouse, panel
from tests.chaos.clinic import environment
from tests.ground.server import OwnDatabase
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN, people
from workflows.models import Workflow

ROOT = Path(__file__).parents[2]
SHOTS = os.environ.get("ATTUNE_SHOTS", "")
PEOPLE = 50


@pytest.fixture
def clinic(harbor: Organisation) -> Organisation:
    """Fifty patients, every second a woman, an approved reminder and a segment."""
    now = timezone.now()
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin="https://h.example"
        )
        approved(template("reminder", purpose="treatment"))
        people(*(f"f{number}" for number in range(PEOPLE // 2)), gender="female")
        people(*(f"m{number}" for number in range(PEOPLE // 2)), gender="male")
        columns.compact(now=now)
        catalogue.save(name="Women", tree=WOMEN, now=now)
    return harbor


@pytest.fixture
def workers(
    clinic: Organisation,
    committed_db: OwnDatabase,
    mailbox: Mailbox,
    settings: LazySettings,
    site: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing but the loops, on the test's own database."""
    with tempfile.TemporaryDirectory(prefix="attune-", dir="/var/tmp") as folder:
        home = Path(folder)
        told = environment(
            database=committed_db.url,
            owner=committed_db.owner_url,
            broker=EmbeddedBroker(home / "broker"),
            mailbox=mailbox,
            home=home,
            origin=site,
        )
        command = [sys.executable, "-m", "tests.browser.workers"]
        running = subprocess.Popen(command, cwd=ROOT, env=os.environ | told)
        yield running
        running.kill()
        running.wait(10)


def draw(desk: Desk) -> None:
    """Until two days before; women by lot, a tenth held out, get the reminder; others go to staff.

    Left to mend: which message, and what staff shall do.
    """
    desk.choose("People come in", "by an event")
    desk.fill("Event", "appointment.booked")
    desk.fill("Once for each", "ref")
    desk.fill("Its date stands in", "begins")
    desk.begin("Wait until")
    desk.check("The date of what people came in for, such as the appointment")
    desk.fill("Number", "2")
    desk.add("until", "next", "Choose a way")
    desk.choose("Segment", "Women")
    draw_women(desk)
    desk.add("choose", "other", "Ask staff")
    for way in ("done", "failed", "overdue"):
        desk.lead(way, "end")
    desk.step("until")
    desk.lead("late", "choose")
    desk.put("Goal")
    desk.fill("Event", "appointment.attended")


def draw_women(desk: Desk) -> None:
    """By lot nine in ten get the reminder, and a wait until something is true follows it."""
    desk.add("choose", "then1", "Split by lot")
    desk.fill("Share of arm 1", "90")
    desk.fill("Share of arm 2", "10")
    desk.choose("Compared against", "Arm 2")
    desk.lead("arm2", "end")
    desk.add("split", "arm1", "Send a message")
    desk.add("send", "next", "Wait for an event")
    desk.fill("Event", "")
    desk.choose("Segment", "Women")
    desk.lead("unheard", "end")


def mend(desk: Desk) -> None:
    """Two boxes say what is wrong with them; afterwards nothing does."""
    page = desk.page
    state, faults = page.locator(".editor-state"), panel(page).locator(".editor-faults")
    expect(state).to_contain_text("2 to mend")
    expect(page.locator(".editor-step[data-wrong]")).to_have_count(2)
    desk.step("send")
    expect(faults).to_contain_text("Message is missing: choose one")
    desk.choose("Message", "Reminder")
    desk.step("task")
    expect(faults).to_contain_text("What to do is missing")
    desk.fill("What to do", "Call about the appointment")
    expect(state).to_contain_text("Nothing keeps it from going live")


def seen(page: Page, name: str) -> None:
    """Nothing that a reader of screens stumbles over; and a picture, where one is asked for."""
    assert axe.findings(page) == []
    for width in (375, 1280) if SHOTS else ():
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def tell(site: str, organisation: Organisation) -> None:
    """Fifty appointments for tomorrow, as a record system books them."""
    now = timezone.now()
    with tenancy.acting_for(organisation.pk):
        _, secret = api_keys.issue(
            "ehr",
            scopes=[Permission.EVENTS_WRITE],
            expires_at=now + timedelta(days=1),
            now=now,
        )
        ids = list(Contact.objects.order_by("id").values_list("public_id", flat=True))
    body: dict[str, Any] = {
        "events": [
            {
                "contact": str(one),
                "kind": "appointment.booked",
                "occurred_at": now.isoformat(),
                "idempotency_key": f"a-{one}",
                "properties": {
                    "ref": f"v{place}",
                    "begins": (now + timedelta(days=1)).isoformat(),
                },
            }
            for place, one in enumerate(ids)
        ]
    }
    request = urllib.request.Request(
        f"{site}/api/v1/events/batch",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status < 300 and len(ids) == PEOPLE


@pytest.mark.parametrize("hand", [Mouse, Keyboard])
def test_the_appointment_journey_from_nothing_to_people_moving(
    open_as: OpenAs,
    site: str,
    omar: User,
    mara: User,
    clinic: Organisation,
    workers: subprocess.Popen[bytes],
    hand: type[Mouse] | type[Keyboard],
) -> None:
    page, name = open_as(mara, "/workflows/new/"), hand.__name__.lower()
    page.get_by_label("Name", exact=True).fill("Appointments")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.locator(".react-flow__node")).not_to_have_count(0)
    desk = hand(page)
    draw(desk)
    seen(page, f"{name}-drawn")
    mend(desk)
    desk.press("Save the draft")
    expect(page.locator(".editor-state")).to_contain_text("Saved.")
    seen(page, f"{name}-mended")
    simulate(desk, name)
    desk.press("Publish the draft")
    desk.press("Publish")
    expect(page.get_by_text("Version 1 is live")).to_be_visible()
    live = page.url  # whoever sees clinical facts is told how many, exactly
    watch(open_as(omar, live), clinic, site, name)
    with tenancy.acting_for(clinic.pk):
        kinds = {one["kind"] for one in Workflow.objects.get().draft["nodes"]}
    assert kinds == {"until", "choose", "split", "send", "wait_for", "task", "goal", "exit"}


def simulate(desk: Desk, name: str) -> None:
    """Try the draft on invented people, and come back to it."""
    page, drawn = desk.page, desk.page.url
    desk.press("Back to the workflow", "link")
    desk.press("Simulate", "link")
    desk.press("Simulate")
    expect(page.get_by_role("heading", name="Simulation of Appointments")).to_be_visible()
    expect(page.locator(".stat", has_text="At the end").locator("dd")).not_to_have_text("0")
    seen(page, f"{name}-simulated")
    page.goto(drawn)


def watch(page: Page, clinic: Organisation, site: str, name: str) -> None:
    """The counts of the drawing move while it is looked at; the page is not loaded again."""
    figure = page.locator('.react-flow__node[data-id="trigger"] .canvas-figures dd')
    expect(figure).to_have_text("0")
    tell(site, clinic)
    expect(figure).to_have_text(str(PEOPLE), timeout=120_000)
    waiting = page.locator('.react-flow__node[data-id="task"] [data-what="waiting"] dd')
    expect(waiting).to_have_text(str(PEOPLE // 2), timeout=120_000)
    sent = page.locator('.react-flow__node[data-id="send"] [data-what="sent"] dd')
    expect(sent).not_to_have_text("0", timeout=120_000)
    seen(page, f"{name}-live")
    page.get_by_label("Beside the simulation").check()
    expect(page.locator('.react-flow__node[data-id="task"]')).to_contain_text("simulated")
