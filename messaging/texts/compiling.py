"""Turn a text message's words into a version that can be rendered, or say all that is wrong. Pure.

A text is read on locked screens, by whoever holds the phone, and by every carrier on its way:
nothing protects it. So what only the portal may show cannot stand in one at all, and what else is
said of a person goes only to whoever took the warning (PR-38), which the gate asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from messaging import markup, protect
from messaging.links import Addresses
from messaging.making import flow
from messaging.making.assembly import Assembly, CompiledLink, Made, Rules
from messaging.making.flow import Asked
from messaging.making.invented import INVENTED
from messaging.protect import Demand
from messaging.render import NotRendered, Parts
from messaging.sandbox import MOST_TAGS, Problem, Reading, check
from messaging.templates_compile import (
    Compiled,
    Shared,
    Source,
    TemplateInvalid,
    declared_problems,
    put_together,
)
from messaging.texts import length, wording
from messaging.texts.length import Length
from messaging.texts.wording import Said

LONGEST = 4_000
"""Characters of a text's source, merge tags and all."""
SURE = frozenset({"phone"})
"""A text goes to a number, so there is one."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What holds for every language: what it is sent for, and by whom."""

    purpose: str
    exempt: bool
    organisation: Mapping[str, str]
    zone: str = "UTC"


def compile(  # noqa: A001
    sources: Sequence[Source],
    declared: Collection[str],
    *,
    sending: Sending,
    registry: Mapping[str, Any],
    shared: Shared,
) -> Compiled:
    """Return the compiled text, the first source being its own language; raises TemplateInvalid."""
    if problems := declared_problems(declared, registry):
        raise TemplateInvalid(problems)
    links: dict[str, CompiledLink] = {}
    own = sources[0].language
    made: list[Made] = []
    for source in sources:
        rules = Rules(declared, registry, sending.purpose, (), shared.conditions, source.language)
        parts = {"subject": "", "mjml": "", "text": source.text}
        made.append(_TextAssembly(parts, rules, links, sending=sending).made(()))
    told = [
        Problem(p.part, p.line, p.message, p.code, "" if one.language == own else one.language)
        for one in made
        for p in one.problems
    ]
    if told:
        raise TemplateInvalid(told, flow.tidy(use for one in made for use in one.uses))
    written = {"channel": "sms", "text": sources[0].text}
    return put_together(made, links, registry, shared.conditions, written)


