"""Take over an HTML mail that was made elsewhere: its words, layout and links. Pure.

What a mail of ours may not hold is left out and told: scripts, forms, pictures of other hosts
(their words stay), styles that load something. Merge tags of other products become words in
brackets, for the author to replace; a link whose address has one leads nowhere until it is
written anew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit

import nh3

from messaging.making import safe_html
from messaging.markup import SCHEMES

TAGS = frozenset(
    ["a", "b", "blockquote", "br", "center", "code", "div", "em", "font", "h1", "h2", "h3", "h4",
     "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "small", "span", "strong", "sub", "sup",
     "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"]
)  # fmt: skip
ATTRIBUTES = frozenset(
    ["align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "colspan",
     "dir", "face", "height", "href", "lang", "role", "rowspan", "scope", "size", "src", "style",
     "valign", "width"]
)  # fmt: skip
# Of other products: {{ name }}, {{#each}}, {{{ raw }}}, {% if %}, *|NAME|*, %NAME%, <%= name %>
# Each ends its search at the next beginning, so that no mail makes it read on to the end each time.
FOREIGN = re.compile(
    r"\{\{\{?[^{}]{0,300}\}\}\}?|\{%[^{}]{0,300}%\}|\*\|[^|*]{0,300}\|\*|<%[^<>]{0,300}%>"
)
_STYLES = re.compile(r"<style\b[^<>]*+>((?:[^<]++|<(?!/?style\b))*+)</style\s*+>", re.IGNORECASE)
_VOID = frozenset({"br", "hr", "img"})
_NEVER_CLOSED = _VOID | {"area", "base", "col", "input", "link", "meta", "source", "wbr"}
_OURS = re.compile("[\ue000\ue001]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
MOST_OPEN = 2_000
"""Elements that are open at once, at most. A parser's work grows with their square."""


class NotTakenOver(ValueError):
    """Elements in it are opened and hardly ever closed: it is no mail. Take it from its source."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class Imported:
    """The mail as MJML, and what was left out of it."""

    mjml: str
    left_out: tuple[str, ...]


def imported(html: str, *, own_hosts: Collection[str] = (), language: str = "en") -> Imported:
    """Return the mail as MJML that compiles, save for what only its author can say.

    Raises `NotTakenOver` for what no mail program ever wrote.
    """
    _bounded(html)
    plain = _OURS.sub(" ", html)
    styles = [style for style in _STYLES.findall(plain) if not safe_html.FETCHES.search(style)]
    bracketed = FOREIGN.sub(_bracketed, _STYLES.sub("", plain))
    clean = nh3.clean(
        bracketed,
        tags=set(TAGS),
        attributes={"*": set(ATTRIBUTES)},
        url_schemes=set(SCHEMES),
        link_rel=None,
        strip_comments=True,
    )
    writer = _Writer(own_hosts)
    writer.feed(clean)
    writer.close()
    kept = "".join(f"<mj-style>{_safe(style)}</mj-style>" for style in styles)
    head = f"<mj-head>{kept}</mj-head>" if kept else ""
    body = "".join(writer.out)
    mjml = f'<mjml lang="{language}">{head}<mj-body><mj-raw>{body}</mj-raw></mj-body></mjml>'
    return Imported(mjml, tuple(dict.fromkeys(writer.left_out)))


def _bounded(html: str) -> None:
    left: Counter[str] = Counter()
    open_now = 0
    for closes, name in _TAG.findall(html.lower()):
        if not closes:
            step = 0 if name in _NEVER_CLOSED else 1
        else:
            step = -1 if left[name] else 0
        left[name] += step
        open_now += step
        if open_now > MOST_OPEN:
            raise NotTakenOver


def _bracketed(tag: re.Match[str]) -> str:
    words = re.findall(r"[\w.]+", tag[0])
    return f"[{words[-1]}]" if words else ""


def _safe(style: str) -> str:
    return FOREIGN.sub("", style).replace("<", "").replace("{{", "{ {").replace("{%", "{ %")


class _Writer(HTMLParser):
    """Writes clean HTML again, with every element closed and nothing loaded from elsewhere."""

    def __init__(self, own_hosts: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.own_hosts = own_hosts
        self.out: list[str] = []
        self.left_out: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._picture(given)
            return
        if tag == "a" and not self._leads(given.get("href", "")):
            given.pop("href", None)
        self.out.append(self._written(tag, given))
        if tag not in _VOID:
            self.open.append(tag)

    def _leads(self, href: str) -> bool:
        parts = urlsplit(href.strip())
        if "[" in href or parts.scheme not in SCHEMES or (parts.scheme[:4] == "http" and (
            not parts.hostname or parts.username is not None
        )):  # fmt: skip
            if href:
                self.left_out.append(f"A link's address: {href[:60]}")
            return False
        return True

    def _picture(self, given: dict[str, str]) -> None:
        source = urlsplit(given.get("src", ""))
        if source.scheme == "https" and source.hostname in self.own_hosts:
            self.out.append(self._written("img", {"alt": ""} | given))
            return
        self.left_out.append(f"A picture: {given.get('src', '')[:60]}")
        self.out.append(escape(given.get("alt", "")))

    def _written(self, tag: str, given: dict[str, str]) -> str:
        if safe_html.FETCHES.search(given.get("style", "")):
            self.left_out.append("A style that loads something")
            del given["style"]
        if tag != "img":
            given = {name: value for name, value in given.items() if name not in ("src", "alt")}
        said = "".join(
            f' {name}="{escape(value)}"'
            for name, value in given.items()
            if not safe_html.attribute_problem(name, value)
        )
        return f"<{tag}{said}{' /' if tag in _VOID else ''}>"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while (last := self.open.pop()) != tag:
                self.out.append(f"</{last}>")
            self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.out.append(escape(data, quote=False))

    def close(self) -> None:
        super().close()
        while self.open:
            self.out.append(f"</{self.open.pop()}>")


def links(html: str) -> list[str]:
    """Return where the links of an HTML mail lead, in their order."""
    return [unescape(each) for each in re.findall(r'<a\b[^>]*?\bhref="([^"]*)"', html)]
