"""A template's other languages: begun, followed, and marked where the main words went on alone.

Each translation keeps the main words that it was last held against. Where the main draft says
something else now, the translation lags; somebody who knows both languages says when it no longer
does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from datetime import datetime

from audit import trail
from messaging.models import Template, Translation
from messaging.sandbox import Problem

CODE = "languages"
PARTS = ("subject", "mjml", "text")


def words(template: Template | Translation) -> dict[str, str]:
    """Return what was written, by part."""
    return {part: getattr(template, part) for part in PARTS}


def begin(template: Template, language: str, *, now: datetime) -> Translation:
    """Begin another language with the main words, for the translator to write over."""
    mjml = template.mjml.replace(f'lang="{template.language}"', f'lang="{language}"', 1)
    return Translation.objects.create(
        template=template,
        language=language,
        subject=template.subject,
        mjml=mjml,
        text=template.text if template.is_text else "",
        main=words(template),
        changed_at=now,
    )


def lags(template: Template, row: Translation) -> bool:
    """Say whether the main words changed since the translation was last held against them.

    Of a translation that was written before this was kept, the times of change decide.
    """
    if row.main is None:
        return row.changed_at < template.changed_at
    return _bare(row.main) != _bare(words(template))


def _bare(parts: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what was written without its blanks: each form of ours ends its lines another way."""
    return {part: said.split() for part, said in parts.items()}


def hold(template: Template, row: Translation) -> None:
    """Say that the translation says what the main words say now; whoever calls saves it."""
    row.main = words(template)


def keep(row: Translation, *, now: datetime) -> None:
    """Save a translation's draft."""
    row.changed_at = now
    row.save(update_fields=[*PARTS, "main", "changed_at"])
    trail.record(
        "template.changed",
        subject=f"template:{row.template_id}",
        detail={"language": row.language},
    )


def alone(template: Template, row: Translation) -> Template:
    """Return one language as a template of its own, not saved: what stands in it is compiled and
    looked at by the rules of the whole."""
    made = copy(template)
    for part in PARTS:
        setattr(made, part, getattr(row, part))
    made.language = row.language
    return made


def lagging(template: Template) -> Iterator[Problem]:
    """Yield a warning for each language that lags behind."""
    part = "text" if template.is_text else "mjml"
    for row in template.translations.order_by("language"):
        if lags(template, row):
            yield Problem(part, 1, _LAGS.format(template.language), CODE, row.language)


_LAGS = "The words in {} changed since this language was held against them."
