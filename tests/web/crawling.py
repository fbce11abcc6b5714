"""Follow every link from Home, as a person would: what a role is shown must open for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

from django.urls import Resolver404, resolve

Get = Callable[[str], tuple[int, str]]
"""Ask for an address; return the status and, of a page, its HTML."""
MOST_OF_A_KIND = 3
"""Pages of one route that are looked at: the hundredth contact has the same links as the third."""


@dataclass(frozen=True)
class Dead:
    """A link that leads to no page."""

    status: int
    path: str
    seen_on: str

    def __str__(self) -> str:
        return f"{self.status} {self.path}, linked from {self.seen_on}"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "a" and named.get("href"):
            self.found.append(str(named["href"]))
        if named.get("hx-get"):
            self.found.append(str(named["hx-get"]))


def crawl(get: Get, *, start: str = "/") -> tuple[list[Dead], int]:
    """Return the dead links, and how many pages were looked at."""
    waiting, seen = [(start, "the beginning")], {start}
    looked: Counter[str] = Counter()
    dead = []
    while waiting:
        path, seen_on = waiting.pop(0)
        kind = _kind(path)
        if looked[kind] >= MOST_OF_A_KIND:
            continue
        looked[kind] += 1
        status, html = get(path)
        if status >= 400:
            dead.append(Dead(status, path, seen_on))
        for link in _inside(html, path):
            if link not in seen:
                seen.add(link)
                waiting.append((link, path))
    return dead, sum(looked.values())


def _inside(html: str, path: str) -> list[str]:
    links = _Links()
    links.feed(html)
    whole = [urldefrag(urljoin(path, link)).url for link in links.found]
    return [one for one in whole if one.startswith("/") and not one.startswith("//")]


def _kind(path: str) -> str:
    """Name the route, and which of its questions a link asks."""
    bare, _, query = path.partition("?")
    asked = "&".join(sorted(part.partition("=")[0] for part in query.split("&")))
    try:
        return f"{resolve(bare).view_name}?{asked}"
    except Resolver404:
        return path
