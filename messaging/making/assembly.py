"""The second half of a compilation: the parts of one language, checked and put together.

Every problem of every part is told at once; an author should not have to find them one by one.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from messaging import markup
from messaging.making import checks, flow, plain_text, safe_html
from messaging.making.flow import Asked, Use
from messaging.making.including import Block
from messaging.sandbox import MOST_TAGS, Problem, Reading, Tag, check

LONGEST = {"subject": 200, "mjml": 256_000, "text": 64_000}
COMMERCIAL = frozenset({"marketing", "remunerated_marketing", "fundraising"})

# In a compiled part a link is its number between two characters that no author can have typed.
LINK = re.compile("\ue000(\\d+)\ue001")
_PRIVATE = re.compile("[\ue000\ue001]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_HREF = re.compile(r'(<a\b[^<>]*?\shref=")([^"]*)(")', re.IGNORECASE)
_ROOT = re.compile(r"<mjml\b(?![^>]*\slang=)", re.IGNORECASE)
_TRAILING = ".,;:!?)]}'\""


@dataclass(frozen=True, slots=True)
class CompiledLink:
    number: int
    destination: str
    label: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every part of one language."""

    declared: Collection[str]
    fields: Mapping[str, Any]
    purpose: str
    own_hosts: Collection[str]
    conditions: Mapping[str, Asked]
    language: str


