from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from messaging.machines import HINTS, judge, verdict_of
from tests.conftest import NOON
from tests.intake.builders import DATA

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


AGENTS = DATA / "user-agents" / "user_agents.jsonl"


def test_of_many_agents_programs_are_found_and_no_person_is_called_one(
    record_property: Callable[[str, object], None],
) -> None:
    """TR-05: at least 90 % of machines found, no person called a machine."""
    if not AGENTS.exists():
        pytest.skip("the list of user agents is not on this machine")
    judged: Counter[tuple[bool, bool]] = Counter()
    for line in AGENTS.read_text().splitlines():
        row = json.loads(line)
        machine = bool(set(reasons(user_agent=row["user_agent"])) - HINTS)
        judged[row["automated"], machine] += 1
    record_property("found", f"{judged[True, True]}, missed {judged[True, False]}")
    assert judged[True, True] / (judged[True, True] + judged[True, False]) >= 0.9
    assert judged[False, True] == 0


def test_a_hint_alone_is_unclear_and_no_machine() -> None:
    agent = "Safari/7536.30.1 CFNetwork/520.5.1 Darwin/11.4.2 (i386)"
    verdict = verdict_of(reasons(user_agent=agent))
    assert (verdict.machine, verdict.unclear) == (False, True)
