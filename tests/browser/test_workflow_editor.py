"""The editor of workflows: by mouse, by keyboard, and back again."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts.models import ContactList
from tests.browser import axe
from tests.browser.conftest import OpenAs
from tests.messaging.conftest import approved, template
from tests.workflows.graphs import long_series
from workflows import publishing
from workflows.models import Workflow


@pytest.fixture
def draft(harbor: Organisation) -> Workflow:
    """An empty workflow, an approved message and a list to use in it."""
    now = timezone.now()
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin="https://h.example"
        )
        approved(template("reminder", purpose="treatment"))
        ContactList.objects.create(name="Called", created_at=now)
        empty = {
            "trigger": {"kind": "api"},
            "start": "end",
            "nodes": [{"id": "end", "kind": "exit"}],
        }
        return publishing.create("Appointments", slug="appointments", draft=empty, now=now)


def kept(workflow: Workflow, organisation: Organisation) -> dict[str, Any]:
    with tenancy.acting_for(organisation.pk):
        draft: dict[str, Any] = Workflow.objects.get(pk=workflow.pk).draft
    return draft


def save(page: Page) -> None:
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(".editor-state")).to_contain_text("Saved.")


def panel(page: Page) -> Locator:
    return page.locator(".editor-side")


def test_a_journey_is_drawn_with_the_mouse_mended_and_published(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    page.get_by_label("People come in").select_option(label="by an event")
    panel(page).get_by_label("Event", exact=True).fill("appointment.booked")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Add a step after Appointment booked").click()
    page.get_by_role("dialog").get_by_role("button", name="Send a message").click()
    expect(page.locator(".editor-state")).to_contain_text("to mend")
    expect(panel(page).locator(".editor-faults")).to_contain_text("Message is missing: choose one")
    panel(page).get_by_label("Message", exact=True).select_option(label="Reminder")
    expect(page.locator(".editor-state")).to_contain_text("Nothing keeps it from going live")
    save(page)
    assert kept(draft, harbor)["start"] == "send"
    page.get_by_role("button", name="Publish the draft").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Version 1 is live")).to_be_visible()


def test_a_journey_is_drawn_with_the_keyboard_alone(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    wait = page.get_by_role("toolbar", name="Add a step").get_by_role(
        "button", name="Wait", exact=True
    )
    wait.focus()
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="Number").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("3")
    page.locator(".react-flow__node").filter(has_text="3 days").focus()
    page.keyboard.press("Control+C")
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Name of the step")).to_have_value("wait-2")
    page.locator(".react-flow__node").filter(has_text="wait-2").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".react-flow__node")).to_have_count(3)
    page.keyboard.press("Control+Z")
    expect(page.locator(".react-flow__node")).to_have_count(4)
    page.keyboard.press("Control+Z")
    page.keyboard.press("Control+S")
    expect(page.locator(".editor-state")).to_contain_text("Saved.")
    assert kept(draft, harbor) == {
        "trigger": {"kind": "api"},
        "start": "wait",
        "nodes": [
            {"id": "wait", "kind": "wait", "for": {"days": 3}, "next": "end"},
            {"id": "end", "kind": "exit"},
        ],
    }


def test_a_way_is_drawn_from_box_to_box_and_a_step_dragged_onto_a_way(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    plus = page.get_by_role("button", name="Add a step after Enrolled by an API call")
    kinds = page.get_by_role("toolbar", name="Add a step")
    kinds.get_by_role("button", name="Branch").drag_to(plus)
    expect(page.locator(".react-flow__node")).to_have_count(3)
    box, end = (
        page.locator(".canvas-step-branch.editor-step"),
        page.locator(".canvas-step-exit.editor-step"),
    )
    box.locator('[data-handleid="no"]').drag_to(end.locator('[data-handleid="in"]'))
    save(page)
    made = kept(draft, harbor)["nodes"]
    assert {"id": "branch", "kind": "branch", "yes": "end", "no": "end"} in made


def test_a_step_keeps_its_way_when_another_is_taken_out_and_a_name_goes_everywhere(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    with tenancy.acting_for(harbor.pk):
        Workflow.objects.filter(pk=draft.pk).update(
            draft={
                "trigger": {"kind": "api"},
                "start": "ask",
                "nodes": [
                    {"id": "ask", "kind": "send", "next": "hear"},
                    {"id": "hear", "kind": "wait_for", "event": "message.clicked", "of": "ask",
                     "up_to": {"days": 3}, "heard": "pause", "unheard": "end"},
                    {"id": "pause", "kind": "wait", "for": {"days": 1}, "next": "end"},
                    {"id": "end", "kind": "exit"},
                ],
            }
        )  # fmt: skip
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    find = page.get_by_label("Step", exact=True)
    find.select_option("pause")
    panel(page).get_by_role("button", name="Remove the step").click()
    find.select_option("ask")
    page.get_by_label("Name of the step").fill("welcome")
    page.get_by_label("Name of the step").press("Enter")
    save(page)
    made = {step["id"]: step for step in kept(draft, harbor)["nodes"]}
    assert made["hear"]["heard"] == "end"
    assert made["hear"]["of"] == "welcome"
    assert kept(draft, harbor)["start"] == "welcome"


def test_what_a_colleague_saved_meanwhile_is_not_overwritten(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    with tenancy.acting_for(harbor.pk):
        publishing.save_draft(draft, draft.draft | {"start": "gone"}, now=timezone.now())
    page.get_by_role("toolbar", name="Add a step").get_by_role(
        "button", name="Wait", exact=True
    ).click()
    page.get_by_role("button", name="Save the draft").click()
    expect(page.locator(".editor-state")).to_contain_text("Somebody else saved this draft")
    assert kept(draft, harbor)["start"] == "gone"


@pytest.mark.parametrize("width", [1280, 375])
def test_the_editor_serves_everyone(
    open_as: OpenAs, mara: User, draft: Workflow, width: int
) -> None:
    page = open_as(mara, f"/workflows/{draft.id}/draft/", width=width)
    expect(page.locator(".react-flow__node")).to_have_count(2)
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_two_hundred_steps_are_edited_without_a_wait(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    with tenancy.acting_for(harbor.pk):
        Workflow.objects.filter(pk=draft.pk).update(draft=long_series(198))
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    expect(page.get_by_label("Step", exact=True).locator("option")).to_have_count(200)
    page.get_by_label("Step", exact=True).select_option("w7")
    page.get_by_role("toolbar", name="Add a step").get_by_role(
        "button", name="Wait", exact=True
    ).click()
    expect(page.get_by_label("Name of the step")).to_have_value("wait")


SEVERAL: dict[str, Any] = {
    "trigger": {"kind": "api"},
    "start": "ask",
    "nodes": [
        {"id": "ask", "kind": "send", "next": "hear"},
        {"id": "hear", "kind": "wait_for", "event": "message.clicked", "of": "ask",
         "up_to": {"days": 3}, "heard": "end", "unheard": "pause"},
        {"id": "pause", "kind": "wait", "for": {"days": 1}, "next": "end"},
        {"id": "end", "kind": "exit"},
    ],
}  # fmt: skip


@pytest.fixture
def several(draft: Workflow, harbor: Organisation) -> Workflow:
    with tenancy.acting_for(harbor.pk):
        Workflow.objects.filter(pk=draft.pk).update(draft=SEVERAL)
    return draft


def test_several_steps_are_copied_with_what_is_between_them_by_keyboard_alone(
    open_as: OpenAs, mara: User, harbor: Organisation, several: Workflow
) -> None:
    page = open_as(mara, f"/workflows/{several.id}/draft/")
    for node in ("ask", "hear", "pause"):
        box = page.locator(f".react-flow__node[data-id={node}]")
        expect(box).to_be_visible()
        box.focus()
        page.keyboard.press("m")
        expect(box).to_be_focused()
    expect(page.locator(".editor-state")).to_contain_text("3 steps marked")
    page.keyboard.press("Control+C")
    page.keyboard.press("Control+V")
    expect(page.locator(".react-flow__node")).to_have_count(8)
    expect(page.locator("#announce")).to_have_text(
        "3 steps pasted with 2 connections between them, not connected to the others yet"
    )
    page.keyboard.press("Control+Z")
    expect(page.locator(".react-flow__node")).to_have_count(5)
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+S")
    expect(page.locator(".editor-state")).to_contain_text("Saved.")
    assert kept(several, harbor)["nodes"][4:] == [
        {"id": "ask-2", "kind": "send", "next": "hear-2"},
        {"id": "hear-2", "kind": "wait_for", "event": "message.clicked", "of": "ask-2",
         "up_to": {"days": 3}, "unheard": "pause-2"},
        {"id": "pause-2", "kind": "wait", "for": {"days": 1}},
    ]  # fmt: skip
    assert axe.findings(page) == []


def test_steps_marked_with_the_mouse_go_into_another_workflow_and_out_again_together(
    open_as: OpenAs, mara: User, harbor: Organisation, several: Workflow
) -> None:
    empty = {
        "trigger": {"kind": "api"},
        "start": "end",
        "nodes": [{"id": "end", "kind": "exit"}],
    }
    with tenancy.acting_for(harbor.pk):
        other = publishing.create("Other", slug="other", draft=empty, now=timezone.now())
    page = open_as(mara, f"/workflows/{several.id}/draft/")
    page.locator(".react-flow__node[data-id=hear]").click()
    page.locator(".react-flow__node[data-id=pause]").click(modifiers=["Shift"])
    page.get_by_role("button", name="Copy 2 steps").click()
    page.goto(f"/workflows/{other.id}/draft/")
    page.get_by_role("button", name="Paste 2 steps").click()
    expect(page.locator(".react-flow__node")).to_have_count(4)
    save(page)
    assert kept(other, harbor)["nodes"][1:] == [
        {"id": "hear", "kind": "wait_for", "event": "message.clicked",
         "up_to": {"days": 3}, "unheard": "pause"},
        {"id": "pause", "kind": "wait", "for": {"days": 1}},
    ]  # fmt: skip
    page.get_by_role("button", name="Remove 2 marked steps").click()
    expect(page.locator(".react-flow__node")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".react-flow__node")).to_have_count(4)


def test_a_branch_asks_by_which_way_a_message_would_reach_someone(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    """EM-16"""
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    page.get_by_role("toolbar", name="Add a step").get_by_role("button", name="Branch").click()
    asked = panel(page)
    asked.get_by_label("What is asked").select_option(label="Would be reached by")
    asked.get_by_label("Portal").check()
    asked.get_by_label("A message for").select_option(label="treatment")
    asked.get_by_label("clinical").check()
    asked.get_by_label("Leads on: no").select_option("end")
    asked.get_by_label("Leads on: yes").select_option("end")
    expect(page.locator(".editor-state")).to_contain_text("Nothing keeps it from going live")
    save(page)
    (branch,) = (one for one in kept(draft, harbor)["nodes"] if one["kind"] == "branch")
    assert branch["if"] == {"forecast": ["portal"], "purpose": "treatment", "classes": ["clinical"]}
    page.reload()
    box = page.locator(".canvas-step-branch.editor-step")
    expect(box).to_contain_text("Reached by Portal?")


def test_a_wait_says_by_whose_clock(
    open_as: OpenAs, mara: User, harbor: Organisation, draft: Workflow
) -> None:
    """CA-05"""
    page = open_as(mara, f"/workflows/{draft.id}/draft/")
    page.get_by_role("toolbar", name="Add a step").get_by_role("button", name="Wait until").click()
    panel(page).get_by_label("At (optional)", exact=True).fill("09:00")
    box = page.locator(".canvas-step-until.editor-step")
    expect(box).to_contain_text("at 09:00 in their local time")
    panel(page).get_by_label("By whose clock").select_option(label="in our time")
    expect(box).to_contain_text("at 09:00 in our time")
    save(page)
    assert kept(draft, harbor)["nodes"][0]["clock"] == "organisation"
