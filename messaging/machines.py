"""Was it a person or a program that opened or followed this? A pure verdict with its reasons.

Programs are recorded and never drive a branch (TR-05). Mail scanners follow links the moment a mail
arrives, ask with HEAD, follow every link within a second, or say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection
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
# A program nobody knows by name that at least runs on a person's device: not enough to say either.
_PERSONS_DEVICE = re.compile(
    r"mozilla/|applewebkit|cfnetwork|darwin/|android|iphone|ipad|j2me|midp|symb|series ?[3-9]0"
    r"|blackberry|windows (?:nt|ce|phone|mobile)|mac os x|uc ?web|uc ?browser|safari|opera|msie",
    re.IGNORECASE,
)
# Browsers of all times name the engine that draws their pages, or are too old to have had one.
_ENGINES = re.compile(
    r"gecko|applewebkit|khtml|trident|msie|presto|opera|netscape|netfront|blackberry|symbian|midp"
    r"|goanna|servo|konqueror|icab|omniweb|lynx|links|dillo|webtv|playstation|nintendo|kindle"
    r"|thunderbird|outlook|mail|series ?[3-9]0|nokia|polaris|obigo|teleca|openwave|up\.browser"
    r"|^mozilla/[1-4]|android|iphone|ipad|windows (?:ce|phone)",
    re.IGNORECASE,
)
# What site monitors, synthetic tests, scanners and archivers put behind a real browser's name.
_TOOLS = re.compile(
    r"synthetic|uptime|ptst/|playwright|puppeteer|cypress|httrack|zgrab|openvas|nessus|site-?verif"
    r"|google-(?:agent|ads|safety|site|physical)|googleagent|thousandeyes|securityheaders|hardenize"
    r"|splash version|testlocally|watchtowr|mediapartners",
    re.IGNORECASE,
)
# Apple's proxy loads every picture of every mail, read or not, and says only this.
_PRELOADING = re.compile(r"^Mozilla/5\.0$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unclear` where there is a hint of a program and no proof; that counts as a person's."""

    machine: bool
    reasons: tuple[str, ...] = ()

    @property
    def unclear(self) -> bool:
        return not self.machine and bool(self.reasons)


HINTS = frozenset({"unfamiliar"})
"""Evidence that is not enough by itself."""


def verdict_of(reasons: Collection[str]) -> Verdict:
    """Return the verdict that pieces of evidence give together, however old they are."""
    return Verdict(bool(set(reasons) - HINTS), tuple(reasons))


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
            ("tool", bool(_TOOLS.search(user_agent))),
            ("no_engine", _claims_a_browser(user_agent) and not _ENGINES.search(user_agent)),
            ("not_a_browser", _stranger(user_agent) and not _PERSONS_DEVICE.search(user_agent)),
            ("unfamiliar", _stranger(user_agent) and bool(_PERSONS_DEVICE.search(user_agent))),
            ("preloading", bool(_PRELOADING.match(user_agent.strip()))),
            ("too_fast", sent_at is None or at - sent_at < TOO_FAST),
            ("burst", just_before + 1 >= BURST_SIZE),
        )
        if holds
    ]
    return verdict_of(reasons)


def _claims_a_browser(user_agent: str) -> bool:
    return user_agent.strip().lower().startswith("mozilla/")


def _stranger(user_agent: str) -> bool:
    return bool(user_agent.strip()) and not _PEOPLES.search(user_agent)
