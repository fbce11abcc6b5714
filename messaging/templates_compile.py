"""Turn what an author wrote into a version that can be rendered, or say all that is wrong with it.

Where a contact's field may stand is decided here, once: in the text of the mail and nowhere else.
Everything about a patient is protected information, a first name too, and a subject, a preheader,
an address of a link or a picture's alternative text is shown on a locked screen, kept in a proxy's
log or fetched by a scanner (EM-07).
"""

from __future__ import annotations

import hashlib
import html as entities
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from contacts.fields import FIELDS
from messaging import markup
from messaging.sandbox import LONGEST_TAG, MOST_TAGS, Problem, Reading, Tag, check

LONGEST = {"subject": 200, "mjml": 256_000, "text": 64_000}
COMMERCIAL = frozenset({"marketing", "remunerated_marketing", "fundraising"})

# In a compiled part a link is its number between two characters that no author can have typed.
LINK = re.compile("\ue000(\\d+)\ue001")
_PRIVATE = re.compile("[\ue000\ue001]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*)(")', re.IGNORECASE)
_TRAILING = ".,;:!?)]}'\""


class TemplateInvalid(Exception):
    """The template cannot be used; `problems` names each place and what to do."""

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: (_ORDER[each.part], each.line)))
        super().__init__(f"{len(self.problems)} problems in a template")


_ORDER = {"subject": 0, "mjml": 1, "text": 2, "fields": 3}


@dataclass(frozen=True, slots=True)
class CompiledLink:
    number: int
    destination: str
    label: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """The parts ready to render (still with merge tags), and everything that the parts read."""

    subject: str
    html: str
    text: str
    fields_read: frozenset[str]
    data_classes: frozenset[str]
    links: tuple[CompiledLink, ...]
    unsubscribes: bool
    warnings: tuple[Problem, ...]
    sha256: str


def compile(  # noqa: A001
    subject: str,
    mjml: str,
    text: str,
    declared: Collection[str],
    *,
    purpose: str = "marketing",
    own_hosts: Collection[str] = (),
    registry: Mapping[str, Any] | None = None,
) -> Compiled:
    """Return the compiled template; raises `TemplateInvalid` with every problem found."""
    fields = FIELDS if registry is None else registry
    sources = {"subject": subject, "mjml": mjml.strip(), "text": text}
    problems = _declared_problems(declared, fields) + _size_problems(sources)
    if problems:
        raise TemplateInvalid(problems)
    readings = {part: Reading(part, declared, fields.keys()) for part in sources}
    for part, source in sources.items():
        check(source, readings[part])
        problems += readings[part].problems
    if not problems:
        problems += _forged_problems(sources)
    if problems:
        raise TemplateInvalid(problems)
    return _Assembly(sources, readings, purpose, own_hosts, fields).compiled()


def _declared_problems(declared: Collection[str], fields: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem("fields", number, f"There is no contact field {key!r}.")
        for number, key in enumerate(declared, start=1)
        if key not in fields
    ]


def _size_problems(sources: Mapping[str, str]) -> list[Problem]:
    problems = []
    for part, source in sources.items():
        if not source.strip():
            problems.append(Problem(part, 1, "This part is empty."))
        if len(source) > LONGEST[part]:
            problems.append(
                Problem(part, 1, f"This part is longer than {LONGEST[part]} characters.")
            )
        for number, line in enumerate(source.splitlines(), start=1):
            if _PRIVATE.search(line):
                problems.append(Problem(part, number, "This line holds a control character."))
        if source.count("{{") + source.count("{%") > MOST_TAGS:
            problems.append(Problem(part, 1, f"This part has more than {MOST_TAGS} merge tags."))
    if "\n" in sources["subject"].strip("\n") or "\r" in sources["subject"]:
        problems.append(Problem("subject", 1, "A subject is one line."))
    return problems


def _forged_problems(sources: Mapping[str, str]) -> list[Problem]:
    return [
        Problem(part, 1, "This part holds the letters that stand for a merge tag: zq0xq.")
        for part, source in sources.items()
        if markup.forges_mark(source)
    ]


