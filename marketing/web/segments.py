"""Segments: who is in, the builder, and why someone is in or out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.fields import DataClass
from contacts.models import Contact, first_id
from contacts.segments import catalogue, counts, evaluate, membership, references
from contacts.segments.definition import Definition, DefinitionInvalid, Problem, in_words, parse
from contacts.segments.explain import explain
from contacts.segments.models import Segment
from contacts.segments.nodes import children
from contacts.segments.words import clause_in_words
from marketing.web import segment_language
from workflows import usage

SHOWN = 25
START = {"all": [{"field": "birth_date", "op": "age_gte", "value": 50}]}


@dataclass(frozen=True)
class _Row:
    """A segment as the person who looks may see it."""

    segment: Segment
    title: str
    sentence: str
    count: str
    open: bool


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def segments(request: HttpRequest) -> HttpResponse:
    user = staff_of(request)
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:200]
    context = {"rows": [_row(segment, user) for segment in rows], "may_edit": _may_edit(user)}
    return render(request, "segments/list.html", context)


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def segment(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    user, found = staff_of(request), _segment(segment_id)
    row = _row(found, user)
    classes, labels = _nature(found)
    ordinals: list[int] = []
    # Who is listed is known to be in: a fact of every class that decides it.
    within_role = row.open and frozenset(classes) <= user.data_classes
    if within_role and user.may(Permission.CONTACTS_VIEW):
        ordinals = membership.members(found)[:SHOWN].tolist()
    ids = [first_id(tenancy.current()) + ordinal for ordinal in ordinals]
    people = Contact.objects.filter(pk__in=ids, erased_at=None)
    context = {
        "row": row,
        "people": people.only("public_id", "updated_at").order_by("pk"),
        "used_by": [(other, catalogue.titled(other, clinical=_clinical(user)))
                    for other in catalogue.used_by(found.id)],
        "workflows": usage.of_segment(found.id),
        "classes": classes,
        "labels": labels,
        "within_role": within_role,
        "may_edit": _may_edit(user) and row.open,
    }  # fmt: skip
    if ordinals:
        trail.record(
            "segment.listed",
            subject=f"segment:{found.id}",
            detail={"count": len(ordinals), "classes": classes},
        )
    return render(request, "segments/page.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.SEGMENTS_EDIT)
def edit(request: HttpRequest, segment_id: UUID | None = None) -> HttpResponse:
    """The builder, for a new segment or another version of one."""
    user = staff_of(request)
    found = None if segment_id is None else _segment(segment_id)
    if found is not None and not _row(found, user).open:
        raise PermissionDenied
    if request.method == "POST":
        return _save(request, found)
    tree = START if found is None else found.definition
    name = "" if found is None else found.name
    return _builder(request, found, name, json.dumps(tree, indent=2), [])


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def preview(request: HttpRequest) -> HttpResponse:
    """The live part of the builder: the sentence, the count, and what is left after each step."""
    user, now = staff_of(request), timezone.now()
    try:
        definition = catalogue.expanded(parse(_tree(request)))
        seen = evaluate.preview(definition, now=now)
    except DefinitionInvalid as invalid:
        return render(request, "segments/_preview.html", {"problems": invalid.problems})
    classes = sorted(kind.value for kind in references.data_classes(definition))
    trail.record(
        "segment.previewed",
        detail={
            "count": seen.total,
            "fields": sorted(references.fields_read(definition)),
            "classes": classes,
            "clauses": len(seen.clause_counts),
        },
    )
    exact = counts.exact_for(classes, user.data_classes)
    context = {
        "sentence": in_words(
            definition, names=catalogue.names_in(definition, clinical=_clinical(user))
        ),
        "total": counts.said(seen.total, exact=exact),
        "population": counts.said(seen.population, exact=exact),
        "clauses": [
            (path, counts.said(count, exact=exact)) for path, count in seen.clause_counts.items()
        ],
        "funnel": _funnel(definition, seen, exact=exact, clinical=_clinical(user)),
        "as_of": seen.as_of,
        "took": round(seen.took * 1000),
        "labels": references.label_names(references.labels(definition)),
        "classes": classes,
        "exact": exact,
    }
    return render(request, "segments/_preview.html", context)


@require_POST
@requires(Permission.SEGMENTS_VIEW)
def count(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Bring the members up to date now."""
    found = _segment(segment_id)
    if catalogue.check(found) is None:
        messages.error(request, "This segment is broken: its members stay as they were.")
    else:
        membership.refresh(found, now=timezone.now())
    return redirect("segment", segment_id=found.id)


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def archive(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    found = _segment(segment_id)
    if catalogue.used_by(found.id):
        messages.error(request, "Other segments refer to this one: change those first.")
        return redirect("segment", segment_id=found.id)
    if leaning := usage.of_segment(found.id):
        names = ", ".join(one.name for one in leaning)
        messages.error(
            request, f"Live workflows ask for it: {names}. Publish them without it first."
        )
        return redirect("segment", segment_id=found.id)
    catalogue.archive(found, now=timezone.now())
    messages.success(request, "The segment was taken out of use.")
    return redirect("segments")


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def why(request: HttpRequest, segment_id: UUID, contact_id: UUID) -> HttpResponse:
    """Why this person is in, or out: the answer of every clause. Clinical answers are clinical."""
    user, found = staff_of(request), _segment(segment_id)
    contact = Contact.objects.filter(public_id=contact_id, erased_at=None).first()
    if contact is None:
        raise Http404
    classes, _ = _nature(found)
    if not user.may(Permission.CONTACTS_VIEW) or not frozenset(classes) <= user.data_classes:
        raise PermissionDenied
    definition = catalogue.definition_of(found)
    names = catalogue.names_in(definition, clinical=True)
    lines = explain(definition, contact.pk, now=timezone.now(), names=names)
    trail.record(
        "segment.explained",
        subject=f"contact:{contact.pk}",
        detail={"classes": classes, "verdict": "in" if lines[0].holds else "out"},
    )
    context = {"row": _row(found, user), "contact": contact, "lines": lines}
    return render(request, "segments/why.html", context)


def _save(request: HttpRequest, found: Segment | None) -> HttpResponse:
    name, text = request.POST.get("name", ""), request.POST.get("definition", "")
    try:
        saved = catalogue.save(
            name=name,
            tree=_tree(request),
            now=timezone.now(),
            segment_id=None if found is None else found.id,
        )
    except DefinitionInvalid as invalid:
        return _builder(request, found, name, text, invalid.problems, status=422)
    messages.success(request, "Saved. Members are worked out within a minute.")
    return redirect("segment", segment_id=saved.id)


def _builder(
    request: HttpRequest,
    found: Segment | None,
    name: str,
    text: str,
    problems: list[Problem],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "segment": found,
        "name": name,
        "definition": text,
        "subjects": segment_language.subjects(but=None if found is None else found.id),
        "problems": problems,
        "back": reverse("segments")
        if found is None
        else reverse("segment", kwargs={"segment_id": found.id}),
    }
    return render(request, "segments/edit.html", context, status=status)


def _tree(request: HttpRequest) -> Any:
    """The definition as sent; what is not JSON is a problem of the whole."""
    try:
        return json.loads(request.POST.get("definition", ""))
    except (json.JSONDecodeError, RecursionError):
        raise DefinitionInvalid([Problem("$", "is not JSON: check brackets and commas")]) from None


def _funnel(
    definition: Definition, seen: evaluate.Preview, *, exact: bool, clinical: bool
) -> list[dict[str, Any]]:
    names = catalogue.names_in(definition, clinical=clinical)
    parts = {part.path: part for part in (definition.root, *children(definition.root))}
    return [
        {
            "words": clause_in_words(parts[path], names=names),
            "left": counts.said(left, exact=exact),
            "share": (left if exact else counts.rounded(left) or 0),
            "of": max(seen.population, 1),
        }
        for path, left in seen.funnel
    ]


def _row(segment: Segment, user: User) -> _Row:
    """Restricted names and sentences stay with roles that may see clinical facts."""
    clinical = _clinical(user)
    title = catalogue.titled(segment, clinical=clinical)
    open_ = clinical or not segment.labels
    classes, _ = _nature(segment)
    exact = counts.exact_for(classes, user.data_classes)
    sentence = _sentence(segment, clinical=clinical) if open_ else "Hidden by its label."
    return _Row(segment, title, sentence, counts.said(segment.count, exact=exact), open_)


def _sentence(segment: Segment, *, clinical: bool) -> str:
    try:
        definition = parse(segment.definition)
    except DefinitionInvalid:
        return "Its definition is broken."
    return in_words(definition, names=catalogue.names_in(definition, clinical=clinical))


def _nature(segment: Segment) -> tuple[list[str], list[str]]:
    """The data classes that membership betrays (all of them if it is broken), and the labels."""
    try:
        definition = catalogue.definition_of(segment)
    except DefinitionInvalid:
        return sorted(kind.value for kind in DataClass), list(segment.labels)
    return (
        sorted(kind.value for kind in references.data_classes(definition)),
        list(segment.labels),
    )


def _segment(segment_id: UUID) -> Segment:
    found = Segment.objects.filter(pk=segment_id, archived_at=None).first()
    if found is None:
        raise Http404
    return found


def _may_edit(user: User) -> bool:
    return user.may(Permission.SEGMENTS_EDIT)


def _clinical(user: User) -> bool:
    return DataClass.CLINICAL.value in user.data_classes
