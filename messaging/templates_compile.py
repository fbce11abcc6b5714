"""Turn what an author wrote into a version that can be rendered, or say all that is wrong with it.

Where a contact's field may stand is decided here, once: in the text of the mail and nowhere else.
Everything about a patient is protected information, a first name too, and a subject, a preheader,
an address of a link or a picture's alternative text is shown on a locked screen, kept in a proxy's
log or fetched by a scanner (EM-07).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contacts.fields import FIELDS
from messaging.making import flow
from messaging.making.assembly import COMMERCIAL, LINK, Assembly, CompiledLink, Made, Rules
from messaging.making.flow import Asked, Use
from messaging.making.including import Block, included
from messaging.sandbox import Problem

__all__ = [
    "COMMERCIAL",
    "LINK",
    "Compiled",
    "CompiledLink",
    "Problem",
    "Shared",
    "Source",
    "TemplateInvalid",
    "compile",
    "fingerprint",
]
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{4})?(-[A-Z]{2}|-[0-9]{3})?")


class TemplateInvalid(Exception):
    """The template cannot be used; `problems` names each place and what to do.

    `uses` says which field reaches which part, as far as the template could be read.
    """

    def __init__(self, problems: Collection[Problem], uses: Collection[Use] = ()) -> None:
        self.problems = tuple(
            sorted(problems, key=lambda each: (each.language, _ORDER[each.part], each.line))
        )
        self.uses = tuple(uses)
        super().__init__(f"{len(self.problems)} problems in a template")


_ORDER = {"subject": 0, "mjml": 1, "text": 2, "fields": 3, "conditions": 4}


@dataclass(frozen=True, slots=True)
class Source:
    """What an author wrote of one language."""

    language: str
    subject: str
    mjml: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """What stands beside the source: the template's conditions, and the blocks there are."""

    conditions: Mapping[str, Asked] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """The parts ready to render (still with merge tags), and everything that the parts read."""

    subject: str
    html: str
    text: str
    fields_read: frozenset[str]
    data_classes: frozenset[str]
    """What the mail says of a person: what it prints, and what its conditions ask."""
    links: tuple[CompiledLink, ...]
    unsubscribes: bool
    warnings: tuple[Problem, ...]
    sha256: str
    opened: frozenset[str] = frozenset()
    """The classes of what is printed: these alone are decrypted when it is sent (PR-20)."""
    asked: frozenset[str] = frozenset()
    """The names of the conditions that it asks."""
    uses: tuple[Use, ...] = ()
    blocks: tuple[Block, ...] = ()
    translations: tuple[Made, ...] = ()


def compile(  # noqa: A001
    subject: str,
    mjml: str,
    text: str,
    declared: Collection[str],
    *,
    purpose: str = "marketing",
    own_hosts: Collection[str] = (),
    registry: Mapping[str, Any] | None = None,
    language: str = "en",
    shared: Shared | None = None,
    translations: Sequence[Source] = (),
) -> Compiled:
    """Return the compiled template; raises `TemplateInvalid` with every problem found.

    A text part that is empty is made from the body. Every language is compiled with the same
    rules, and all or none.
    """
    fields, beside = FIELDS if registry is None else registry, shared or Shared()
    problems = declared_problems(declared, fields)
    if problems:
        raise TemplateInvalid(problems)
    links: dict[str, CompiledLink] = {}
    made: list[Made] = []
    for source in (Source(language, subject, mjml, text), *translations):
        whole = included(source.mjml.strip(), beside.blocks)
        reads = {*declared, *(key for block in whole.blocks for key in block.declared)}
        rules = Rules(reads, fields, purpose, own_hosts, beside.conditions, source.language)
        assembly = Assembly({"subject": source.subject, "mjml": whole.mjml, "text": source.text},
                            rules, links)  # fmt: skip
        assembly.problems += whole.problems
        made.append(assembly.made(whole.blocks))
    problems = [_in_language(each, one.language, language) for one in made for each in one.problems]
    if problems:
        raise TemplateInvalid(problems, flow.tidy(use for one in made for use in one.uses))
    written = {"subject": subject, "mjml": mjml.strip(), "text": text}
    return put_together(made, links, fields, beside.conditions, written)


def _in_language(problem: Problem, language: str, own: str) -> Problem:
    if language == own:
        return problem
    return Problem(problem.part, problem.line, problem.message, problem.code, language)


def declared_problems(declared: Collection[str], fields: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem("fields", number, f"There is no contact field {key!r}.")
        for number, key in enumerate(declared, start=1)
        if key not in fields
    ]


def put_together(
    made: Sequence[Made],
    links: Mapping[str, CompiledLink],
    fields: Mapping[str, Any],
    conditions: Mapping[str, Asked],
    written: Mapping[str, str],
) -> Compiled:
    own, *others = made
    read = frozenset[str]().union(*(one.fields for one in made))
    opened = frozenset(_name(fields[key].data_class) for key in read)
    asked = frozenset[str]().union(*(one.asked for one in made))
    used = {block.slug: block for one in made for block in one.blocks}
    more = _more(own, others, {name: conditions[name].mark for name in asked})
    return Compiled(
        subject=own.subject,
        html=own.html,
        text=own.text,
        fields_read=read,
        data_classes=opened.union(*(conditions[name].classes for name in asked)),
        links=tuple(links.values()),
        unsubscribes=own.unsubscribes,
        warnings=tuple(_in_language(w, one.language, own.language) for one in made
                       for w in one.warnings),
        sha256=fingerprint(written, html=own.html, text=own.text, more=more),
        opened=opened,
        asked=asked,
        uses=flow.tidy(use for one in made for use in one.uses),
        blocks=tuple(used[slug] for slug in sorted(used)),
        translations=tuple(others),
    )  # fmt: skip


def _more(own: Made, others: Sequence[Made], asked: Mapping[str, str]) -> list[Any]:
    """Return what the fingerprint covers beside the parts: other languages, and the conditions by
    name and mark. Nothing for a template as of old."""
    more: list[Any] = [[one.language, one.subject, one.html, one.text] for one in others]
    return more + ([sorted(asked.items())] if asked else []) + ([own.language] if others else [])


def _name(data_class: object) -> str:
    return str(getattr(data_class, "value", data_class))


def fingerprint(
    sources: Mapping[str, str], *, html: str, text: str, more: Sequence[Any] = ()
) -> str:
    """Return the SHA-256 that names a version: of what was written and of what became of it."""
    said: list[Any] = [dict(sources), html, text, *([list(more)] if more else [])]
    whole = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()
