"""Was it a person or a program that opened or followed this? A pure verdict with its reasons.

Programs are recorded and never drive a branch (TR-05). Mail scanners follow links the moment a mail
arrives, ask with HEAD, follow every link within a second, or say what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

TOO_FAST = timedelta(seconds=3)
"""No one reads a mail within so short a time of its hand-over."""
BURST = timedelta(seconds=1)
BURST_SIZE = 3
"""So many links within `BURST` are not a person's."""

_PROGRAMS = re.compile(
    r"bot\b|bot[/_-]|bots\b|crawl|spider|slurp|scan|scrap|fetch|monitor|preview|prefetch|validator|archiv"
    r"|curl|wget|python|perl|ruby|php/|java/|go-http|okhttp|httpclient|axios|node"
    r"|libwww|lwp|guzzle|aiohttp|headless|phantomjs|selenium|lighthouse|facebookexternalhit|embedly"
    r"|barracuda|proofpoint|mimecast|fireeye|ironport|symantec|safelinks|trendmicro|zscaler|check"
    r"|feed|\brss|search(?!browser)|index|analy[sz]|\+https?://|https?://|@[a-z0-9-]+\.",
    re.IGNORECASE,
)
# What people read mail and pages with says one of these, on whatever system.
_PEOPLES = re.compile(
    r"^(mozilla/|opera|nokia|blackberry|sonyericsson|samsung|lg[-/ ]|mot-|sec-|zte|htc|ucweb)"
    r"|^dalvik"
    r"|outlook|thunderbird|apple ?mail|mailmate|airmail|postbox|lotus-notes|eudora|sparrow|\bmidp",
    re.IGNORECASE,
)
# Apple's proxy loads every picture of every mail, read or not, and says only this.
_PRELOADING = re.compile(r"^Mozilla/5\.0$")


@dataclass(frozen=True, slots=True)
class Verdict:
    machine: bool
    reasons: tuple[str, ...] = ()


def judge(
    *,
    method: str,
    user_agent: str,
    at: datetime,
    sent_at: datetime | None,
    just_before: int = 0,
    purpose: str = "",
) -> Verdict:
    """Judge one request; `just_before` counts the links followed within `BURST` before it."""
    reasons = [
        name
        for name, holds in (
            ("head", method != "GET"),
            ("prefetch", "prefetch" in purpose.lower() or "preview" in purpose.lower()),
            ("no_agent", not user_agent.strip()),
            ("says_so", bool(_PROGRAMS.search(user_agent))),
            ("not_a_browser", not _PEOPLES.search(user_agent)),
            ("preloading", bool(_PRELOADING.match(user_agent.strip()))),
            ("too_fast", sent_at is None or at - sent_at < TOO_FAST),
            ("burst", just_before + 1 >= BURST_SIZE),
        )
        if holds
    ]
    return Verdict(bool(reasons), tuple(reasons))
