"""A file in the browser: brought, mapped, checked, imported, mended, undone; with keys and axe."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts.importing import staging, work
from contacts.models import Contact
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, OpenAs
from tests.conftest import NOON

CSV = "MRN;First name;Date of birth;Zip\n" + "".join(
    f"{n:03};Ada{n};{n % 28 + 1:02}.02.1961;0213{n % 10}\n" for n in range(1, 41)
)
PICTURES = os.environ.get("ATTUNE_PICTURES", "")


@pytest.fixture
def ian(harbor: Organisation) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add("ian@harbor.example", name="Ian", role=Role.INTEGRATION, now=NOON)


def loop(organisation: Organisation, times: int = 1_000) -> None:
    """Be the loop of imports, which no worker runs here."""
    with tenancy.acting_for(organisation.pk):
        for _ in range(times):
            if not work.run_once(now=timezone.now()):
                return


def looked_at(page: Page, name: str) -> None:
    """Check the page for people who cannot see or point, and on a small screen."""
    assert axe.findings(page) == []
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-375.png", full_page=True)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}-1280.png", full_page=True)


def bring(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Source system").fill("crm")
    page.get_by_role("button", name="Bring the file").click()


def say_what_the_columns_mean(page: Page) -> None:
    expect(page.get_by_role("heading", name="What do the columns mean?")).to_be_visible()
    expect(page.get_by_label("Column A means")).to_have_value("record_number")
    expect(page.get_by_label("Column D means")).to_have_value("postal_code")
    expect(page.get_by_text("Xxx9").first).to_be_visible()
    looked_at(page, "columns")
    page.get_by_label("Dates are written").select_option("dmy")
    page.get_by_role("button", name="Check 41 rows").click()


def pause_and_resume(page: Page) -> None:
    expect(page.get_by_text("40 % of 41 rows")).to_be_visible()
    looked_at(page, "running")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    looked_at(page, "paused")
    page.get_by_role("button", name="Resume").click()


def take_the_refused_rows(page: Page) -> str:
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download CSV").click()
    return taken.value.path().read_text(encoding="utf-8-sig")


def undo(page: Page) -> None:
    page.get_by_role("link", name="Undo this import").click()
    looked_at(page, "undo")
    page.get_by_role("button", name="Undo: remove 40, put back 0").click()


def test_a_file_is_brought_mapped_checked_imported_and_undone(
    open_as: OpenAs,
    ian: User,
    harbor: Organisation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(staging, "ROWS", 10)
    file = tmp_path / "people.csv"
    file.write_text(CSV + "041;Eve;never;02139\n", encoding="cp1252")
    page = open_as(ian, "/imports/")
    bring(page, file)
    # It is read behind the scenes, and the page goes on by itself.
    expect(page.get_by_role("progressbar")).to_be_visible()
    looked_at(page, "reading")
    loop(harbor)
    say_what_the_columns_mean(page)
    loop(harbor)
    expect(page.get_by_text("line 42")).to_be_visible()
    looked_at(page, "checked")
    page.get_by_role("button", name="Import 40 people").click()
    loop(harbor, 2)
    pause_and_resume(page)
    loop(harbor)
    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    looked_at(page, "imported")
    assert "041;Eve;never;02139;42;" in take_the_refused_rows(page)
    undo(page)
    loop(harbor)
    expect(page.get_by_role("heading", name="Undone")).to_be_visible()
    looked_at(page, "undone")
    with tenancy.acting_for(harbor.pk):
        assert not Contact.objects.filter(erased_at=None).exists()


def test_it_goes_on_by_reloading_where_no_script_runs(
    open_as: OpenAs, ian: User, harbor: Organisation, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(CSV)
    page = open_as(ian, "/imports/")
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/imports/")
    bring(page, file)
    loop(harbor)
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("link", name="Say what the columns mean").click()
    expect(page.get_by_role("heading", name="What do the columns mean?")).to_be_visible()
