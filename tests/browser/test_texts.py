"""A text message written, tried on a phone and answered, in a real browser (CA-52)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts import tenancy
from accounts.models import User
from deploy.phone import Phone
from messaging.models import TemplateVersion
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, OpenAs

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="
WORDS = "{{ organisation.name }}: your visit is near. Questions? 617-555-0100. Reply STOP to end."


@pytest.fixture
def phone(tmp_path: Path, settings: LazySettings) -> Iterator[Phone]:
    """The sample's gateway and its phones."""
    with Phone(tmp_path / "phones", SECRET).running() as made:
        settings.SAMPLE, settings.ATTUNE_PHONES = True, made.folder
        settings.TEXTS_URL, settings.TEXTS_SECRET = made.url, SECRET
        settings.TEXTS_NUMBER = "+16175550100"
        yield made


def test_a_text_is_written_tried_and_read_on_a_phone(
    phone: Phone, open_as: OpenAs, mara: User
) -> None:
    page = open_as(mara, "/templates/")
    page.get_by_label("Name", exact=True).first.fill("Reminder")
    page.get_by_label("Text message").check()
    page.locator("select[name=purpose]").first.select_option("appointment")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Words").fill(WORDS)
    page.get_by_text("Harbor Clinic: your visit is near.").wait_for()
    page.get_by_text("1 part in GSM-7").wait_for()
    for size in (WIDE, NARROW):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert axe.findings(page) == [], size
    page.get_by_role("button", name="Save and make a version").click()
    page.get_by_text("Version 1 waits for review").wait_for()
    page.get_by_label("Number of the phone").fill("617 555 0177")
    page.get_by_role("button", name="Send the saved draft there").click()
    page.get_by_text("Sent, with an invented person's values.").first.wait_for()
    page.goto("/phones/")
    assert axe.findings(page) == []
    page.get_by_role("link", name="+16175550177").click()
    page.get_by_text("your visit is near").wait_for()
    assert axe.findings(page) == []
    with tenancy.acting_for(mara.organisation_id):
        assert TemplateVersion.objects.get().channel == "sms"


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_number_checks_shut_nobody_out(open_as: OpenAs, omar: User, size: tuple[int, int]) -> None:
    page = open_as(omar, "/consent/numbers/")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert axe.findings(page) == []
