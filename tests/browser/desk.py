"""The editor's desk driven in two ways: with the mouse on the drawing, with the keyboard alone."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from playwright.sync_api import Locator, Page, expect

from marketing.web.canvas_forms import KINDS

Role = Literal["button", "link"]
LABELS = {way.key: way.label for form in reversed(KINDS) for way in form.ways}
"""What each way is called in the form of its step."""


class Desk(Protocol):
    page: Page

    def begin(self, kind: str) -> None:
        """Put the first step behind what lets people in."""

    def put(self, kind: str) -> None:
        """Add a step that no way leads to, such as a goal."""

    def add(self, name: str, way: str, kind: str) -> None:
        """Put a step of this kind on a way of the step with this name."""

    def choose(self, label: str, option: str) -> None:
        """Choose from a list in the form of the chosen step."""

    def fill(self, label: str, value: str) -> None:
        """Write into a field of the form."""

    def check(self, label: str) -> None:
        """Tick a box of the form."""

    def step(self, name: str) -> None:
        """Choose a step by its name in the graph."""

    def lead(self, way: str, name: str) -> None:
        """Lead a way of the chosen step to the step with this name."""

    def press(self, name: str, role: Role = "button") -> None:
        """Press a button of the page, or follow a link."""


def panel(page: Page) -> Locator:
    return page.locator(".editor-side")


def field(page: Page, label: str) -> Locator:
    """The first field of the form with this label, be it optional or not."""
    said = re.compile(f"^{re.escape(label)}( \\(optional\\))?$")
    return panel(page).get_by_label(said).first


@dataclass
class Mouse:
    """Clicks what is drawn: the plus of a way, a box, a way drawn from dot to dot."""

    page: Page

    def begin(self, kind: str) -> None:
        self.add("TRIGGER", "start", kind)

    def put(self, kind: str) -> None:
        kinds = self.page.get_by_role("toolbar", name="Add a step")
        kinds.get_by_role("button", name=kind, exact=True).click()

    def add(self, name: str, way: str, kind: str) -> None:
        self.page.locator(f'[data-from="{name}"][data-way="{way}"]').click()
        self.page.get_by_role("dialog").get_by_role("button", name=kind).click()

    def choose(self, label: str, option: str) -> None:
        field(self.page, label).select_option(label=option)

    def fill(self, label: str, value: str) -> None:
        one = field(self.page, label)
        one.click()
        one.fill(value)
        panel(self.page).get_by_role("heading").first.click()  # what is left is taken

    def check(self, label: str) -> None:
        field(self.page, label).click()

    def step(self, name: str) -> None:
        box = self.page.locator(f'.react-flow__node[data-id="{name}"]')
        if box.count() == 0:  # beyond the edge of the drawing
            self.page.get_by_role("button", name="Fit View").click()
        box.locator(".canvas-kind").click()
        expect(self.page.get_by_label("Step", exact=True)).to_have_value(name)

    def lead(self, way: str, name: str) -> None:
        chosen = self.page.get_by_label("Step", exact=True).input_value()
        self.page.get_by_role("button", name="Fit View").click()
        out = self.page.locator(f'.react-flow__node[data-id="{chosen}"] [data-handleid="{way}"]')
        end = self.page.locator(f'.react-flow__node[data-id="{name}"] [data-handleid="in"]')
        line = self.page.locator(f'.react-flow__edge[data-id="{chosen} {way}"]')
        for _ in range(3):
            self.page.wait_for_timeout(300)  # until the drawing has come to rest
            out.drag_to(end)
            with suppress(AssertionError):
                expect(line).to_have_count(1, timeout=2_000)
                break
        expect(line).to_have_count(1)

    def press(self, name: str, role: Role = "button") -> None:
        self.page.get_by_role(role, name=name, exact=True).click()


@dataclass
class Keyboard:
    """Goes to a control and types; nothing is clicked, nothing is chosen behind the keyboard."""

    page: Page

    def begin(self, kind: str) -> None:
        self.step("TRIGGER")
        self.put(kind)

    def put(self, kind: str) -> None:
        kinds = self.page.get_by_role("toolbar", name="Add a step")
        self._enter(kinds.get_by_role("button", name=kind, exact=True))

    def add(self, name: str, way: str, kind: str) -> None:
        self.step(name)
        said = re.compile(f"^Add a step after this one(, {re.escape(LABELS[way])})?$")
        self._enter(panel(self.page).get_by_role("button", name=said))
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        wanted = dialog.get_by_role("button", name=kind)
        while not wanted.evaluate("one => one === document.activeElement"):
            self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")

    def choose(self, label: str, option: str) -> None:
        one = field(self.page, label)
        labels = one.locator("option").all_text_contents()
        self._walk(one, one.locator("option").nth(labels.index(option)).get_attribute("value"))

    def fill(self, label: str, value: str) -> None:
        field(self.page, label).focus()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.type(value)
        self.page.keyboard.press("Tab")

    def check(self, label: str) -> None:
        field(self.page, label).focus()
        self.page.keyboard.press("Space")

    def step(self, name: str) -> None:
        self._walk(self.page.get_by_label("Step", exact=True), name)

    def lead(self, way: str, name: str) -> None:
        ends = re.compile(f"^Leads on(: {re.escape(LABELS[way])}| to)$")
        self._walk(panel(self.page).get_by_label(ends), name)

    def press(self, name: str, role: Role = "button") -> None:
        self._enter(self.page.get_by_role(role, name=name, exact=True))

    def _enter(self, control: Locator) -> None:
        control.focus()
        self.page.keyboard.press("Enter")

    def _walk(self, one: Locator, value: str | None) -> None:
        """Go down the list by arrow keys until the value is chosen."""
        one.focus()
        self.page.keyboard.press("Home")
        for _ in range(one.locator("option").count()):
            if one.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        expect(one).to_have_value(value or "")
