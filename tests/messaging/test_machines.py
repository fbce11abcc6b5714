from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from messaging.machines import judge
from tests.conftest import NOON

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def reasons(**changed: Any) -> tuple[str, ...]:
    plain: dict[str, Any] = {
        "method": "GET",
        "user_agent": FIREFOX,
        "at": NOON + timedelta(minutes=5),
    }
    return judge(**({"sent_at": NOON} | plain | changed)).reasons


def test_a_browser_minutes_later_is_a_person() -> None:
    assert reasons() == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"method": "HEAD"}, "head"),
        ({"user_agent": ""}, "no_agent"),
        ({"user_agent": "Mozilla/5.0"}, "preloading"),
        ({"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "says_so"),
        ({"user_agent": "python-requests/2.32"}, "says_so"),
        ({"user_agent": "AHC/2.0"}, "not_a_browser"),
        ({"at": NOON + timedelta(seconds=2)}, "too_fast"),
        ({"sent_at": None}, "too_fast"),
        ({"just_before": 2}, "burst"),
        ({"purpose": "prefetch;anonymous-client-ip"}, "prefetch"),
    ],
)
def test_a_program_is_known_by(changed: dict[str, Any], reason: str) -> None:
    """TR-05"""
    assert reason in reasons(**changed)


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0",
    ],
)
def test_a_mail_program_that_a_person_reads_with_is_a_person(agent: str) -> None:
    assert reasons(user_agent=agent) == ()
