"""The segment builder in a browser: keys, live counts, errors at their clause, small screens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from contacts.segments import catalogue
from contacts.segments.models import Segment
from messaging.models import Link
from tests.browser import axe
from tests.browser.conftest import NARROW, OpenAs
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.messaging.conftest import approved, template
from tests.workflows.graphs import long_series
from workflows.models import Workflow

BOSTON = {"field": "city", "op": "equals", "value": "Boston"}


@pytest.fixture
def elders(harbor: Organisation) -> None:
    """Two people to count, one of them past fifty."""
    with tenancy.acting_for(harbor.pk):
        world.add([{"city": "Boston", "birth_date": "1950-01-01"}, {"city": "Quincy"}])


@pytest.fixture
def page(open_as: OpenAs, elders: None, mara: User) -> Iterator[Page]:
    """The builder for a new segment, seen by Mara."""
    page = open_as(mara, "/segments/new/")
    yield page
    settle(page)


def settle(page: Page) -> None:
    """Wait until the last count is there: a page closed meanwhile would report a failed request."""
    page.wait_for_timeout(450)
    expect(page.locator("#counting.htmx-request")).to_have_count(0)


def clause(page: Page, place: int) -> Locator:
    return page.locator(".clause").nth(place)


def tree(page: Page) -> Any:
    return json.loads(page.locator("#definition").input_value())


def show_json(page: Page, definition: Any) -> None:
    """Put a definition into the JSON view, as a person would, and leave the field."""
    page.locator("[data-json]").evaluate("view => { view.open = true; }")
    page.get_by_label("Definition", exact=True).fill(json.dumps(definition))
    page.get_by_label("Name").focus()


def test_a_segment_is_built_counted_and_saved_by_keyboard_alone(
    page: Page, harbor: Organisation
) -> None:
    expect(page.locator("#preview strong")).to_have_text("1")
    page.get_by_label("Name").focus()
    page.keyboard.type("Boston elders")
    page.get_by_role("button", name="Add condition").last.focus()
    page.keyboard.press("Enter")
    expect(clause(page, 1).get_by_label("What", exact=True)).to_be_focused()
    page.keyboard.type("City")
    page.keyboard.press("Enter")
    clause(page, 1).get_by_label("Text", exact=True).focus()
    page.keyboard.type("Boston")
    expect(page.locator("#preview")).to_contain_text("city is “Boston”")
    page.get_by_role("button", name="Save segment").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/segments/*-*/")
    with tenancy.acting_for(harbor.pk):
        saved = Segment.objects.get().definition
    assert saved == {"all": [{"field": "birth_date", "op": "age_gte", "value": 50}, BOSTON]}


def test_arrows_on_the_handle_move_a_condition_into_groups_and_out_again(page: Page) -> None:
    show_json(page, {"all": [BOSTON, {"field": "state", "op": "exists"}]})
    clause(page, 1).get_by_role("button", name="Move condition").focus()
    page.keyboard.press("ArrowUp")
    expect(clause(page, 0).get_by_role("button", name="Move condition")).to_be_focused()
    assert tree(page) == {"all": [{"field": "state", "op": "exists"}, BOSTON]}
    page.keyboard.press("ArrowRight")
    assert tree(page) == {"all": [{"any": [{"field": "state", "op": "exists"}]}, BOSTON]}
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    assert tree(page) == {"all": [BOSTON]}
    expect(page.locator("#announce")).to_contain_text("Removed")


def test_what_was_removed_is_brought_back(page: Page) -> None:
    page.get_by_role("button", name="Add group").first.click()
    before = tree(page)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.wait_for_timeout(500)
    page.locator(".clause-group .clause-group").get_by_role("button", name="Remove").click()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Undo").click()
    assert tree(page) == before


def test_an_error_stands_at_its_clause_and_at_its_control(page: Page) -> None:
    page.get_by_label("Years").fill("")
    expect(page.locator(".clause.wrong .clause-error")).to_contain_text("Fill in “Years”.")
    expect(page.get_by_label("Years")).to_have_attribute("aria-invalid", "true")


def test_the_list_of_what_is_missing_says_it_in_words_and_leads_there(page: Page) -> None:
    page.get_by_label("Years").fill("")
    listed = page.locator("#preview")
    expect(listed).to_contain_text("Date of birth: Fill in “Years”.")
    expect(listed).not_to_contain_text("$")
    listed.get_by_role("button", name="Date of birth").click()
    expect(page.get_by_label("Years")).to_be_focused()


def test_a_definition_that_is_too_deep_is_said_to_be_so(page: Page) -> None:
    deep: Any = BOSTON
    for _ in range(14):
        deep = {"not": deep}
    show_json(page, deep)
    expect(page.locator("#preview")).to_contain_text("is too large: 200 clauses, 12 levels")
    expect(page.locator("#preview")).not_to_contain_text("Fill in")


def test_not_turns_a_condition_around_and_keeps_the_focus(page: Page) -> None:
    press = page.locator(".clause").get_by_role("button", name="Not")
    press.click()
    expect(press).to_be_focused()
    expect(press).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#preview")).to_contain_text("not (age is 50 or more)")


def test_json_and_form_are_the_same_definition(page: Page) -> None:
    show_json(page, {"any": [{"field": "city", "op": "exists"}, {"not": {"event": "x.y"}}]})
    expect(page.locator(".clause")).to_have_count(2)
    expect(page.locator(".clause.negated")).to_have_count(1)
    expect(page.locator("#preview strong")).to_have_text("2")


ROUND_TRIPS: list[Any] = [
    {"field": "last_visit", "op": "before", "value": {"ago": 180, "unit": "days"}},
    {"field": "last_visit", "op": "on_or_after", "value": "2026-01-01T08:00:00+00:00"},
    {"field": "last_visit", "op": "between", "value": [{"ago": 2, "unit": "years"}, "2026-01-01"]},
    {"field": "city", "op": "in", "value": ["Boston", "Quincy"], "case": "exact"},
    {"field": "birth_date", "op": "month_is", "value": [6, 7]},
    {"field": "gender", "op": "in", "value": ["female", "other"]},
    {
        "field": "conditions",
        "op": "has_code",
        "codes": ["44054006"],
        "where": {"status": "active", "text": ["Type 2"], "since": {"ago": 5, "unit": "years"}},
    },
    {"field": "results", "op": "latest_between", "code": "4548-4", "value": [6.5, 9], "unit": "%"},
    {"field": "encounters", "op": "count_eq", "value": 0, "class": "EMER", "within_months": 6},
    {"event": "message.clicked", "times": {"exactly": 0}, "within_days": 30, "link": "book"},
    {"event": "shop.bought", "times": {"at_least": 2}, "since": "2026-01-01", "machine": True},
    {"consent": {"purpose": "marketing", "channel": "email", "classes": ["clinical"]}},
    {"consent": {"state": "expiring", "purpose": "marketing", "within_days": 30}},
    {"consent": {"opted_out": True, "channel": "email"}},
    {"engagement": {"last": 3, "of": "newsletter", "opened": "none"}},
    {"any": [{"not": {"all": [BOSTON]}}, {"not": BOSTON}]},
    {"exactly": 2, "of": [BOSTON, {"at_most": 1, "of": [BOSTON]}, {"not": BOSTON}]},
    {"household": {"any": [BOSTON, {"field": "deceased", "op": "equals", "value": False}]}},
    {"field": "city", "op": "matches", "value": "^Bos"},
    {"field": "conditions", "op": "has_all", "codes": ["1", "2"], "within_months": 3},
    {"field": "results", "op": "count_between", "value": [1, 3], "code": "4548-4", "gte": 9},
    {
        "event": "shop.bought",
        "aggregate": {"property": "amount", "fn": "sum"},
        "op": "gte",
        "value": 100,
        "where": [
            {"property": "kind", "op": "matches", "value": "^book"},
            {"property": "due", "op": "before", "value": "2026-01-01"},
        ],
    },
    {"event": "shop.bought", "which": "first", "within_days": 30},
    {"event": "shop.*", "times": {"at_least": 2}, "within_days": 30},
    {"event": "appointment.*", "which": "last", "before": {"ago": 1, "unit": "years"}},
    {
        "event": "shop.bought",
        "during": "last_month",
        "campaign": "7f8e2c1a-0000-4000-8000-000000000007",
    },
    {"field": "last_visit", "op": "during", "value": "this_week"},
    {"everyone": True},
    {"share": {"percent": 12.5, "of": "spring pilot", "from": 25}},
    {
        "event": "shop.bought",
        "aggregate": {"property": "amount", "fn": "avg"},
        "op": "between",
        "value": [5, 9],
    },
]


@pytest.mark.parametrize("definition", ROUND_TRIPS, ids=lambda one: json.dumps(one)[:60])
def test_every_sentence_has_a_form_and_comes_back_as_it_was(page: Page, definition: Any) -> None:
    show_json(page, {"all": [definition]})
    expect(page.locator("[data-part=raw]")).to_have_count(0)
    page.get_by_role("button", name="Add condition").last.click()
    assert tree(page)["all"][0] == definition


def test_digits_that_are_looked_for_in_a_text_stay_text(page: Page) -> None:
    asked = {"property": "code", "op": "equals", "value": 5}
    show_json(page, {"all": [{"event": "shop.bought", "where": [asked]}]})
    for more in page.locator("details.clause-more").all():
        more.evaluate("view => { view.open = true; }")
    page.get_by_role("combobox", name="Test", exact=True).select_option(label="contains")
    assert tree(page)["all"][0]["where"] == [{**asked, "op": "contains", "value": "5"}]
    expect(page.locator("#preview")).to_contain_text("code contains “5”")


def test_a_sentence_without_a_form_stays_as_json(page: Page) -> None:
    show_json(page, {"all": [{"field": "city", "op": "sounds_like", "value": "x"}]})
    expect(page.locator("[data-part=raw]")).to_have_value('{\n "field": "city",\n "op": '
        '"sounds_like",\n "value": "x"\n}')  # fmt: skip


def test_codes_are_found_by_their_names_by_those_who_may_see_them(
    open_as: OpenAs, harbor: Organisation, omar: User, mara: User
) -> None:
    with tenancy.acting_for(harbor.pk):
        system = "http://snomed.info/sct"
        ill = {
            "system": system,
            "code": "44054006",
            "display": "Diabetes type 2",
            "status": "active",
        }
        world.add([{"conditions": [ill]}])
    page = open_as(mara, "/segments/new/")
    show_json(page, {"all": [{"field": "conditions", "op": "has_code", "codes": []}]})
    page.get_by_role("combobox", name="Codes").press_sequentially("diab")
    expect(page.locator(".combo-list:visible")).to_contain_text("Nothing of that name")
    settle(page)


def test_events_are_asked_by_the_beginning_of_their_name(page: Page) -> None:
    page.get_by_label("What", exact=True).fill("begin with")
    page.keyboard.press("Enter")
    expect(page.locator(".clause.wrong .clause-error")).to_contain_text("Fill in “Begins with”.")
    page.get_by_label("Begins with").fill("kiosk.")
    expect(page.locator("#preview")).to_contain_text("beginning with “kiosk.”")
    assert tree(page)["all"][0]["event"] == "kiosk.*"


@pytest.fixture
def series(harbor: Organisation) -> Workflow:
    """A draft with steps to choose from."""
    with tenancy.acting_for(harbor.pk):
        return Workflow.objects.create(
            slug="d", name="Recall", draft=long_series(2), created_at=NOON, changed_at=NOON
        )


@pytest.fixture
def another(harbor: Organisation) -> Workflow:
    with tenancy.acting_for(harbor.pk):
        return Workflow.objects.create(slug="a", name="A", created_at=NOON, changed_at=NOON)


def journey(of: Workflow, **asked: Any) -> Any:
    return {"journey": {"workflow": str(of.id), **asked}}


def test_a_step_is_chosen_by_what_it_does(series: Workflow, page: Page) -> None:
    show_json(page, {"all": [journey(series)]})
    step = page.get_by_label("At the step")
    step.select_option(label="Wait 1 day (w1)")
    assert tree(page)["all"] == [journey(series, step="w1")]
    step.select_option(label="any step")
    assert tree(page)["all"] == [journey(series)]


def test_a_step_that_is_gone_stays_and_is_marked(series: Workflow, page: Page) -> None:
    show_json(page, {"all": [journey(series, step="lost")]})
    step = page.get_by_label("At the step")
    expect(step.locator("option:checked")).to_have_text("lost (no longer there)")
    assert tree(page)["all"] == [journey(series, step="lost")]


def test_another_workflow_takes_the_step_of_this_one_out(
    series: Workflow, another: Workflow, page: Page
) -> None:
    show_json(page, {"all": [journey(series, step="w1")]})
    expect(page.get_by_label("At the step").locator("option")).to_have_count(4)
    page.get_by_role("combobox", name="Workflow", exact=True).select_option(label="A")
    expect(page.get_by_label("At the step").locator("option")).to_have_count(1)
    assert tree(page)["all"] == [journey(another)]


def test_a_link_is_chosen_where_its_message_is_and_typed_where_it_is_not(
    harbor: Organisation, open_as: OpenAs, mara: User
) -> None:
    with tenancy.acting_for(harbor.pk):
        mail = template("recall")
        approved(mail)
        label = Link.objects.first().label  # type: ignore[union-attr]
    page = open_as(mara, "/segments/new/")
    show_json(page, {"all": [{"event": "message.clicked", "link": "typed"}]})
    page.locator("details.clause-more").evaluate("view => { view.open = true; }")
    expect(page.get_by_label("On the link called")).to_have_value("typed")
    page.get_by_role("combobox", name="Of the campaign").select_option(label="Recall")
    expect(
        page.get_by_role("combobox", name="On the link", exact=True).locator("option:checked")
    ).to_have_text("any link")
    page.get_by_role("combobox", name="On the link", exact=True).select_option(label=label)
    assert tree(page)["all"] == [
        {"event": "message.clicked", "campaign": str(mail.id), "link": label}
    ]
    settle(page)


def test_what_was_removed_is_put_back_in_its_place_after_other_changes(page: Page) -> None:
    show_json(page, {"all": [{"any": [BOSTON, BOSTON]}, BOSTON]})
    page.locator(".clause-group .clause-group > .clause-head [data-part=menu]").click()
    page.get_by_role("button", name="Remove the group").click()
    expect(page.locator(".clause-removed")).to_contain_text("Removed a group of 2 conditions")
    page.get_by_role("button", name="Not", exact=True).last.click()
    page.get_by_role("button", name="Put back").focus()
    page.keyboard.press("Enter")
    assert tree(page) == {"all": [{"any": [BOSTON, BOSTON]}, {"not": BOSTON}]}
    expect(page.locator(".clause-removed")).to_have_count(0)
    expect(page.get_by_role("button", name="Move group 1")).to_be_focused()


def test_undo_takes_the_line_of_what_was_removed_away(page: Page) -> None:
    page.wait_for_timeout(500)
    page.locator(".clause").get_by_role("button", name="Remove").click()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".clause-removed")).to_have_count(0)


@pytest.mark.parametrize("width", [NARROW[0], 320])
def test_the_builder_fits_a_phone(open_as: OpenAs, elders: None, mara: User, width: int) -> None:
    page = open_as(mara, "/segments/new/", width=width)
    page.get_by_role("button", name="Add group").first.click()
    show_json(page, {"all": [*ROUND_TRIPS, {"any": [{"all": [BOSTON]}]}]})
    for more in page.locator(".clause-more").all():
        more.evaluate("view => { view.open = true; }")
    expect(page.locator("#preview strong")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    settle(page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_builder_has_no_serious_finding(
    open_as: OpenAs, elders: None, mara: User, dark: bool
) -> None:
    page = open_as(mara, "/segments/new/", dark=dark)
    show_json(page, {"all": [*ROUND_TRIPS, {"field": "city", "op": "equals", "value": ""}]})
    expect(page.locator(".clause.wrong").first).to_be_visible()
    page.get_by_label("What", exact=True).first.click()
    expect(page.locator(".combo-list:visible")).to_have_count(1)
    assert axe.findings(page) == []
    settle(page)


@pytest.mark.parametrize("path", ["/segments/", "/segments/{}/"])
def test_list_and_page_have_no_serious_finding_and_fit_a_phone(
    open_as: OpenAs, elders: None, harbor: Organisation, mara: User, path: str
) -> None:
    with tenancy.acting_for(harbor.pk):
        boston = catalogue.save(name="Boston", tree=BOSTON, now=NOON)
    page = open_as(mara, path.format(boston.id), width=NARROW[0])
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
