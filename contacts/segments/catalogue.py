"""Segments by id: saved, looked up by others, and checked when what they name changes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from accounts import tenancy, throttle
from audit import actor, trail
from contacts import code_groups, registry
from contacts.declared.models import CodeGroup
from contacts.declared.naming import labelled, says_too_much
from contacts.models import ContactList
from contacts.segments import approvals, language, references
from contacts.segments.definition import Definition, DefinitionInvalid, Problem, parse
from contacts.segments.live import attend
from contacts.segments.models import Segment
from contacts.segments.nodes import Registered, walk
from crypto import blind_index

PREVIEWS: Final = throttle.Rate("previews", burst=60, every=timedelta(seconds=0.5))
"""How often one person or key may count: a hand's typing, not a search by machine (SE-32)."""


class ChangedMeanwhile(Exception):
    """The segment is not any more at the version that was edited."""


def save(
    *,
    name: str,
    tree: object,
    now: datetime,
    segment_id: UUID | None = None,
    version: int | None = None,
) -> Segment:
    """Write a new segment, or a new version of one. Raise DefinitionInvalid with every problem.

    With `version`, the one that was edited, nothing that another saved since is overwritten.
    """
    definition = expanded(read(tree), itself=segment_id)
    if not name.strip():
        raise DefinitionInvalid([Problem("name", "is missing: give the segment a name")])
    with transaction.atomic():
        if segment_id is None:
            segment = Segment(organisation_id=tenancy.current(), created_at=now, version=0)
        else:
            segment = Segment.objects.select_for_update().get(pk=segment_id)
            if version is not None and segment.version != version:
                raise ChangedMeanwhile
        segment.name, segment.definition = name.strip()[:120], tree
        segment.labels = references.label_names(references.labels(definition))
        segment.version += 1
        segment.status, segment.problem = Segment.Status.VALID, ""
        segment.updated_at, segment.refreshed_at = now, None
        segment.count = segment.counted_at = None
        segment.changed_by = actor.current().id
        segment.save()
        attend.want([segment.id], now=now)
        recheck(now=now)
        segment.refresh_from_db(fields=["labels", "awaits_approval"])
        _record("segment.created" if segment_id is None else "segment.changed", segment, definition)
    return segment


def archive(segment: Segment, *, now: datetime) -> None:
    """Take a segment out of use. What refers to it is invalid from then on."""
    with transaction.atomic():
        segment.archived_at = now
        segment.save(update_fields=["archived_at"])
        recheck(now=now)
        trail.record("segment.deleted", subject=f"segment:{segment.id}")


def definition_of(segment: Segment) -> Definition:
    """Return what the segment means now, or raise DefinitionInvalid."""
    return expanded(read(segment.definition), itself=segment.id)


def read(tree: object) -> Definition:
    """Parse with the acting organisation's fields, its own among them."""
    return parse(tree, fields=registry.current())


def expanded(definition: Definition, *, itself: UUID | None = None) -> Definition:
    """Put other segments' definitions and groups' codes in; refuse what is not there any more."""
    return _expanded(definition, _lookup(), _codes_of(), _lists_there, itself=itself)


def _expanded(
    definition: Definition,
    lookup: references.Lookup,
    codes_of: references.CodesOf,
    lists_there: Callable[[Collection[UUID]], set[UUID]],
    *,
    itself: UUID | None,
) -> Definition:
    whole = references.expand(definition, lookup, itself=itself, codes_of=codes_of)
    lists = references.lists_named(whole)
    gone = lists - lists_there(lists) if lists else set()
    if gone:
        raise DefinitionInvalid(
            [
                Problem(clause.path, "refers to a list that is gone")
                for clause in walk(whole.root)
                if getattr(clause, "list_id", None) in gone
            ]
        )
    _refuse_gone(whole)
    return whole


def _refuse_gone(whole: Definition) -> None:
    """Questions of higher floors may name things too, and say when those are gone."""
    problems = [
        Problem(clause.path, said)
        for clause in walk(whole.root)
        if isinstance(clause, Registered) and (said := _gone(clause.question))
    ]
    if problems:
        raise DefinitionInvalid(problems)


def _gone(question: Any) -> str:
    ask = getattr(question, "gone", None)
    return str(ask()) if ask else ""


def _lists_there(asked: Collection[UUID]) -> set[UUID]:
    return set(ContactList.objects.filter(pk__in=asked).values_list("pk", flat=True))


