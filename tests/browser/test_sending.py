"""Pools and delivery in a real browser: paused, resumed, and nobody shut out."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from messaging.models import Stop
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, OpenAs

PAGES = (
    "/settings/pools/",
    "/settings/pools/marketing/",
    "/settings/pools/texts/",
    "/delivery/out/",
    "/delivery/domain/",
)


@pytest.fixture
def alma(harbor: Organisation) -> User:
    """Administrator at Harbor."""
    with tenancy.acting_for(harbor.pk):
        return staff.add(
            "alma@harbor.example", name="Alma Berg", role=Role.ADMINISTRATOR, now=timezone.now()
        )


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_pages_shut_nobody_out(open_as: OpenAs, alma: User, size: tuple[int, int]) -> None:
    page = open_as(alma, PAGES[0])
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for path in PAGES:
        page.goto(page.url.partition("/settings")[0].partition("/delivery")[0] + path)
        assert axe.findings(page) == [], path


def test_a_pool_is_paused_and_resumed_with_a_choice(open_as: OpenAs, alma: User) -> None:
    """EM-28: with the counts before the choice."""
    page = open_as(alma, "/delivery/out/")
    page.get_by_role("button", name="Pause Marketing", exact=True).click()
    page.get_by_text("What becomes of the 0 that wait?").wait_for()
    assert axe.findings(page) == []
    page.get_by_label("Skip it").check()
    page.get_by_role("button", name="Resume Marketing").click()
    page.get_by_text("It goes on.").wait_for()
    with tenancy.acting_for(alma.organisation_id):
        assert Stop.objects.get().backlog == "skip"