@dataclass(frozen=True, slots=True)
class Made:
    """What came of one language: parts, or problems."""

    language: str
    subject: str
    html: str
    text: str
    fields: frozenset[str]
    asked: frozenset[str]
    unsubscribes: bool
    uses: tuple[Use, ...]
    blocks: tuple[Block, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class Assembly:
    """Works through the parts of one language; `links` is shared by all languages."""

    sources: dict[str, str]
    rules: Rules
    links: dict[str, CompiledLink]
    problems: list[Problem] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    uses: set[Use] = field(default_factory=set)
    own_links: dict[str, CompiledLink] = field(default_factory=dict)
    walked: markup.Walk | None = None

    def made(self, blocks: tuple[Block, ...]) -> Made:
        html = text = ""
        if self._readable():
            self._subject()
            html = self._html()
            text = self._text()
            self._complete()
            for part in ("mjml", "text"):
                self.problems += self.readings[part].missing
        warnings: tuple[Problem, ...] = ()
        if not self.problems and self.walked is not None:
            warnings = checks.of(self._checked(html, text))
        return Made(
            language=self.rules.language,
            subject=self.sources["subject"].strip(),
            html=html,
            text=text,
            fields=frozenset().union(*(each.fields for each in self.readings.values())),
            asked=frozenset().union(*(each.asked for each in self.readings.values())),
            unsubscribes="mjml" in self.readings and "unsubscribe" in self.readings["mjml"].links,
            uses=tuple(self.uses),
            blocks=blocks,
            problems=tuple(self.problems),
            warnings=warnings,
        )

    def _checked(self, html: str, text: str) -> checks.Checked:
        return checks.Checked(
            subject=self.sources["subject"].strip(),
            mjml=markup.marked(self.sources["mjml"])[0],
            html=html,
            text=text,
            language=self.rules.language,
            commercial=self.rules.purpose in COMMERCIAL,
        )

    def _readable(self) -> bool:
        """Say whether every part can be read at all; a text part to be made is not there yet."""
        if not self.problems:
            self.problems += self._size_problems()
        for part in () if self.problems else ("subject", "mjml", "text"):
            self._read(part)
        if not self.problems:
            self.problems += self._forged_problems()
        return not self.problems

    def _read(self, part: str) -> None:
        rules = self.rules
        kinds = {key: str(getattr(f.type, "value", "")) for key, f in rules.fields.items()}
        reading = Reading(part, rules.declared, rules.fields.keys(), kinds, rules.conditions)
        check(self.sources[part], reading)
        self.readings[part] = reading
        self.problems += reading.problems

    def _size_problems(self) -> list[Problem]:
        problems = [*self._shape_problems()]
        for part, source in self.sources.items():
            if not source.strip() and part != "text":
                problems.append(Problem(part, 1, "This part is empty."))
            if len(source) > LONGEST[part]:
                problems.append(
                    Problem(part, 1, f"This part is longer than {LONGEST[part]} characters.")
                )
            for number, line in enumerate(source.splitlines(), start=1):
                if _PRIVATE.search(line):
                    problems.append(Problem(part, number, "This line holds a control character."))
            if source.count("{{") + source.count("{%") > MOST_TAGS:
                problems.append(
                    Problem(part, 1, f"This part has more than {MOST_TAGS} merge tags.")
                )
        return problems

    def _shape_problems(self) -> Iterator[Problem]:
        if shape := safe_html.shape_problem(self.sources["mjml"]):
            line = self.sources["mjml"].count("\n", 0, shape[0]) + 1
            yield Problem("mjml", line, shape[1])
        subject = self.sources["subject"]
        if "\n" in subject.strip("\n") or "\r" in subject:
            yield Problem("subject", 1, "A subject is one line.")

    def _forged_problems(self) -> list[Problem]:
        return [
            Problem(part, 1, "This part holds the letters that stand for a merge tag: zq0xq.")
            for part, source in self.sources.items()
            if markup.forges_mark(source)
        ]

    def complain(self, part: str, line: int, message: str) -> None:
        self.problems.append(Problem(part, line, message))

    def _subject(self) -> None:
        reading = self.readings["subject"]
        for key in reading.fields:
            self.uses.add(Use(flow.SUBJECT, key, flow.PRINTED, 1))
        for name in reading.asked:
            asked = self.rules.conditions[name].fields
            self.uses |= {Use(flow.SUBJECT, key, flow.ASKED, 1, name) for key in asked}
        if reading.fields:
            named = ", ".join(sorted(reading.fields))
            self.complain(
                "subject", 1, f"A subject is read on locked screens and may not hold {named}."
            )
        if reading.asked:
            named = ", ".join(sorted(reading.asked))
            self.complain(
                "subject", 1, f"A subject is the same for all and may not ask when.{named}."
            )
        if reading.links:
            self.complain("subject", 1, "A subject holds no link.")

    def _html(self) -> str:
        source, tags = markup.marked(self.sources["mjml"])
        walked = self.walked = markup.walk(
            source, tags, own_hosts=self.rules.own_hosts, conditions=self.rules.conditions
        )
        self.uses |= walked.tracer.uses
        self.problems += walked.problems
        self._language(walked.language)
        self._anchors(walked, tags)
        if self.problems:
            return ""
        if not self.sources["text"].strip():
            self.sources["text"] = markup.restored(plain_text.made(source), tags)
            self._read("text")
        source = _ROOT.sub(f'<mjml lang="{self.rules.language}"', source, count=1)
        try:
            html = markup.to_html(source, tags)
        except ValueError as error:
            self.complain("mjml", 1, f"MJML cannot read this: {error}.")
            return ""
        for tag in markup.lost(html, tags):
            self.complain(
                "mjml", tag.line, f"{tag.source} would be lost here; move it into <mj-text>."
            )
        html = _HREF.sub(self._numbered, html)
        for wrong in safe_html.outcome_problems(html, self.rules.own_hosts):
            self.complain("mjml", 1, wrong)
        return markup.restored(html, tags)

    def _anchors(self, walked: markup.Walk, tags: list[Tag]) -> None:
        for anchor in walked.anchors:
            wrong = markup.href_problem(anchor.href, tags)
            if wrong:
                self.complain("mjml", anchor.line, wrong)
            elif urlsplit(anchor.href).scheme in markup.WEB:
                self._link(anchor.href, anchor.label)

    def _language(self, written: str) -> None:
        own = self.rules.language.partition("-")[0]
        if written and written.partition("-")[0] != own:
            self.complain("mjml", 1, f'The mail says lang="{written}"; this is the text in {own}.')

    def _numbered(self, match: re.Match[str]) -> str:
        link = self.own_links.get(entities.unescape(match[2]))
        return f"{match[1]}{_mark(link)}{match[3]}" if link else match[0]

    def _text(self) -> str:
        if not self.sources["text"].strip():
            return ""  # it could not be made, because of problems that are told
        source, tags = markup.marked(self.sources["text"])
        loops = markup.loop_names(tags)
        personal = {n for n, tag in enumerate(tags) if markup.reads_contact(tag, loops)}
        in_html = set(self.own_links)
        tracer = flow.Tracer(tags, self.rules.conditions)
        for number, tag in enumerate(tags):
            tracer.mark(number, flow.TEXT, tag.line)
        self.uses |= tracer.uses
        found: set[str] = set()
        out: list[str] = []
        end = 0
        for match in _ADDRESS.finditer(source):
            address = match[0].rstrip(_TRAILING)
            line = source.count("\n", 0, match.start()) + 1
            if markup.MARK.search(address):
                self._marked_address(address, line, personal, tags)
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

    def _marked_address(self, address: str, line: int, personal: set[int], tags: list[Tag]) -> None:
        numbers = {int(number) for number in markup.MARK.findall(address)}
        if numbers & personal:
            for number in numbers & personal:
                tracer = flow.Tracer(tags, self.rules.conditions)
                tracer.mark(number, flow.LINKS, line)
                self.uses |= tracer.uses
            self.complain("text", line, "A contact's field may not stand in a URL.")
        else:
            self.complain("text", line, "A link's address is written out in full.")

    def _link(self, destination: str, label: str) -> CompiledLink:
        link = self.links.setdefault(
            destination, CompiledLink(len(self.links), destination, label or destination[:80])
        )
        self.own_links[destination] = link
        return link

    def _complete(self) -> None:
        """A commercial mail says who sends it, from where, and how to say no (CS-05, EM-27)."""
        html, text = self.readings["mjml"], self.readings["text"]
        there = bool(self.sources["text"].strip())  # one that could not be made lacks nothing
        for part, has, lacks in (("text", text, html), ("mjml", html, text)) if there else ():
            if "unsubscribe" in lacks.links and "unsubscribe" not in has.links:
                self.complain(part, 1, "{{ links.unsubscribe }} stands in one part only.")
        if self.rules.purpose not in COMMERCIAL:
            return
        for part, reading in (("mjml", html), ("text", text)):
            if self.sources[part].strip():
                for needed in ("links.unsubscribe", "organisation.postal_address"):
                    self._needed(part, reading, needed)

    def _needed(self, part: str, reading: Reading, name: str) -> None:
        if name in reading.certain:
            return
        root, _, attr = name.partition(".")
        written = attr in (reading.links if root == "links" else reading.organisation)
        if written:
            self.complain(part, 1, f"{{{{ {name} }}}} stands in a condition: everybody needs it.")
        elif name == "organisation.postal_address" or attr not in self._other(part).links:
            self.complain(part, 1, f"A commercial mail needs {{{{ {name} }}}}.")

    def _other(self, part: str) -> Reading:
        return self.readings["text" if part == "mjml" else "mjml"]


def _mark(link: CompiledLink) -> str:
    return f"\ue000{link.number}\ue001"