def recheck(*, now: datetime) -> None:
    """Look at every segment again, because something that definitions name has changed.

    In the transaction of that change: what it breaks is unsendable from then on, what it repairs
    catches up, and labels follow the data from segment to segment.
    """
    fields, lookup, codes_of = registry.current(), _lookup(), _codes_of()
    lists = set(ContactList.objects.values_list("pk", flat=True))
    meanings: dict[UUID, attend.Meaning] = {}
    broken, repaired = [], []
    for segment in Segment.objects.filter(archived_at=None).order_by("pk"):
        before = segment.status
        try:
            parsed = parse(segment.definition, fields=fields)
            whole = _expanded(parsed, lookup, codes_of, lambda _: lists, itself=segment.id)
        except DefinitionInvalid as invalid:
            _mark(segment, Segment.Status.INVALID, str(invalid)[:500])
            broken += [segment] if before == Segment.Status.VALID else []
            continue
        _mark(segment, Segment.Status.VALID, "")
        repaired += [segment] if before == Segment.Status.INVALID else []
        _relabel(segment, whole)
        meanings[segment.id] = _meaning(whole)
    attend.note(meanings, now=now)
    attend.freeze([one.id for one in broken], now=now)
    attend.thaw([one.id for one in repaired], now=now)
    for action, segments in (("segment.broken", broken), ("segment.repaired", repaired)):
        for one in segments:
            trail.record(action, subject=f"segment:{one.id}", detail={"version": one.version})


def _relabel(segment: Segment, whole: Definition) -> None:
    labels = references.label_names(references.labels(whole))
    if segment.labels != labels:
        segment.labels = labels
        segment.save(update_fields=["labels"])
    if labels or segment.awaits_approval:
        approvals.settle(segment)


def _meaning(whole: Definition) -> attend.Meaning:
    rests = references.dependencies(whole)
    asked = {
        "consent": rests.consent,
        "household": rests.households,
        "journey": bool(rests.journeys),
    }
    (token,) = blind_index.tokens(
        tenancy.current(), "segment_meaning", [repr(attend.plain(whole.root))]
    )
    return attend.Meaning(token, tuple(sorted(name for name, is_so in asked.items() if is_so)))


def check(segment: Segment) -> Definition | None:
    """Return the definition, or mark the segment invalid and keep its members as they were."""
    try:
        definition = definition_of(segment)
    except DefinitionInvalid as invalid:
        _mark(segment, Segment.Status.INVALID, str(invalid)[:500])
        return None
    _mark(segment, Segment.Status.VALID, "")
    return definition


def used_by(segment_id: UUID) -> list[Segment]:
    """The segments that refer to this one."""
    others = Segment.objects.filter(archived_at=None).exclude(pk=segment_id)
    return [other for other in others if str(segment_id) in str(other.definition)]


def _mark(segment: Segment, status: Segment.Status, problem: str) -> None:
    if (segment.status, segment.problem) != (status, problem):
        segment.status, segment.problem = status, problem
        segment.save(update_fields=["status", "problem"])


def _lookup() -> Callable[[UUID], Definition | None]:
    """Find segments' definitions, each read once."""
    found: dict[UUID, Definition | None] = {}

    def lookup(segment_id: UUID) -> Definition | None:
        if segment_id not in found:
            segment = Segment.objects.filter(pk=segment_id, archived_at=None).first()
            found[segment_id] = None if segment is None else _parsed(segment.definition)
        return found[segment_id]

    return lookup


def _codes_of() -> references.CodesOf:
    """Find groups' codes, each read once; an archived group is gone."""

    @cache
    def found(group_id: UUID) -> frozenset[references.Coding] | None:
        try:
            return code_groups.codes_of(group_id)
        except code_groups.GroupGone:
            return None

    return found


def _parsed(tree: Any) -> Definition | None:
    try:
        return read(tree)
    except DefinitionInvalid:
        return None


def _record(action: str, segment: Segment, definition: Definition) -> None:
    trail.record(
        action,
        subject=f"segment:{segment.id}",
        detail={
            "version": segment.version,
            "fields": sorted(references.fields_read(definition)),
            "classes": sorted(kind.value for kind in references.data_classes(definition)),
        },
    )


def titled(segment: Segment, *, clinical: bool) -> str:
    """The segment's name, or that it is restricted: a label hides it from other roles (PR-30)."""
    if segment.labels and not clinical:
        return f"Restricted segment {str(segment.id)[-6:]}"
    return str(segment.name)


def worded(definition: Definition, *, clinical: bool) -> Definition:
    """The definition to be put in words: labelled fields keep their names from other roles."""
    if clinical:
        return definition
    hidden = {
        key: replace(field, label="A restricted field")
        for key, field in definition.fields.items()
        if says_too_much(field)
    }
    return replace(definition, fields={**definition.fields, **hidden})


def names_in(definition: Definition, *, clinical: bool) -> dict[UUID, str]:
    """The names of the lists, segments and messages that a definition mentions."""
    lists = ContactList.objects.filter(pk__in=references.lists_named(definition))
    segments = Segment.objects.filter(pk__in=references.segments_named(definition))
    groups = code_groups.titles(references.code_groups_named(definition))
    if not clinical:
        rows = CodeGroup.objects.filter(pk__in=groups)
        groups |= {one: f"Restricted code group {str(one)[-6:]}" for one in labelled(rows)}
    campaigns = language.names_of(references.campaigns_named(definition))
    named = {one: f"“{name}”" for one, name in campaigns.items()}
    named |= {row.id: f"“{row.name}”" for row in lists}
    named |= {group_id: f"in “{title}”" for group_id, title in groups.items()}
    return named | {row.id: f"“{titled(row, clinical=clinical)}”" for row in segments}
