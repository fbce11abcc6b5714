"""What the checks look at: the parts of one language, merge tags as marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

MARK = re.compile(r"zq\d+xq")
_STYLE = re.compile(r"([\w-]+)\s*:\s*([^;]+)")


@dataclass(frozen=True, slots=True)
class Checked:
    """One language of a mail that compiles."""

    subject: str
    mjml: str
    """The source with a mark for every merge tag."""
    html: str
    text: str
    language: str
    commercial: bool


@dataclass(frozen=True, slots=True)
class Element:
    """An element of the source, with what its ancestors and the head lend it."""

    name: str
    line: int
    given: dict[str, str]
    around: tuple[Element, ...]
    words: list[str]

    def text(self) -> str:
        return " ".join(MARK.sub(" ", "".join(self.words)).split())

    def style(self) -> dict[str, str]:
        found = _STYLE.findall(self.given.get("style", ""))
        return {name.lower(): value.strip() for name, value in found}


_VOID = frozenset(
    ["br", "hr", "img", "mj-image", "mj-divider", "mj-spacer", "mj-all", "mj-class", "wbr", "col"]
)


class _Reader(HTMLParser):
    """Reads elements; of those in the head, what they lend by name or class."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[Element] = []
        self.found: list[Element] = []
        self.lent: dict[str, dict[str, str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if any(each.name == "mj-attributes" for each in self.open):
            key = f".{own.get('name', '')}" if tag == "mj-class" else tag
            self.lent[key] = own
        given = dict(self.lent.get("mj-all", {})) if tag.startswith("mj-") else {}
        given |= self.lent.get(tag, {})
        for name in own.get("mj-class", "").split():
            given |= self.lent.get(f".{name}", {})
        element = Element(tag, self.getpos()[0], given | own, tuple(self.open), [])
        self.found.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if any(each.name == tag for each in self.open):
            while self.open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.words.append(data)


def elements(mjml: str) -> Iterator[Element]:
    """Yield the elements of marked MJML in their order."""
    reader = _Reader()
    reader.feed(mjml)
    reader.close()
    yield from reader.found
