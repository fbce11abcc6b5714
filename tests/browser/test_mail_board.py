"""A mail drawn in a real browser: blocks, pictures, what is wrong while drawing, saved as MJML."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from accounts import tenancy
from accounts.models import Organisation, User
from messaging.making import drafts, languages
from messaging.models import Template
from tests.browser import axe
from tests.browser.conftest import OpenAs
from tests.conftest import NOON
from tests.messaging.conftest import person, template
from tests.messaging.pictures.test_keeping import photo


@pytest.fixture
def draft(harbor: Organisation, site: str) -> Template:
    with tenancy.acting_for(harbor.pk):
        Organisation.objects.filter(pk=harbor.pk).update(
            postal_address="1 Quay, Boston", web_origin=site
        )
        return template("news")


def canvas(page: Page) -> FrameLocator:
    return page.frame_locator(".gjs-frame")


def test_a_mail_is_drawn_checked_and_saved(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/")
    expect(canvas(page).get_by_text("how to eat well")).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("Your {{ contact.conditions }}")
    expect(page.get_by_role("button", name="Check 1")).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("Spring at {{ organisation.name }}")
    page.get_by_label("Preheader").fill("Eat well in spring")
    page.get_by_role("button", name="Heading").press("Enter")
    expect(canvas(page).get_by_text("Say what this is about")).to_be_visible()
    page.screenshot(path=tmp_path / "board.png")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        draft.refresh_from_db()
        assert "Say what this is about" in draft.mjml
        assert "<mj-preview>Eat well in spring</mj-preview>" in draft.mjml
        drafts.compiled(draft)


def test_a_picture_is_uploaded_and_stands_in_the_mail(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    (tmp_path / "doctor.jpg").write_bytes(photo(size=(600, 200)))
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("button", name="Image").click()
    page.get_by_label("New picture").set_input_files(tmp_path / "doctor.jpg")
    page.get_by_label("What it shows").fill("A doctor at work")
    page.get_by_role("button", name="Upload").click()
    expect(canvas(page).get_by_role("img", name="A doctor at work")).to_be_visible()
    page.screenshot(path=tmp_path / "picture.png")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        draft.refresh_from_db()
        assert 'alt="A doctor at work"' in draft.mjml
        drafts.compiled(draft)


def test_blocks_are_chosen_moved_doubled_and_taken_out_by_keyboard(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("button", name="Order", exact=True).press("Enter")
    link = page.get_by_role("button", name="Button: Come to the class")
    link.press("Alt+ArrowUp")
    expect(page.get_by_text("Button: Come to the class moved up.")).to_be_visible()
    expect(link).to_be_focused()
    link.press("Enter")
    page.get_by_role("button", name="Duplicate").press("Enter")
    expect(link).to_have_count(2)
    link.first.press("Delete")
    expect(link).to_have_count(1)
    link.press("Enter")
    page.get_by_role("button", name="Selected", exact=True).press("Enter")
    page.get_by_label("Where it leads").fill("https://harbor.example/evening-class")
    page.get_by_role("button", name="Save draft").press("Enter")
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        draft.refresh_from_db()
        before, after = draft.mjml.split("</mj-button>")
    assert "https://harbor.example/evening-class" in before
    assert "how to eat well" in after


def test_undo_brings_back_what_was_taken_out(open_as: OpenAs, mara: User, draft: Template) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("button", name="Order", exact=True).click()
    link = page.get_by_role("button", name="Button: Come to the class")
    link.press("Delete")
    expect(link).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(link).to_have_count(1)


LOOKS = ["As it is", "On a telephone", "On a dark screen", "Before pictures load"]


def test_the_draft_is_looked_at_in_each_way_with_its_text_part(
    open_as: OpenAs, mara: User, draft: Template
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("button", name="Preview").click()
    for look in LOOKS:
        page.get_by_label(look).check()
        expect(page.frame_locator("[data-part=frame]").get_by_text("Dear Alex")).to_be_visible()
    assert axe.findings(page) == []
    page.get_by_text("Text part").click()
    expect(page.get_by_text("Come to the class: https://")).to_be_visible()


@pytest.mark.parametrize("width", [375, 320])
def test_the_board_fits_a_small_screen_and_shuts_nobody_out(
    open_as: OpenAs, mara: User, draft: Template, width: int
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/", width=width)
    expect(canvas(page).get_by_text("how to eat well")).to_be_visible()
    for tab in ("Blocks", "Selected", "Order", "Pictures", "Check"):
        page.get_by_role("button", name=tab, exact=True).click()
        assert axe.findings(page) == [], tab
        assert page.evaluate("document.documentElement.scrollWidth") <= width


KEPT = [
    "{% if contact.given_name %}",
    "{% endif %}",
    "{{ links.unsubscribe }}",
    "{{ organisation.postal_address }}",
    '<mj-all font-family="Helvetica" />',
]


def test_what_the_board_cannot_draw_comes_through(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template
) -> None:
    """A round over the board loses no merge tag, no condition and nothing of the head."""
    with tenancy.acting_for(harbor.pk):
        draft.mjml = draft.mjml.replace(
            "<mj-head>",
            '<mj-head><mj-attributes><mj-all font-family="Helvetica" /></mj-attributes>',
        ).replace(
            "</mj-column></mj-section></mj-body>",
            "</mj-column></mj-section>{% if contact.given_name %}<mj-section><mj-column><mj-text>"
            "Only you</mj-text></mj-column></mj-section>{% endif %}</mj-body>",
        )
        draft.save()
    page = open_as(mara, f"/templates/{draft.id}/board/")
    expect(canvas(page).get_by_text("Only if:")).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("Other words")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()
    with tenancy.acting_for(harbor.pk):
        draft.refresh_from_db()
        assert [one for one in KEPT if one not in draft.mjml] == []
        drafts.compiled(draft)


def test_the_board_shows_what_stands_on_it_as_a_chosen_contact(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    with tenancy.acting_for(harbor.pk):
        person("ada")
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("As the contact with the record number").fill("ada")
    page.get_by_role("button", name="Show that person").click()
    shown = page.frame_locator("[data-part=frame]")
    expect(shown.get_by_text("Dear Ada")).to_be_visible()
    page.get_by_label("On a dark screen").check()
    expect(shown.get_by_text("Dear Ada")).to_be_visible()
    page.screenshot(path=tmp_path / "as-ada.png")
    page.set_viewport_size({"width": 375, "height": 812})
    page.screenshot(path=tmp_path / "as-ada-375.png")
    assert axe.findings(page) == []
    page.get_by_role("button", name="Show Alex again").click()
    expect(shown.get_by_text("Dear Alex")).to_be_visible()


def test_what_is_typed_in_the_code_is_previewed_as_a_chosen_contact(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    with tenancy.acting_for(harbor.pk):
        person("ada")
    page = open_as(mara, f"/templates/{draft.id}/")
    page.get_by_label("Body (MJML)").fill(draft.mjml.replace("Dear {{", "Hello {{"))
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Preview").click()
    looked = opened.value
    frame = looked.frame_locator("iframe").first
    expect(frame.get_by_text("Hello Alex")).to_be_visible()
    looked.get_by_label("Record number of the contact").fill("ada")
    looked.get_by_role("button", name="Show", exact=True).click()
    expect(looked.frame_locator("iframe").first.get_by_text("Hello Ada")).to_be_visible()
    looked.screenshot(path=tmp_path / "code.png", full_page=True)
    looked.set_viewport_size({"width": 375, "height": 812})
    looked.screenshot(path=tmp_path / "code-375.png", full_page=True)
    assert axe.findings(looked) == []


def test_a_translation_is_drawn_and_marked_where_it_lags(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    """AC-02"""
    with tenancy.acting_for(harbor.pk):
        languages.begin(draft, "es", now=NOON)
        Template.objects.filter(pk=draft.pk).update(subject="Other news")
    page = open_as(mara, f"/templates/{draft.id}/board/")
    page.get_by_role("link", name="Spanish").click()
    expect(page.get_by_text("The English words changed since")).to_be_visible()
    page.get_by_label("Subject", exact=True).fill("Noticias de {{ organisation.name }}")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()
    page.screenshot(path=tmp_path / "spanish.png")
    page.set_viewport_size({"width": 375, "height": 812})
    page.screenshot(path=tmp_path / "spanish-375.png")
    page.get_by_role("link", name="See what changed").click()
    page.get_by_label("It says what the main words say now").check()
    page.screenshot(path=tmp_path / "changed-375.png", full_page=True)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Lags behind")).to_have_count(0)
    with tenancy.acting_for(harbor.pk):
        row = draft.translations.get(language="es")
    assert row.subject == "Noticias de {{ organisation.name }}"


def chosen(page: Page) -> None:
    """Select the button of the class, by the list of blocks."""
    page.get_by_role("button", name="Order", exact=True).click()
    page.get_by_role("button", name="Button: Come to the class").click()


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as the draft.")).to_be_visible()


def test_a_block_is_saved_for_every_template_and_used_as_the_shared_one(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    page = open_as(mara, f"/templates/{draft.id}/board/")
    chosen(page)
    page.get_by_role("button", name="Save as shared block").click()
    page.get_by_label("Name", exact=True).fill("Class button")
    page.screenshot(path=tmp_path / "sharing.png")
    assert axe.findings(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved as the shared block “Class button”.")).to_be_visible()
    expect(canvas(page).get_by_text("Shared block: class-button")).to_be_visible()
    saved(page)
    page.screenshot(path=tmp_path / "shared.png")
    with tenancy.acting_for(harbor.pk):
        draft.refresh_from_db()
        assert '<mj-include path="class-button" />' in draft.mjml
        drafts.compiled(draft)


def test_a_block_is_copied_into_another_mail(
    open_as: OpenAs, harbor: Organisation, mara: User, draft: Template, tmp_path: Path
) -> None:
    with tenancy.acting_for(harbor.pk):
        other = template("other")
    page = open_as(mara, f"/templates/{draft.id}/board/")
    chosen(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied. Paste it")).to_be_visible()
    page.goto(page.url.replace(str(draft.id), str(other.id)))
    expect(canvas(page).get_by_text("how to eat well")).to_be_visible()
    page.get_by_role("button", name="Paste").click()
    expect(canvas(page).get_by_text("Come to the class")).to_have_count(2)
    saved(page)
    page.set_viewport_size({"width": 375, "height": 812})
    page.screenshot(path=tmp_path / "pasted-375.png")
    with tenancy.acting_for(harbor.pk):
        other.refresh_from_db()
        assert other.mjml.count("</mj-button>") == 2
        drafts.compiled(other)
