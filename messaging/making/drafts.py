"""A draft as the compiler takes it: its languages, its conditions, the blocks that there are."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from accounts import tenancy
from accounts.models import Organisation
from consent.purposes import Purpose, Remuneration
from consent.rules import shelf
from contacts import registry
from messaging import markup, templates_compile
from messaging.making import blocks, conditions, plain_text
from messaging.making.including import included
from messaging.models import Template
from messaging.sandbox import Problem, Reading, check
from messaging.templates_compile import Compiled, Shared, Source, TemplateInvalid

NO_DRUG = "A refill reminder is about a drug: choose its code group under “What it is for”."


def compiled(template: Template, *, with_translations: bool = True) -> Compiled:
    """Return the compiled draft; raises `TemplateInvalid` with every problem."""
    asked, problems = conditions.read(template.conditions)
    if template.purpose == Purpose.REFILL and template.drug is None:
        problems = [*problems, Problem("fields", 1, NO_DRUG)]
    try:
        made = templates_compile.compile(
            template.subject,
            template.mjml,
            template.text,
            template.declared,
            purpose=becomes(template),
            own_hosts=own_hosts(),
            registry=registry.current(),
            language=template.language,
            shared=Shared(asked, blocks.published()),
            translations=translations(template) if with_translations else (),
        )
    except TemplateInvalid as invalid:
        raise TemplateInvalid([*invalid.problems, *problems], invalid.uses) from None
    if problems:
        raise TemplateInvalid(problems, made.uses)
    return made


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


def own_hosts() -> frozenset[str]:
    """Return the hosts that a mail may load pictures from: the organisation's own."""
    origin = Organisation.objects.get(id=tenancy.current()).web_origin
    host = urlsplit(origin or settings.ATTUNE_PUBLIC_ORIGIN).hostname
    return frozenset([host] if host else [])


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