class _TextAssembly(Assembly):
    """Works through the words of one language."""

    def __init__(
        self,
        sources: dict[str, str],
        rules: Rules,
        links: dict[str, CompiledLink],
        *,
        sending: Sending,
    ) -> None:
        super().__init__(sources, rules, links)
        self.sending = sending

    def made(self, blocks: tuple[Any, ...]) -> Made:
        text, warnings = "", list[Problem]()
        if self._readable():
            text = self._text().strip()
            self._only_open()
        if not self.problems:
            self.problems += self.readings["text"].missing
        if not self.problems:
            said = self._said(text)
            self.problems += wording.problems(said)
            warnings = [*self._in_the_open(), *wording.warnings(said)]
        reading = self.readings.get("text")
        return Made(
            language=self.rules.language,
            subject="",
            html="",
            text=text,
            fields=frozenset(reading.fields if reading else ()),
            asked=frozenset(reading.asked if reading else ()),
            unsubscribes=False,
            uses=tuple(self.uses),
            blocks=blocks,
            problems=tuple(self.problems),
            warnings=tuple(warnings),
        )

    def _readable(self) -> bool:
        source = self.sources["text"]
        if not source.strip():
            self.complain("text", 1, "Write what the text says.")
        if len(source) > LONGEST:
            self.complain("text", 1, f"It is longer than {LONGEST} characters.")
        if source.count("{{") + source.count("{%") > MOST_TAGS:
            self.complain("text", 1, f"It has more than {MOST_TAGS} merge tags.")
        if not self.problems:
            self.problems += [one for one in self._size_problems() if one.part == "text"]
        if not self.problems:
            self._read("text")
            self.problems += [one for one in self._forged_problems() if one.part == "text"]
        return not self.problems

    def _read(self, part: str) -> None:
        rules = self.rules
        kinds = {key: str(getattr(f.type, "value", "")) for key, f in rules.fields.items()}
        known = rules.fields.keys()
        reading = Reading(part, rules.declared, known, kinds, rules.conditions, sure=SURE)
        check(self.sources[part], reading)
        self.readings[part] = reading
        self.problems += reading.problems

    def _only_open(self) -> None:
        """Refuse links of ours, which are long, and what no open channel may carry (W8)."""
        reading = self.readings["text"]
        if reading.links:
            self.complain("text", 1, "A text holds no link of ours: people stop it by a word.")
        for name in sorted(self._classes()):
            if protect.demand({name}) >= Demand.PORTAL:
                said = name.replace("_", " ")
                self.complain(
                    "text",
                    1,
                    f"A text is read by whoever sees the phone, and by its carriers: {said} "
                    "information may not stand in one. Send a mail, which waits on the portal.",
                )

    def _classes(self) -> frozenset[str]:
        reading, fields = self.readings["text"], self.rules.fields
        printed = {str(fields[key].data_class.value) for key in reading.fields if key in fields}
        asked = (self.rules.conditions[name].classes for name in reading.asked)
        return frozenset(printed).union(*asked)

    def _in_the_open(self) -> Iterator[Problem]:
        """Warn of what only those get who took the warning about messages in the open."""
        beyond = self._classes() - {"engagement", "contact_point"}
        if beyond:
            named = ", ".join(one.replace("_", " ") for one in sorted(beyond))
            yield Problem(
                "text",
                1,
                f"It says {named} facts in the open: it goes only to people who were warned that "
                "texts are not protected and want them all the same.",
                "open",
            )

    def _said(self, text: str) -> Said:
        reading = self.readings["text"]
        return Said(
            text=markup.marked(self.sources["text"])[0],
            language=self.rules.language,
            purpose=self.rules.purpose,
            exempt=self.sending.exempt,
            names_organisation="name" in reading.organisation,
            has_contact="web_origin" in reading.organisation,
            longest=self._longest(text),
        )

    def _longest(self, text: str) -> Length:
        """Measure it as the invented person would get it, whichever conditions hold for them."""
        numbers = {link.number: link.destination for link in self.links.values()}
        parts = Parts("", "", text, numbers)
        asked = sorted(self.readings["text"].asked)[:4]
        ways = [
            dict(zip(asked, held, strict=True))
            for held in product((True, False), repeat=len(asked))
        ]
        return max(
            (length.of(_shown(parts, when, self.sending, self.rules)) for when in ways),
            key=lambda one: (one.segments, one.characters),
        )


def _shown(parts: Parts, when: Mapping[str, bool], sending: Sending, rules: Rules) -> str:
    from messaging.filters import Locale

    values = {name: value for name, value in INVENTED.items() if name in rules.fields}
    every: dict[str, bool] = dict.fromkeys(rules.conditions, True) | dict(when)
    try:
        return parts.render(
            values,
            organisation=sending.organisation,
            addresses=Addresses(""),
            locale=Locale(rules.language, sending.zone),
            when=every,
        ).text
    except NotRendered:
        return ""


def measured(compiled: Compiled, *, organisation: Mapping[str, str], zone: str) -> Length:
    """Measure the compiled text as the invented person would get it, every condition holding."""
    destinations = {one.number: one.destination for one in compiled.links}
    parts = Parts("", "", compiled.text, destinations)
    nothing = frozenset[str]()
    asked: Mapping[str, Asked] = {one: Asked(one, nothing, nothing) for one in compiled.asked}
    rules = Rules((), dict.fromkeys(INVENTED), "", (), asked, "en")
    return length.of(_shown(parts, {}, Sending("", False, organisation, zone), rules))
