"""The builder's form driven as a person drives it: one condition after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect


@dataclass(frozen=True)
class Ask:
    """One condition: what, how, and what goes into its controls, by their labels."""

    what: str
    how: str = ""
    pick: dict[str, str] = field(default_factory=dict)
    fill: dict[str, str] = field(default_factory=dict)
    chips: dict[str, list[str]] = field(default_factory=dict)
    check: tuple[str, ...] = ()
    since: str = ""
    negated: bool = False


def build(page: Page, name: str, asks: list[Ask]) -> None:
    """Fill the builder of a new segment in; nothing is saved yet."""
    page.goto("/segments/new/")
    page.get_by_label("Name").fill(name)
    page.locator(".clause").get_by_role("button", name="Remove").click()
    for ask in asks:
        add(page, ask)


def add(page: Page, ask: Ask) -> Locator:
    page.get_by_role("button", name="Add condition").last.click()
    clause = page.locator(".clause").last
    what = clause.get_by_role("combobox", name="What")
    what.fill(ask.what)
    expect(clause.get_by_role("option").first).to_be_visible()
    what.press("Enter")
    expect(what).to_have_value(ask.what)
    if ask.how:
        clause.get_by_role("combobox", name="How", exact=True).select_option(label=ask.how)
    for more in clause.locator("details.clause-more").all():
        more.evaluate("view => { view.open = true; }")
    answer(clause, ask)
    if ask.since:
        clause.get_by_role("combobox", name="When", exact=True).select_option(label="since")
        clause.get_by_role("combobox", name="Since", exact=True).select_option(label="the moment")
        clause.get_by_label("Moment with offset").fill(ask.since)
    if ask.negated:
        clause.get_by_role("button", name="Not", exact=True).click()
    return clause


def answer(clause: Locator, ask: Ask) -> None:
    """Put the values into the controls."""
    for label, value in ask.pick.items():
        clause.get_by_role("combobox", name=label, exact=True).select_option(label=value)
    for label, value in ask.fill.items():
        clause.get_by_label(label, exact=True).fill(value)
    for label, values in ask.chips.items():
        for value in values:
            entry = clause.get_by_role("combobox", name=label, exact=True)
            entry.fill(value)
            entry.press("Enter")
    for label in ask.check:
        clause.get_by_label(label, exact=True).check()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save segment").click()
    page.wait_for_url("**/segments/*-*/")
