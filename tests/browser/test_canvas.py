"""The canvas: every way drawn, none behind a box, the same for those who do not see it."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from tests.browser import axe
from tests.browser.conftest import OpenAs
from tests.workflows.conftest import people
from workflows import enrol, publishing, runner
from workflows.models import Workflow

GRAPH = {
    "trigger": {"kind": "api"},
    "start": "ask",
    "nodes": [
        {"id": "ask", "kind": "branch", "if": {"field": "birth_date", "op": "age_gte", "value": 50},
         "yes": "end", "no": "later"},
        {"id": "later", "kind": "wait", "for": {"days": 1}, "next": "again"},
        {"id": "again", "kind": "wait", "for": {"days": 2}, "next": "end"},
        {"id": "end", "kind": "exit"},
    ],
}  # fmt: skip
LINES_BEHIND_BOXES = """() => {
    const boxes = [...document.querySelectorAll('.canvas-step')].map(
        (box) => box.getBoundingClientRect());
    const hits = [];
    for (const line of document.querySelectorAll('.react-flow__edge-path')) {
        const matrix = line.getScreenCTM(), length = line.getTotalLength();
        for (let at = 6; at < length - 6; at += 3) {
            const point = line.getPointAtLength(at).matrixTransform(matrix);
            if (boxes.some((box) => point.x > box.left + 1 && point.x < box.right - 1
                && point.y > box.top + 1 && point.y < box.bottom - 1)) hits.push(line.id || at);
        }
    }
    return hits;
}"""

OUT_OF_SIGHT = """() => {
    const view = document.querySelector('.react-flow').getBoundingClientRect();
    const drawn = document.querySelectorAll('.react-flow__edge-path, .canvas-label, .canvas-step');
    return [...drawn].map((one) => one.getBoundingClientRect()).filter(
        (one) => one.left < view.left || one.right > view.right
            || one.top < view.top || one.bottom > view.bottom).map((one) => JSON.stringify(one));
}"""


@pytest.fixture
def journey(harbor: Organisation) -> Workflow:
    now = timezone.now()
    with tenancy.acting_for(harbor.pk):
        made = publishing.create("Aftercare", slug="aftercare", draft=GRAPH, now=now)
        publishing.publish(made.id, now=now)
    return made


@pytest.fixture
def page(open_as: OpenAs, mara: User, journey: Workflow) -> Page:
    opened = open_as(mara, f"/workflows/{journey.id}/")
    expect(opened.locator(".canvas-step")).to_have_count(5)
    return opened


def test_every_way_is_drawn_where_it_can_be_seen(page: Page) -> None:
    lines = page.locator(".react-flow__edge-path")
    expect(lines).to_have_count(5)
    drawn = page.evaluate(
        "[...document.querySelectorAll('.react-flow__edges svg')]"
        ".every((picture) => picture.getBoundingClientRect().width > 0)"
    )
    assert drawn


def test_no_way_runs_behind_a_box(page: Page) -> None:
    assert page.evaluate(LINES_BEHIND_BOXES) == []


def test_the_whole_view_holds_lines_and_labels_too(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    page.get_by_role("button", name="Fit View").click()
    page.wait_for_timeout(300)
    assert page.evaluate(OUT_OF_SIGHT) == []


def test_yes_and_no_leave_by_handles_of_their_own(page: Page) -> None:
    ask = page.locator(".react-flow__node[data-id=ask]")
    expect(ask.locator("[data-handleid=yes]")).to_have_count(1)
    expect(ask.locator("[data-handleid=no]")).to_have_count(1)


def test_a_step_is_reached_and_opened_by_keyboard(page: Page) -> None:
    page.locator(".react-flow__node[data-id=later]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".canvas-detail h3")).to_have_text("Wait 1 day")


def test_the_same_stands_in_a_table(page: Page) -> None:
    page.get_by_text("The same as a table").click()
    row = page.get_by_role("row", name="Meets the conditions? branch")
    expect(row).to_contain_text("Wait 1 day")


def test_the_page_has_no_serious_finding(page: Page) -> None:
    assert axe.findings(page) == []


def test_tables_and_drawing_move_together_and_keep_the_focus(
    page: Page, harbor: Organisation, journey: Workflow
) -> None:
    """CA-16: in the page's own time, with nothing pressed."""
    came = page.locator("#figures").get_by_role("row", name="later").locator("td").first
    expect(came).to_have_text("0")
    with tenancy.acting_for(harbor.pk):
        enrol.enrol(journey.id, people("ada", birth_date="2001-04-05"), now=timezone.now())
        runner.run_once(now=timezone.now())
    expect(page.locator("#here-later")).to_have_text("1", timeout=20_000)
    expect(came).to_have_text("1")
    expect(page.locator("#fates")).to_contain_text("Entered1")
    expect(page.locator(".react-flow__node[data-id=later]")).to_contain_text("1")
    page.set_viewport_size({"width": 375, "height": 740})
    page.locator("#here-later").focus()
    page.locator("#scroll-steps").evaluate("table => table.scrollTo(40, 0)")
    with tenancy.acting_for(harbor.pk):
        enrol.enrol(journey.id, people("ben", birth_date="2001-04-05"), now=timezone.now())
        runner.run_once(now=timezone.now())
    expect(page.locator("#here-later")).to_have_text("2", timeout=20_000)
    expect(page.locator("#here-later")).to_be_focused()
    assert page.locator("#scroll-steps").evaluate("table => table.scrollLeft") == 40


def test_what_did_not_change_is_not_drawn_anew(page: Page) -> None:
    page.evaluate("document.getElementById('figures').marked = true")
    with page.expect_response(lambda answer: "/tables/" in answer.url, timeout=20_000) as looked:
        pass
    assert looked.value.headers["hx-reswap"] == "none"
    page.wait_for_timeout(200)
    assert page.evaluate("document.getElementById('figures').marked")
