"""What HTML a mail may hold, asked of what the author wrote and of what MJML made of it. Pure.

What goes in sound may come out otherwise. MJML writes attributes as it finds them, quotes and all;
it brings icons of hosts of its own and links that share instead of leading where they say; and what
one parser takes for text is an element to the next (mutation). So elements and attributes are
allowed by name, never refused by name, and the outcome is looked at as a mail program would.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from urllib.parse import urlsplit

ELEMENTS = frozenset(
    ["a", "abbr", "address", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote",
     "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl",
     "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
     "header", "hgroup", "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p",
     "picture", "pre", "q", "s", "samp", "section", "small", "source", "span", "strike", "strong",
     "style", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u",
     "ul", "var", "video", "wbr"]
)  # fmt: skip
"""Elements of HTML that an author may write: words, layout, pictures; nothing that acts."""
_MADE = ELEMENTS | {"html", "head", "body", "title", "meta", "input", "label"}
"""What MJML writes besides: the frame of the document, and the switches of menu and accordion."""
LOADING = frozenset(
    ["src", "srcset", "background", "background-url", "poster", "icon-wrapped-url",
     "icon-unwrapped-url", "thumbnails-src"]
)  # fmt: skip
"""Attributes whose address is fetched when the mail is shown."""
_ACTING = frozenset(
    ["action", "archive", "base-url", "classid", "code", "codebase", "data", "dynsrc", "formaction",
     "http-equiv", "imagesrcset", "is", "longdesc", "lowsrc", "manifest", "ping", "profile",
     "srcdoc", "usemap"]
)  # fmt: skip
"""Attributes that send, fetch or run something, or change where links lead."""
# A style sheet's ways to fetch or run something; a backslash could spell any of them otherwise.
FETCHES = re.compile(
    r"url\s*\(|image-set|cross-fade|src\s*\(|image\s*\(|@import|expression\s*\(|behavior\s*:|"
    r"-moz-binding|\\",
    re.IGNORECASE,
)
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1"})
"""Where the sample runs, without TLS; in production no organisation's host is one of these."""
_WELL_QUOTED = re.compile(
    r"""<[^\s/>]++(?:[\s/]++[^\s"'<>/=]++"""
    r"""(?:\s*+=\s*+(?:"[^"]*+"|'[^"']*+'|[^\s"'=<>`]++))?+)*+[\s/]*+>"""
)
_LEADS = re.compile("\ue000\\d+\ue001|zq\\d+xq|(?:mailto|tel):.*", re.IGNORECASE | re.DOTALL)
_EMPTY_META = frozenset({"x-ua-compatible", "content-type"})


def attribute_problem(name: str, value: str) -> str:
    """Return what is wrong with an attribute by its name, or by signs that another parser would
    take for elements."""
    if name.startswith("on"):
        return f"The attribute {name} is code; a mail has none."
    if name in _ACTING or ":" in name:
        return f"The attribute {name} does something when the mail is read; a mail only says."
    if "<" in value or ">" in value:
        return f"The attribute {name} may not hold < or >."
    return ""


def quoting_problem(tag: str) -> str:
    """Return what is wrong with a start tag's quotes: MJML lets such values out of theirs."""
    if not _WELL_QUOTED.fullmatch(tag):
        return 'Put attributes into double quotes, and write &quot; for " inside of them.'
    return ""


def own(name: str, value: str, own_hosts: Collection[str]) -> bool:
    """Say whether all that an attribute loads comes from the organisation's own hosts."""
    if name != "srcset":
        return _own(value.strip(), own_hosts)
    candidates = [each.split() for each in value.split(",")]
    return all(each and _own(each[0], own_hosts) for each in candidates)


def _own(address: str, own_hosts: Collection[str]) -> bool:
    if re.search(r"[\s\\]", address):
        return False  # parsers do not agree on which host that is
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    plain = parts.scheme == "https" or parts.hostname in _THIS_MACHINE
    return plain and "@" not in parts.netloc and parts.hostname in own_hosts


class _Outcome(HTMLParser):
    """Reads a compiled mail and says what in it does more than say."""

    def __init__(self, own_hosts: Collection[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.own_hosts = own_hosts
        self.found: dict[str, None] = {}
        self.styles = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.styles = tag == "style"
        if tag not in _MADE:
            self.found[f"<{tag}> would stand in the mail."] = None
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def handle_endtag(self, tag: str) -> None:
        self.styles = self.styles and tag != "style"

    def handle_data(self, data: str) -> None:
        if self.styles and FETCHES.search(data):
            self.found["A style sheet would load something."] = None

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("xmlns") or (tag == "meta" and value.lower() in _EMPTY_META):
            return
        if name in LOADING and not own(name, value, self.own_hosts):
            self.found[_foreign(value)] = None
        elif name == "href" and not _LEADS.fullmatch(value.strip()):
            self.found[
                f"A link would lead to {value[:60]!r}, which nobody wrote: an icon of "
                '<mj-social-element> shares unless its name ends with "-noshare".'
            ] = None
        elif name not in LOADING and name not in ("href", "alt", "title", "aria-label", "content"):
            wrong = attribute_problem(name, value)
            if wrong or FETCHES.search(value):
                self.found[wrong or f"The attribute {name} would load something."] = None


def _foreign(value: str) -> str:
    return (
        f"A picture would be loaded from {value[:60]!r}: MJML brings icons of other hosts unless "
        "you give <mj-social-element> a src, and <mj-accordion> icon-wrapped-url and "
        "icon-unwrapped-url, of the organisation's own."
    )


def outcome_problems(html: str, own_hosts: Collection[str]) -> Iterator[str]:
    """Yield what a compiled mail, links as numbers and tags as marks, does more than say."""
    outcome = _Outcome(own_hosts)
    outcome.feed(html)
    outcome.close()
    yield from outcome.found


def shape_problem(source: str) -> tuple[int, str] | None:
    """Return the place and fault of a source that a parser would read again and again.

    An element or a comment that never ends is looked for to the end from each of its beginnings.
    """
    at = source.find("<![")
    if at >= 0:
        return at, "<![ … ]> is not allowed in a mail."
    last = source.rfind(">")
    at = source.find("<", last + 1)
    if at >= 0:
        return at, "Here an element begins that never ends; write &lt; for a <."
    at = source.find("<!--")
    while at >= 0:
        end = source.find("-->", at + 4)
        if end < 0:
            return at, "Here a comment begins that never ends."
        at = source.find("<!--", end + 3)
    return None


def without_elements(source: str) -> str:
    """Return the words of a source: no elements, no comments. In one pass, whatever it holds."""
    out: list[str] = []
    at = 0
    while (begins := source.find("<", at)) >= 0:
        out.append(source[at:begins])
        comment = source.startswith("<!--", begins)
        ends = source.find("-->" if comment else ">", begins)
        if ends < 0:
            return "".join(out)
        at = ends + (3 if comment else 1)
    return "".join([*out, source[at:]])
