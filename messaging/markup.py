"""From MJML to the HTML of a mail, with merge tags carried through it as opaque marks.

MJML, the CSS inliner and every check see a mark (`zq3xq`) where the author wrote `{{ ... }}`, so
none of them can be confused by template syntax, and a mark that does not come out at the other end
is a merge tag that would silently have been lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from types import MappingProxyType
from urllib.parse import urlsplit

import css_inline
import mjml

from messaging.making import flow, safe_html
from messaging.making.flow import Asked, Tracer
from messaging.sandbox import Problem, Tag, pieces

MARK = re.compile(r"zq(\d+)xq")
_COMMENTED = re.compile(r"<!--(zq\d+xq)-->")
WEB = ("http", "https")
SCHEMES = (*WEB, "mailto", "tel")
_LINK = re.compile(r"\{\{-?\s*links\s*\.\s*\w+\s*-?\}\}")
_WRITTEN_OUT = "A link's address is written out, or is {{ links.unsubscribe }} as it stands."

# No network, ever: a remote style sheet would be fetched here and would track the patient there.
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
     "track", "wbr"]
)  # fmt: skip
_KNOWN = frozenset(
    ["mjml", "mj-head", "mj-body", "mj-section", "mj-column", "mj-group", "mj-wrapper",
     "mj-hero", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table",
     "mj-list", "mj-raw", "mj-social", "mj-social-element", "mj-navbar", "mj-navbar-link",
     "mj-accordion", "mj-accordion-element", "mj-accordion-title", "mj-accordion-text",
     "mj-preview", "mj-title", "mj-style", "mj-attributes", "mj-all", "mj-class",
     "mj-breakpoint", "mj-html-attributes", "mj-selector", "mj-html-attribute",
     "mj-carousel", "mj-carousel-image", "mj-font", "mj-include"]
)  # fmt: skip
_REFUSED = {
    "script": "scripts",
    "iframe": "frames",
    "object": "objects",
    "embed": "objects",
    "form": "forms",
    "input": "forms",
    "link": "linked style sheets",
    "meta": "instructions to a browser",
    "svg": "drawings with a language of their own",
    "math": "formulas with a language of their own",
    "base": "a base address",
    "mj-include": "includes",
    "mj-font": "remote fonts (a tracker in a patient's mail)",
    "mj-carousel": "carousels",
}
_LINK_ELEMENTS = frozenset({"a", "mj-button", "mj-navbar-link", "mj-social-element"})
_HEADINGS = {"mj-preview": "the preheader", "mj-title": "the title", "mj-style": "a style sheet"}
_BOXES = frozenset(
    ["mjml", "mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column"]
)
_WORDS = frozenset({"href", "alt", "title"})
_PICTURES = frozenset({"mj-image", "img"})
_PART_OF = {"href": flow.LINKS, "src": flow.IMAGES, "alt": flow.IMAGES}
MOST_TOLD = 100
"""Problems of one part; whoever mends so many is told the rest."""
DEEPEST = 60
"""Elements within each other: every parser on the way can take so many."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link as the author wrote it."""

    line: int
    href: str
    label: str


def marked(source: str) -> tuple[str, list[Tag]]:
    """Return the source with a mark for every merge tag, and the tags in order."""
    tags: list[Tag] = []
    out: list[str] = []
    for piece in pieces(source):
        if isinstance(piece, Tag):
            out.append(f"zq{len(tags)}xq" + "\n" * piece.source.count("\n"))
            tags.append(piece)
        else:
            out.append(piece)
    return "".join(out), tags


def forges_mark(source: str) -> bool:
    """Say whether an author's own text is, or comes to be, what stands for a merge tag."""
    text = "".join(piece if isinstance(piece, str) else " " for piece in pieces(source))
    return any(MARK.search(unescape(one)) for one in (text, safe_html.without_elements(text)))


def restored(text: str, tags: list[Tag]) -> str:
    return MARK.sub(lambda mark: tags[int(mark[1])].source, text)


def reads_contact(tag: Tag, loop_names: Collection[str]) -> bool:
    words = set(re.findall(r"[A-Za-z_]\w*", tag.source))
    return bool(words & {"contact", "when", *loop_names})


def loop_names(tags: Iterable[Tag]) -> set[str]:
    found = (re.match(r"\{%[-+]?\s*for\s+(\w+)\s+in\b", tag.source) for tag in tags)
    return {match[1] for match in found if match}


