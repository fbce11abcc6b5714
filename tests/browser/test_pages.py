"""Every page of the navigation: no serious finding of axe, no sideways scrolling, in both themes.

A new page needs one line in PAGES.
"""

from __future__ import annotations

import pytest

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts import custom_fields, grouping
from tests.browser import axe
from tests.browser.conftest import NARROW, WIDE, NewContext, OpenAs
from tests.conftest import NOON

PAGES: list[tuple[Role, str]] = [
    (Role.MARKETER, "/"),
    (Role.MARKETER, "/account/"),
    (Role.MARKETER, "/styleguide/"),
    (Role.MARKETER, "/workflows/"),
    (Role.MARKETER, "/workflows/brakes/"),
    (Role.MARKETER, "/messages/"),
    (Role.MARKETER, "/templates/"),
    (Role.MARKETER, "/segments/"),
    (Role.MARKETER, "/segments/new/"),
    (Role.MARKETER, "/contacts/"),
    (Role.MARKETER, "/imports/"),
    (Role.MARKETER, "/lists/"),
    (Role.COMPLIANCE, "/"),
    (Role.COMPLIANCE, "/consent/"),
    (Role.COMPLIANCE, "/consent/purposes/"),
    (Role.COMPLIANCE, "/consent/agreements/"),
    (Role.COMPLIANCE, "/consent/coverage/"),
    (Role.COMPLIANCE, "/consent/withdrawals/"),
    (Role.COMPLIANCE, "/consent/refusals/"),
    (Role.COMPLIANCE, "/consent/notices/"),
    (Role.COMPLIANCE, "/consent/samples/"),
    (Role.COMPLIANCE, "/consent/imported/"),
    (Role.COMPLIANCE, "/delivery/"),
    (Role.COMPLIANCE, "/delivery/providers/"),
    (Role.ADMINISTRATOR, "/delivery/providers/new/"),
    (Role.COMPLIANCE, "/trail/"),
    (Role.INTEGRATION, "/integrations/events/"),
    (Role.INTEGRATION, "/integrations/keys/"),
    (Role.INTEGRATION, "/integrations/keys/new/"),
    (Role.ADMINISTRATOR, "/settings/sending/"),
    (Role.ADMINISTRATOR, "/settings/organisation/"),
    (Role.CARE, "/workflows/tasks/"),
    (Role.ADMINISTRATOR, "/staff/"),
    (Role.ADMINISTRATOR, "/staff/invite/"),
    (Role.ADMINISTRATOR, "/settings/"),
    (Role.ADMINISTRATOR, "/settings/fields/"),
    (Role.ADMINISTRATOR, "/settings/fields/new/"),
    (Role.ADMINISTRATOR, "/settings/fields/custom_site/"),
    (Role.COMPLIANCE, "/settings/code-groups/"),
    (Role.COMPLIANCE, "/settings/code-groups/new/"),
    (Role.ADMINISTRATOR, "/no/such/page/"),
]


@pytest.fixture
def someone(harbor: Organisation, request: pytest.FixtureRequest) -> User:
    with tenancy.acting_for(harbor.pk):
        grouping.add_starters(now=NOON)
        custom_fields.add(label="Site", type_="text", data_class="coverage", labels=[], now=NOON)
        return staff.add("someone@harbor.example", name="Sam Someone", role=request.param, now=NOON)


@pytest.mark.parametrize(("someone", "path"), PAGES, indirect=["someone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_has_no_serious_finding(
    open_as: OpenAs, someone: User, path: str, dark: bool
) -> None:
    page = open_as(someone, path, width=WIDE[0], dark=dark)
    assert axe.findings(page) == []


@pytest.mark.parametrize(("someone", "path"), PAGES, indirect=["someone"])
@pytest.mark.parametrize("width", [NARROW[0], 320])
def test_a_page_fits_a_small_screen(open_as: OpenAs, someone: User, path: str, width: int) -> None:
    page = open_as(someone, path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["/sign-in/", "/invitation/x/", "/no/such/page/"])
def test_a_page_for_strangers_has_no_serious_finding(
    new_context: NewContext, harbor: Organisation, path: str
) -> None:
    page = new_context(NARROW[0]).new_page()
    page.goto(path)
    assert axe.findings(page) == []
