"""A version, or a draft as it stands in the editor, as one person would get it.

Looking is a reveal of what it prints, and in the trail. A condition is asked of the person only
where the reader may know its answer: otherwise whoever writes a draft could ask anything of anybody
by writing a condition. Such conditions are shown as though they held, and named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import tenancy
from audit import trail
from contacts import reveal
from contacts.fields import DataClass
from contacts.models import Contact, first_id
from contacts.segments import membership, references
from contacts.segments.models import Segment
from messaging import sender, versions
from messaging.filters import Locale
from messaging.links import Addresses
from messaging.making import conditions
from messaging.models import Template, TemplateVersion
from messaging.render import Parts, Rendered, values_for
from messaging.templates_compile import Compiled

SightRefused = reveal.RevealRefused
"""What is printed is beyond what the reader may see; `classes` says by what."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is looked at: the parts in each language, and what they read. `number` 0 is a draft."""

    template: Template
    number: int
    language: str
    parts: Mapping[str, Parts]
    fields_read: frozenset[str]
    opened: frozenset[str]
    conditions: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the person would get, in which language; `supposed` are conditions not asked of them."""

    said: Rendered
    language: str
    supposed: tuple[str, ...] = ()


def of_version(version: TemplateVersion) -> Piece:
    """Return a version to look at; its links and translations are fetched once."""
    languages = [version.language, *(one.language for one in version.translations.all())]
    printed = version.data_classes if version.opened is None else version.opened
    return Piece(
        version.template,
        version.number,
        version.language,
        {one: versions.parts_of(version, one) for one in languages},
        frozenset(version.fields_read),
        frozenset(printed),
        version.conditions,
    )


def of_draft(template: Template, compiled: Compiled) -> Piece:
    """Return a draft, saved or not, to look at."""
    destinations = {one.number: one.destination for one in compiled.links}
    own = {template.language: Parts(compiled.subject, compiled.html, compiled.text, destinations)}
    others = {
        one.language: Parts(one.subject, one.html, one.text, destinations)
        for one in compiled.translations
    }
    asked = {name: template.conditions[name] for name in sorted(compiled.asked)}
    return Piece(
        template, 0, template.language, own | others, compiled.fields_read, compiled.opened, asked
    )


def by_nobody(piece: Piece, *, language: str = "") -> Seen:
    """Return it with nobody's values and no condition held; raises `NotRendered`."""
    return by_invented(piece, {}, when=(), language=language)


def by_invented(
    piece: Piece, values: Mapping[str, Any], *, when: Collection[str], language: str = ""
) -> Seen:
    """Return it with invented values, and these conditions held; raises `NotRendered`."""
    known = values_for(values, piece.fields_read)
    return _rendered(piece, known, language, dict.fromkeys(when, True), ())


def by(
    piece: Piece, contact: Contact, *, classes: Collection[str], now: datetime, language: str = ""
) -> Seen:
    """Return what the contact would get, in their language unless one is asked for.

    `classes` are those that the reader may see. Raises `NotRendered`, `SightRefused`, or
    `DefinitionInvalid` where a condition is broken.
    """
    choosing = len(piece.parts) > 1 and not language
    wanted = {DataClass(name) for name in piece.opened}
    wanted |= {DataClass.DEMOGRAPHIC} if choosing else set()
    if beyond := wanted - {DataClass(name) for name in classes}:
        _note(piece, contact, beyond, outcome="refused")
        raise SightRefused(beyond)
    with transaction.atomic():
        held, asked, supposed = _held(piece, contact, frozenset(classes), now)
        shown = reveal.reveal([contact.id], wanted, purpose="preview") if wanted else {}
        _note(piece, contact, piece.opened | asked)
    record = shown.get(contact.id, {})
    preferred = language or str(record.get("language") or "")
    return _rendered(piece, values_for(record, piece.fields_read), preferred, held, supposed)


def _held(
    piece: Piece, contact: Contact, classes: frozenset[str], now: datetime
) -> tuple[dict[str, bool], frozenset[str], tuple[str, ...]]:
    """Return which conditions hold, the classes that answering took, and the labels of those that
    the reader may not know."""
    reads = {
        name: frozenset(one.value for one in references.data_classes(_usable(said)))
        for name, said in piece.conditions.items()
    }
    known = {name: piece.conditions[name] for name in reads if reads[name] <= classes}
    found = conditions.among(known, [contact.id], now=now)
    held = {name: contact.id in people for name, people in found.items()}
    beyond = [name for name in piece.conditions if name not in known]
    labels = tuple(str(piece.conditions[name].get("label", name)) for name in beyond)
    answered = frozenset[str]().union(*(reads[name] for name in known))
    return held | dict.fromkeys(beyond, True), answered, labels


def _usable(said: Mapping[str, Any]) -> Any:
    return conditions.usable(said["definition"])


def _note(
    piece: Piece, contact: Contact, classes: Collection[str], *, outcome: str = "done"
) -> None:
    trail.record(
        "template.previewed",
        subject=f"contact:{contact.id}",
        outcome=outcome,
        detail={
            "template": str(piece.template.pk),
            "version": piece.number,
            "classes": sorted(classes),
        },
    )


def _rendered(
    piece: Piece,
    values: Mapping[str, Any],
    preferred: str,
    when: Mapping[str, bool],
    supposed: tuple[str, ...],
) -> Seen:
    ours = sender.current()
    others = [one for one in piece.parts if one != piece.language]
    spoken = versions.speaks(preferred, piece.language, others)
    said = piece.parts[spoken].render(
        values,
        organisation=ours.merged(),
        addresses=Addresses(f"{ours.origin}/m/u/preview"),
        locale=Locale(spoken, ours.timezone),
        when=when,
    )
    return Seen(said, spoken, supposed)


def drawn(segment: Segment, *, below: Callable[[int], int]) -> Contact | None:
    """Return somebody of the segment by the lot `below`; None where nobody is in it."""
    inside = membership.members(segment)
    if not len(inside):
        return None
    number = first_id(tenancy.current()) + int(inside[below(len(inside))])
    return Contact.objects.filter(pk=number, erased_at=None).first()
