"""A draft as the compiler takes it: its languages, its conditions, the blocks that there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from accounts import tenancy
from accounts.models import Organisation
from consent.purposes import Purpose, Remuneration
from consent.rules import shelf
from contacts import registry
from contacts.fields import DataClass
from messaging import markup, templates_compile
from messaging.making import blocks, conditions, languages, plain_text
from messaging.making.checks import diagnoses
from messaging.making.flow import Asked
from messaging.making.hosts import own_hosts
from messaging.making.including import included
from messaging.models import Template
from messaging.pools import lanes
from messaging.sandbox import Problem, Reading, check
from messaging.templates_compile import Compiled, Shared, Source, TemplateInvalid
from messaging.texts import compiling
from messaging.texts.compiling import Sending

NO_ADDRESS = (
    "The organisation has no postal address, and a commercial mail must show one: an administrator"
    " writes it under Settings → Organisation."
)
NO_DRUG = "A refill reminder is about a drug: choose its code group under “What it is for”."


def compiled(template: Template, *, with_translations: bool = True) -> Compiled:
    """Return the compiled draft; raises `TemplateInvalid` with every problem."""
    asked, problems = conditions.read(template.conditions)
    if template.purpose == Purpose.REFILL and template.drug is None:
        problems = [*problems, Problem("fields", 1, NO_DRUG)]
    others = translations(template) if with_translations else ()
    make = _text if template.channel == lanes.SMS else _mail
    try:
        made = make(template, asked, others)
    except TemplateInvalid as invalid:
        raise TemplateInvalid([*invalid.problems, *problems], invalid.uses) from None
    if problems := [*problems, *_betraying(template, made), *_unaddressed(template)]:
        raise TemplateInvalid(problems, made.uses)
    behind = tuple(languages.lagging(template)) if with_translations else ()
    return replace(made, warnings=(*made.warnings, *behind))


def _betraying(template: Template, made: Compiled) -> list[Problem]:
    """Return where an illness is named for all to see, if who gets the mail has it (EM-07)."""
    if DataClass.CLINICAL.value not in template.audience:
        return []
    return [one for one in made.warnings if one.code == diagnoses.CODE]


def _unaddressed(template: Template) -> list[Problem]:
    """Return what a commercial mail of an organisation without an address lacks (CS-05)."""
    if template.channel == lanes.SMS or becomes(template) not in templates_compile.COMMERCIAL:
        return []
    ours = Organisation.objects.get(id=tenancy.current())
    return [] if ours.postal_address.strip() else [Problem("mjml", 1, NO_ADDRESS)]


def _mail(template: Template, asked: Mapping[str, Asked], others: Sequence[Source]) -> Compiled:
    return templates_compile.compile(
        template.subject,
        template.mjml,
        template.text,
        template.declared,
        purpose=becomes(template),
        own_hosts=own_hosts(),
        registry=registry.current(),
        language=template.language,
        shared=Shared(asked, blocks.published()),
        translations=others,
    )


def _text(template: Template, asked: Mapping[str, Asked], others: Sequence[Source]) -> Compiled:
    purpose = becomes(template)
    own = Source(template.language, "", "", template.text)
    return compiling.compile(
        (own, *others),
        template.declared,
        sending=Sending(purpose, purpose in exempt(template), **_ours()),
        registry=registry.current(),
        shared=Shared(asked),
    )


def _ours() -> dict[str, Any]:
    """Return what templates may say of the organisation, and its zone."""
    ours = Organisation.objects.get(id=tenancy.current())
    origin = (ours.web_origin or settings.ATTUNE_PUBLIC_ORIGIN).rstrip("/")
    said = {"name": ours.name, "postal_address": ours.postal_address, "web_origin": origin}
    return {"organisation": said, "zone": ours.timezone}


def exempt(template: Template) -> frozenset[str]:
    """Return the purposes of health care texts that need no prior consent (TC-05): those that the
    rules hold to so few a week."""
    caps = shelf.at(template.changed_at).caps
    return frozenset[str]().union(*(one.purposes for one in caps if lanes.SMS in one.channels))


def translations(template: Template) -> tuple[Source, ...]:
    """Return the draft's other languages, in the order of their codes."""
    rows = template.translations.order_by("language")
    return tuple(Source(row.language, row.subject, row.mjml, row.text) for row in rows)


def becomes(template: Template) -> str:
    """Return what the rules take the template for once it is known who pays for it (PR-02)."""
    rules = shelf.at(template.changed_at)
    rule, paid = rules.purposes.get(template.purpose), Remuneration.read(template.remuneration)
    if rule is None or paid is None or not paid.makes_marketing(rule):
        return template.purpose
    return rule.when_paid


def text_of(template: Template) -> str:
    """Return the text part as it is made from the body; empty where the body cannot be read."""
    asked, _ = conditions.read(template.conditions)
    whole = included(template.mjml.strip(), blocks.published()).mjml
    reading = Reading("mjml", registry.current().keys(), registry.current().keys(), {}, asked)
    check(whole, reading)
    if reading.problems:
        return ""
    source, tags = markup.marked(whole)
    return markup.restored(plain_text.made(source), tags)
