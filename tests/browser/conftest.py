"""A real browser on a real server: Debian's chromium, driven by Playwright, loading nothing else.

    def test_a_page(open_as: OpenAs, mara: User) -> None:
        page = open_as(mara, "/segments/")
        page.get_by_role("link", name="New segment").click()

`open_as` gives a page where this member of staff is signed in; it fails the test for any problem
that the browser's console reports, such as a script or style that the policy (CSP) refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts import sessions
from accounts.middleware import cookie_name
from accounts.models import Session, User

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
WIDE, NARROW = (1280, 800), (375, 740)
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

_OVERTAKEN = ("htmx:sendAbort", "htmx:afterRequest")

OpenAs = Callable[..., Page]
NewContext = Callable[..., BrowserContext]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    missing = pytest.mark.skip(reason=f"no browser at {CHROMIUM}: apt install chromium")
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(missing)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for the tests of this folder; the others must not find its loop running."""
    # Playwright's loop lives in this thread; Django takes any loop for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(live_server: LiveServer, settings: LazySettings) -> str:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    return str(live_server.url)


@pytest.fixture
def new_context(browser: Browser, site: str) -> Iterator[NewContext]:
    """Give browser contexts that load from our server alone and keep a list of complaints."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # A refusal that the test asked for, or a count that newer typing overtook: htmx calls both
        # errors. A request that failed by itself is told as htmx:sendError besides.
        expected = "Failed to load resource" in message.text or message.text.startswith(_OVERTAKEN)
        if message.type == "error" and not expected:
            complaints.append(message.text)

    def new(width: int = WIDE[0], height: int = WIDE[1], *, dark: bool = False) -> BrowserContext:
        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        context.set_default_timeout(30_000)
        context.route(
            lambda url: not url.startswith((site, "data:")), lambda route: route.abort("failed")
        )
        context.on("console", note)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_as(new_context: NewContext, site: str) -> OpenAs:
    """Open a page of ours as this member of staff, at a width and in a theme."""

    def open_page(user: User, path: str, *, width: int = WIDE[0], dark: bool = False) -> Page:
        context = new_context(width, dark=dark)
        secret = sessions.begin(user, method=Session.Method.TOTP, now=timezone.now())
        context.add_cookies([{"name": cookie_name(), "value": str(secret), "url": site}])
        page = context.new_page()
        page.goto(path)
        return page

    return open_page
