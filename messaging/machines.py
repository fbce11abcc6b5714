"""Was it a person or a program that opened or followed this? A pure verdict with its reasons.

Programs are recorded and never drive a branch (TR-05). Mail scanners follow links the moment a mail
arrives, ask with HEAD, follow every link within a second, or say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

TOO_FAST = timedelta(seconds=3)
"""No one reads a mail within so short a time of its hand-over."""
BURST = timedelta(seconds=1)
BURST_SIZE = 3
"""So many links within `BURST` are not a person's."""
SWEEP = timedelta(seconds=10)
"""Nor are all links of a mail, three or more, within so long."""
RULES = 2
"""Which rules these are: raise it when they change, so that what older ones judged is known."""

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

    @property
    def name(self) -> str:
        if self.machine:
            return "machine"
        return "unclear" if self.reasons else "human"


HINTS = frozenset({"unfamiliar", "second_agent"})
"""Evidence that is not enough by itself."""


def verdict_of(reasons: Collection[str]) -> Verdict:
    """Return the verdict that pieces of evidence give together, however old they are."""
    return Verdict(bool(set(reasons) - HINTS), tuple(reasons))


@dataclass(frozen=True, slots=True)
class Trace:
    """A visit as its neighbours see it. `link` is None for an opening; `agent` stands for whatever
    named itself, equal where that is the same."""

    at: datetime
    link: int | None
    agent: bytes


def together(one: Trace, of_message: Sequence[Trace], *, links: int) -> tuple[str, ...]:
    """Return the evidence that only a message's other visits give, those that came later too.

    `of_message` holds all visits of the message, this one among them; `links` is how many links
    the message has.
    """
    clicks = [other for other in of_message if other.link is not None]
    found = []
    if one.link is not None:
        if _most_within(one, clicks, BURST) >= BURST_SIZE:
            found.append("burst")
        near = {other.link for other in clicks if abs(other.at - one.at) <= SWEEP}
        if links >= BURST_SIZE and len(near) == links:
            found.append("all_links")
    others = [o for o in of_message if o.agent != one.agent and abs(o.at - one.at) <= TOGETHER]
    if others:
        found.append("second_agent")
    return tuple(found)


TOGETHER = timedelta(seconds=60)
"""How long a visit waits for what may come after it and tell what it was."""


def _most_within(one: Trace, clicks: Sequence[Trace], span: timedelta) -> int:
    """Return how many clicks lie in a stretch of that length which has this one in it."""
    starts = [other.at for other in clicks if timedelta() <= one.at - other.at <= span]
    return max(
        (sum(timedelta() <= other.at - start <= span for other in clicks) for start in starts),
        default=0,
    )


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
