"""Render one version for one person: values in, subject, HTML and text out. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, Template, TemplateError, UndefinedError

from messaging import links
from messaging.environment import HTML, PLAIN
from messaging.filters import LOCALE, Locale
from messaging.sandbox import LONGEST_LIST

LONGEST_RENDERED = 2_000_000
"""Characters of a part. No mail program shows so many; a loop over long values could make them."""
NOTHING: Mapping[str, bool] = MappingProxyType({})


class NotRendered(Exception):
    """The version cannot be rendered for this person; the code says why, never a value."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str
    text: str


Part = Template | str
"""A compiled part; as it is, where nothing is merged into it."""


def _part(environment: Environment, source: str) -> Part:
    """Make a template of it once. Jinja writes other ends of lines as plain ones."""
    return environment.from_string(source) if "{" in source or "\r" in source else source


def _said(part: Part, context: Mapping[str, Any]) -> str:
    return part if isinstance(part, str) else part.render(context)


@dataclass(frozen=True)
class Parts:
    """A version's compiled parts, made into templates once and used for every message of it."""

    subject: str
    html: str
    text: str
    destinations: Mapping[int, str]

    @cached_property
    def _subject(self) -> Part:
        return _part(PLAIN, self.subject)

    @cached_property
    def _followed(self) -> tuple[Part, Part]:
        html = links.with_pixel(links.followed(self.html))
        return _part(HTML, html), _part(PLAIN, links.followed(self.text))

    @cached_property
    def _direct(self) -> tuple[Part, Part]:
        html = links.direct(self.html, self.destinations, escape=True)
        text = links.direct(self.text, self.destinations, escape=False)
        return _part(HTML, html), _part(PLAIN, text)

    def render(
        self,
        values: Mapping[str, Any],
        *,
        organisation: Mapping[str, str],
        addresses: links.Addresses,
        locale: Locale | None = None,
        when: Mapping[str, bool] = NOTHING,
    ) -> Rendered:
        """Return the three parts; raises `NotRendered` where a printed field has no value."""
        context = {
            "contact": values,
            "organisation": organisation,
            "links": {
                "unsubscribe": addresses.unsubscribe,
                "choices": f"{addresses.unsubscribe}/choices",
                "pickup": addresses.pickup,
            },
            links.PIXEL: addresses.pixel,
            LOCALE: locale,
            "when": when,
        }
        html, text = self._followed if addresses.tracked else self._direct
        try:
            subject = _one_line(_said(self._subject, context))
            said, plain = _said(html, context), _said(text, context)
        except UndefinedError:
            raise NotRendered("merge_value_missing") from None
        except (TemplateError, ValueError, TypeError):
            raise NotRendered("merge_value_unusable") from None
        if max(len(said), len(plain)) > LONGEST_RENDERED:
            raise NotRendered("merged_too_long")
        if not addresses.tracked:
            return Rendered(subject, said, plain)
        return Rendered(subject, _led(said, addresses.base), _led(plain, addresses.base))


def _led(part: str, base: str) -> str:
    """Put the token's address into every link; `replace` takes twice as long."""
    return base.join(part.split(links.TO))


def _one_line(subject: str) -> str:
    return " ".join(subject.split())


def values_for(record: Mapping[str, Any], fields: Collection[str]) -> dict[str, Any]:
    """Return only what the template declared, without blanks and with lists of bounded length."""
    chosen = {}
    for key in fields:
        value = record.get(key)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            value = list(value)[:LONGEST_LIST]
        if value not in (None, "", []):
            chosen[key] = value
    return chosen