class _Assembly:
    """The second half of a compilation: parts that each are sound, put together."""

    def __init__(
        self,
        sources: Mapping[str, str],
        readings: Mapping[str, Reading],
        purpose: str,
        own_hosts: Collection[str],
        fields: Mapping[str, Any],
    ) -> None:
        self.sources, self.readings, self.fields = sources, readings, fields
        self.purpose, self.own_hosts = purpose, own_hosts
        self.problems: list[Problem] = []
        self.links: dict[str, CompiledLink] = {}

    def compiled(self) -> Compiled:
        self._subject()
        html = self._html()
        text = self._text()
        self._complete()
        if self.problems:
            raise TemplateInvalid(self.problems)
        fields = frozenset().union(*(reading.fields for reading in self.readings.values()))
        links = tuple(self.links.values())
        return Compiled(
            subject=self.sources["subject"].strip(),
            html=html,
            text=text,
            fields_read=fields,
            data_classes=frozenset(_name(self.fields[key].data_class) for key in fields),
            links=links,
            unsubscribes="unsubscribe" in self.readings["mjml"].links,
            warnings=tuple(self._warnings()),
            sha256=fingerprint(self.sources, html=html, text=text),
        )

    def complain(self, part: str, line: int, message: str) -> None:
        self.problems.append(Problem(part, line, message))

    def _subject(self) -> None:
        reading = self.readings["subject"]
        if reading.fields:
            named = ", ".join(sorted(reading.fields))
            self.complain(
                "subject", 1, f"A subject is read on locked screens and may not hold {named}."
            )
        if reading.links:
            self.complain("subject", 1, "A subject holds no link.")

    def _html(self) -> str:
        source, tags = markup.marked(self.sources["mjml"])
        walked = markup.walk(source, tags, own_hosts=self.own_hosts)
        self.problems += walked.problems + self._long(tags, "mjml")
        for anchor in walked.anchors:
            wrong = markup.href_problem(anchor.href, tags)
            if wrong:
                self.complain("mjml", anchor.line, wrong)
            elif urlsplit(anchor.href).scheme in markup.WEB:
                self._link(anchor.href, anchor.label)
        if self.problems:
            return ""
        try:
            html = markup.to_html(source, tags)
        except ValueError as error:
            self.complain("mjml", 1, f"MJML cannot read this: {error}.")
            return ""
        for tag in markup.lost(html, tags):
            self.complain(
                "mjml", tag.line, f"{tag.source} would be lost here; move it into <mj-text>."
            )
        return markup.restored(_HREF.sub(self._numbered, html), tags)

    def _numbered(self, match: re.Match[str]) -> str:
        link = self.links.get(entities.unescape(match[2]))
        return f"{match[1]}{_mark(link)}{match[3]}" if link else match[0]

    def _text(self) -> str:
        source, tags = markup.marked(self.sources["text"])
        self.problems += self._long(tags, "text")
        loops = markup.loop_names(tags)
        personal = {n for n, tag in enumerate(tags) if markup.reads_contact(tag, loops)}
        in_html = set(self.links)
        found: set[str] = set()
        out: list[str] = []
        end = 0
        for match in _ADDRESS.finditer(source):
            address = match[0].rstrip(_TRAILING)
            line = source.count("\n", 0, match.start()) + 1
            if markup.MARK.search(address):
                self._marked_address(address, line, personal)
                continue
            found.add(address)
            out += [source[end : match.start()], _mark(self._link(address, ""))]
            end = match.start() + len(address)
        out.append(source[end:])
        for missing in sorted(in_html - found):
            self.complain(
                "text", 1, f"The text part lacks the link {missing}; both parts hold all."
            )
        return markup.restored("".join(out), tags)

    def _marked_address(self, address: str, line: int, personal: set[int]) -> None:
        numbers = {int(number) for number in markup.MARK.findall(address)}
        if numbers & personal:
            self.complain("text", line, "A contact's field may not stand in a URL.")
        else:
            self.complain("text", line, "A link's address is written out in full.")

    def _long(self, tags: list[Tag], part: str) -> list[Problem]:
        return [
            Problem(part, tag.line, f"A merge tag is at most {LONGEST_TAG} characters long.")
            for tag in tags
            if len(tag.source) > LONGEST_TAG
        ]

    def _link(self, destination: str, label: str) -> CompiledLink:
        return self.links.setdefault(
            destination, CompiledLink(len(self.links), destination, label or destination[:80])
        )

    def _complete(self) -> None:
        """A commercial mail says who sends it, from where, and how to say no (CS-05, EM-27)."""
        html, text = self.readings["mjml"], self.readings["text"]
        for part, has, lacks in (("text", text, html), ("mjml", html, text)):
            if "unsubscribe" in lacks.links and "unsubscribe" not in has.links:
                self.complain(part, 1, "{{ links.unsubscribe }} stands in one part only.")
        if self.purpose not in COMMERCIAL:
            return
        for part, reading in (("mjml", html), ("text", text)):
            if "unsubscribe" not in reading.links and "unsubscribe" not in self._other(part).links:
                self.complain(part, 1, "A commercial mail needs {{ links.unsubscribe }}.")
            if "postal_address" not in reading.organisation:
                self.complain(part, 1, "A commercial mail needs {{ organisation.postal_address }}.")

    def _other(self, part: str) -> Reading:
        return self.readings["text" if part == "mjml" else "mjml"]

    def _warnings(self) -> list[Problem]:
        return [
            Problem(part, line, f"contact.{key} has no default: who lacks it gets no mail.")
            for part, reading in self.readings.items()
            for key, line in reading.unguarded.items()
            if key not in reading.tested
        ]


def _mark(link: CompiledLink) -> str:
    return f"\ue000{link.number}\ue001"


def _name(data_class: object) -> str:
    return str(getattr(data_class, "value", data_class))


def fingerprint(sources: Mapping[str, str], *, html: str, text: str) -> str:
    """Return the SHA-256 that names a version: of what was written and of what became of it."""
    whole = json.dumps([dict(sources), html, text], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()