class Walk(HTMLParser):
    """Read the marked MJML once and say where PHI, code or a foreign host stands in it."""

    def __init__(
        self,
        tags: list[Tag],
        *,
        own_hosts: Collection[str],
        conditions: Mapping[str, Asked] = MappingProxyType({}),
    ) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = tags
        self.tracer = Tracer(tags, conditions)
        self.language = ""
        self.personal = {
            number for number, tag in enumerate(tags) if reads_contact(tag, loop_names(tags))
        }
        self.own_hosts = own_hosts
        self.problems: list[Problem] = []
        self.anchors: list[Anchor] = []
        self.open: list[tuple[str, int]] = []
        self.label: list[str] = []
        self.href: tuple[int, str] | None = None

    def complain(self, message: str, *, line: int | None = None) -> None:
        if len(self.problems) < MOST_TOLD:
            self.problems.append(Problem("mjml", line or self.getpos()[0], message))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._known(tag)
        if quoting := safe_html.quoting_problem(self.get_starttag_text() or ""):
            self.complain(quoting)
        for name, value in attrs:
            self._attribute(name, value or "")
        self._element(tag, {name: value or "" for name, value in attrs})
        self._hrefs(tag, [value or "" for name, value in attrs if name == "href"])
        if len(self.open) >= DEEPEST:
            self.complain(f"Over {DEEPEST} elements stand within each other.")
        elif tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    def _known(self, tag: str) -> None:
        if tag in _REFUSED:
            self.complain(f"<{tag}>: {_REFUSED[tag]} are not allowed in a mail.")
        elif tag.startswith("mj") and tag not in _KNOWN:
            self.complain(f"<{tag}> is not an MJML element.")
        elif not tag.startswith("mj") and tag not in safe_html.ELEMENTS:
            self.complain(f"<{tag}> is not an element that a mail may hold.")

    def _element(self, tag: str, given: Mapping[str, str]) -> None:
        if tag == "mjml":
            self.language = given.get("lang", "")
        elif tag == "mj-image":
            self._picture_link(given)
        if tag in _PICTURES:
            self.tracer.element(flow.IMAGES, self.getpos()[0])
            if "alt" not in given:
                self.complain(
                    f'<{tag}> has no alt: say what the picture shows, or alt="" if it only adorns.'
                )
        elif tag in _LINK_ELEMENTS:
            self.tracer.element(flow.LINKS, self.getpos()[0])

    def _hrefs(self, tag: str, hrefs: list[str]) -> None:
        """Take a link's address; look at one that other elements lend to links of theirs."""
        if tag in _LINK_ELEMENTS:
            self._begin_link(hrefs[0] if hrefs else "")
        elif tag != "mj-image" and hrefs and (wrong := href_problem(hrefs[0].strip(), self.tags)):
            self.complain(wrong)
        if len(hrefs) > 1:
            self.complain(f"<{tag}> has more than one href.")

    def _picture_link(self, given: Mapping[str, str]) -> None:
        """A picture that leads somewhere is a link whose words are its alternative text."""
        if href := given.get("href", "").strip():
            label = " ".join(MARK.sub("", given.get("alt", "")).split())
            self.anchors.append(Anchor(self.getpos()[0], href, label[:80]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag in _LINK_ELEMENTS:
            self._end_link()
        names = [name for name, _ in self.open]
        if tag not in names:
            self.complain(f"</{tag}> closes nothing.")
            return
        while self.open:
            name, line = self.open.pop()
            if name == tag:
                return
            self.complain(f"<{name}> is not closed before </{tag}>.", line=line)

    def handle_data(self, data: str) -> None:
        if self.href is not None:
            self.label.append(data)
        self._structural(data)
        self._title(data)
        self._trace(data, self._part())
        if self._personal_marks(data):
            place = self._place()
            if place:
                self.complain(
                    f"A contact's field may not stand in {place}: it can be read without opening "
                    "the mail or leaves it. Put it in the text."
                )
        if self._inside("mj-style", "style") and safe_html.FETCHES.search(data):
            self.complain("A style sheet may not load anything (url(...), @import, a backslash).")

    def _title(self, data: str) -> None:
        """MJML writes them into an attribute and into the head of the document."""
        if self._inside("mj-title", "mj-preview") and re.search("[<>]", data):
            self.complain("The title and the preheader hold words alone: no < and no >.")

    def _structural(self, data: str) -> None:
        """Text between the boxes of the layout has no place in a table; conditions do."""
        if not self.open or self.open[-1][0] not in _BOXES:
            return
        loose = MARK.sub(lambda mark: "" if not self.tags[int(mark[1])].printed else "x", data)
        if loose.strip():
            self.complain(f"Text stands directly in <{self.open[-1][0]}>; put it into <mj-text>.")

    def handle_comment(self, data: str) -> None:
        if data.lstrip().startswith("[if"):
            self.complain(
                "What is written for one mail program alone is not checked: leave it out."
            )
        self._trace(data, flow.MARKUP)
        if self._personal_marks(data):
            self.complain("A contact's field may not stand in an HTML comment.")

    def close(self) -> None:
        super().close()
        for name, line in self.open:
            self.complain(f"<{name}> is never closed.", line=line)

    def _inside(self, *elements: str) -> bool:
        return any(name in elements for name, _ in self.open)

    def _personal_marks(self, text: str) -> bool:
        return any(int(number) in self.personal for number in MARK.findall(text))

    def _place(self) -> str:
        for name, words in _HEADINGS.items():
            if self._inside(name):
                return words
        if self._inside(*_LINK_ELEMENTS):
            return "the text of a link"
        return "the head of the mail" if self._inside("mj-head") else ""

    def _trace(self, text: str, place: str) -> None:
        for number in MARK.findall(text):
            self.tracer.mark(int(number), place, self.tags[int(number)].line)

    def _part(self) -> str:
        if self._inside("mj-preview"):
            return flow.PREHEADER
        if self._inside(*_LINK_ELEMENTS):
            return flow.LINKS
        return flow.HEAD if self._inside("mj-head", "mj-style", "style") else flow.BODY

    def _attribute(self, name: str, value: str) -> None:
        self._trace(value, _PART_OF.get(name, flow.MARKUP))
        if self._personal_marks(value):
            what = {"href": "a URL", "src": "a URL", "alt": "an alternative text"}.get(name)
            self.complain(f"A contact's field may not stand in {what or f'the attribute {name}'}.")
        elif any(not self.tags[int(number)].printed for number in MARK.findall(value)):
            self.complain(f"A condition may not stand in the attribute {name}.")
        if wrong := safe_html.attribute_problem(name, value):
            self.complain(wrong)
        if name in safe_html.LOADING:
            self._load(name, value)
        elif name not in _WORDS and safe_html.FETCHES.search(value):
            self.complain(f"The attribute {name} may not load anything (url(...), a backslash).")

    def _load(self, name: str, value: str) -> None:
        if safe_html.own(name, value, self.own_hosts) and not MARK.search(value):
            return
        self.complain(
            "A mail loads pictures from the organisation's own host by https only, "
            f"and not from {_host(value) or 'here'}."
        )

    def _begin_link(self, href: str) -> None:
        self.label, self.href = [], (self.getpos()[0], href.strip())

    def _end_link(self) -> None:
        if self.href is None:
            return
        line, href = self.href
        label = " ".join(MARK.sub("", "".join(self.label)).split())
        self.href = None
        if href:
            self.anchors.append(Anchor(line, href, label[:80]))


def _host(address: str) -> str:
    try:
        return urlsplit(address.strip()).hostname or ""
    except ValueError:
        return ""


def walk(
    source: str,
    tags: list[Tag],
    *,
    own_hosts: Collection[str],
    conditions: Mapping[str, Asked] = MappingProxyType({}),
) -> Walk:
    done = Walk(tags, own_hosts=own_hosts, conditions=conditions)
    done.feed(source)
    done.close()
    return done


def href_problem(href: str, tags: list[Tag]) -> str:
    """Return what is wrong with where a link goes, or nothing."""
    whole = MARK.fullmatch(href)
    if whole:
        return "" if _LINK.fullmatch(tags[int(whole[1])].source) else _WRITTEN_OUT
    if MARK.search(href):
        return "A link's address is written out in full, without merge tags."
    if re.search(r"[\s\\]", href):
        return "A link's address has no blanks and no backslash."
    try:
        parts = urlsplit(href)
    except ValueError:
        return "This is not an address."
    if parts.scheme not in SCHEMES:
        return f"A link begins with {', '.join(SCHEMES)}: this one does not."
    if parts.scheme in WEB and not _plain_host(parts.hostname, parts.username):
        return "A link needs a host, and no user name before it."
    return ""


def _plain_host(host: str | None, user: str | None) -> bool:
    return bool(host) and user is None


def to_html(source: str, tags: Sequence[Tag]) -> str:
    """Return the inlined HTML of marked MJML; raises ValueError where MJML cannot read it.

    A condition often stands between two rows of a table, where HTML allows no text: the inliner's
    parser would move its mark out of the table. As a comment it may stand there.
    """
    html: str = mjml.mjml2html(source, fonts={}, disable_comments=True)
    html = MARK.sub(
        lambda mark: mark[0] if tags[int(mark[1])].printed else f"<!--{mark[0]}-->", html
    )
    return _COMMENTED.sub(r"\1", INLINER.inline(html))


def lost(html: str, tags: list[Tag]) -> Iterator[Tag]:
    """Yield the merge tags that did not come through, came twice, or changed places."""
    seen = [int(number) for number in MARK.findall(html)]
    last = -1
    for number, tag in enumerate(tags):
        if number not in seen or (not tag.printed and seen.count(number) != 1):
            yield tag
        elif not tag.printed:
            place = seen.index(number)
            if place < last:
                yield tag
            last = max(last, place)
