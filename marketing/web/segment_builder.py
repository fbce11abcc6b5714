"""The builder: the form, the count that follows the typing, and codes by their names."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import throttle
from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts import registry
from contacts.segments import (
    asking,
    catalogue,
    evaluate,
    previewed,
    references,
    told,
    vocabulary,
)
from contacts.segments.counting import Preview
from contacts.segments.counts import Shown
from contacts.segments.definition import Definition, DefinitionInvalid, Problem, in_words
from contacts.segments.models import Segment
from contacts.segments.nodes import children
from contacts.segments.words import clause_in_words
from crypto.ids import uuid7
from marketing.web import segment_inputs, segment_language, segment_sight

START = {"all": [{"field": "birth_date", "op": "age_gte", "value": 50}]}


@require_http_methods(["GET", "POST"])
@requires(Permission.SEGMENTS_EDIT)
def edit(request: HttpRequest, segment_id: UUID | None = None) -> HttpResponse:
    """The builder, for a new segment or another version of one."""
    user = staff_of(request)
    found = None if segment_id is None else segment_sight.found(segment_id)
    if found is not None and not segment_sight.of(found, user).open:
        raise PermissionDenied
    if request.method == "POST":
        return _save(request, found)
    tree = START if found is None else found.definition
    name = "" if found is None else found.name
    return _builder(request, found, name, json.dumps(tree, indent=2), [])


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def preview(request: HttpRequest) -> HttpResponse:
    """The live part of the builder: the sentence, the count, and what is left after each step.

    A question that a newer one has overtaken answers nothing (204), so that nothing is swapped.
    """
    user, now = staff_of(request), timezone.now()
    if not throttle.spend(catalogue.PREVIEWS, str(user.pk), now=now):
        return _told(request, "hurry")
    turn = asking.Turn.of(str(user.pk), request.POST.get("page", ""), _whole(request, "turn"))
    try:
        definition = catalogue.expanded(catalogue.read(tree_of(request)))
        with asking.giving_way(turn):
            seen = evaluate.preview(definition, now=now, turn=turn)
    except DefinitionInvalid as invalid:
        return render(request, "segments/_preview.html", {"problems": invalid.problems})
    except asking.Overtaken:
        return HttpResponse(status=204)
    except asking.TooSlow:
        return _told(request, "slow", sentence=_sentence(definition, user))
    _record(definition, seen)
    try:
        context = shown(definition, seen, user)
    except told.Rationed:
        return _told(request, "rationed", sentence=_sentence(definition, user))
    return render(request, "segments/_preview.html", context)


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def codes(request: HttpRequest) -> HttpResponse:
    """Codes and code groups like what was typed, or the names of these codes.

    The organisation's own codes are clinical facts: roles that may not see those find code groups.
    """
    user = staff_of(request)
    key, text = request.POST.get("field", ""), request.POST.get("q", "").strip()[:100]
    field = registry.current().get(key)
    wanted = frozenset(request.POST.getlist("code")[:200])
    options = [] if wanted else _groups_like(text, user)
    if field is not None and segment_sight.sees_clinical(user):
        known = vocabulary.coded(key)
        hits = [one for one in known if one.code in wanted] if wanted else None
        options += [_option(one) for one in hits or vocabulary.like(known, text)]
    return JsonResponse({"options": options})


def shown(definition: Definition, seen: Preview, user: User) -> dict[str, Any]:
    """What this person may see of a count. Raise Rationed where it asks too much that is new."""
    classes, granted = segment_sight.betrayed(definition), user.data_classes
    reader = told.reader(classes, granted, asker=user.pk, now=seen.as_of)
    said = previewed.tell(definition, seen, reader, granted=granted)
    return {
        "sentence": _sentence(definition, user),
        "total": str(said.total),
        "population": f"{said.population:,}",
        "clauses": [(path, str(count)) for path, count in said.clauses],
        "funnel": _funnel(definition, said.funnel, population=said.population, user=user),
        "as_of": seen.as_of,
        "took": round(seen.took * 1000),
        "labels": references.label_names(references.labels(definition)),
        "classes": classes,
        "beyond": [name.replace("_", " ") for name in classes if name not in granted],
        "exact": reader.exact,
    }


def tree_of(request: HttpRequest) -> Any:
    """The definition as sent; what is not JSON is a problem of the whole."""
    try:
        return json.loads(request.POST.get("definition", ""))
    except (json.JSONDecodeError, RecursionError):
        raise DefinitionInvalid([Problem("$", "is not JSON: check brackets and commas")]) from None


def _save(request: HttpRequest, found: Segment | None) -> HttpResponse:
    name, text = request.POST.get("name", ""), request.POST.get("definition", "")
    try:
        saved = catalogue.save(
            name=name,
            tree=tree_of(request),
            now=timezone.now(),
            segment_id=None if found is None else found.id,
            version=_version(request),
        )
    except DefinitionInvalid as invalid:
        return _builder(request, found, name, text, invalid.problems, status=422)
    except catalogue.ChangedMeanwhile:
        return _builder(request, found, name, text, [_MEANWHILE], status=409)
    messages.success(request, "Saved. Members are worked out within a minute.")
    return redirect("segment", segment_id=saved.id)


_MEANWHILE = Problem(
    "$", "was changed by somebody else meanwhile: open it anew in another tab and compare"
)


def _version(request: HttpRequest) -> int | None:
    return _whole(request, "version") if request.POST.get("version") else None


def _whole(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _builder(
    request: HttpRequest,
    found: Segment | None,
    name: str,
    text: str,
    problems: list[Problem],
    *,
    status: int = 200,
) -> HttpResponse:
    but = None if found is None else found.id
    context = {
        "segment": found,
        "version": request.POST.get("version") or (found.version if found else ""),
        "name": name,
        "definition": text,
        "page": str(uuid7()),
        "language": segment_language.whole(staff_of(request), but=but),
        "problems": problems,
        "back": reverse("segments")
        if found is None
        else reverse("segment", kwargs={"segment_id": found.id}),
    }
    return render(request, "segments/edit.html", context, status=status)


def _told(request: HttpRequest, state: str, **more: Any) -> HttpResponse:
    context = {
        "state": state,
        "limit": int(asking.LIMIT),
        "ration": told.RATION.burst,
        **more,
    }
    return render(request, "segments/_preview.html", context)


def _sentence(definition: Definition, user: User) -> str:
    clinical = segment_sight.sees_clinical(user)
    names = catalogue.names_in(definition, clinical=clinical)
    return in_words(catalogue.worded(definition, clinical=clinical), names=names)


def _record(definition: Definition, seen: Preview) -> None:
    trail.record(
        "segment.previewed",
        detail={
            "count": seen.total,
            "fields": sorted(references.fields_read(definition)),
            "classes": segment_sight.betrayed(definition),
            "clauses": len(seen.clause_counts),
        },
    )


def _funnel(
    definition: Definition, steps: list[tuple[str, Shown]], *, population: int, user: User
) -> list[dict[str, Any]]:
    clinical = segment_sight.sees_clinical(user)
    names = catalogue.names_in(definition, clinical=clinical)
    fields = catalogue.worded(definition, clinical=clinical).fields
    parts = {part.path: part for part in children(definition.root)}
    parts[definition.root.path] = definition.root
    found: list[dict[str, Any]] = []
    before: Shown | None = None
    for path, left in steps:
        found.append(
            {
                "words": clause_in_words(parts[path], fields=fields, names=names),
                "left": str(left),
                "lost": previewed.lost(before, left, population=population),
                "share": left.number or 0,
                "of": max(population, 1),
            }
        )
        before = left
    return found


def _option(one: vocabulary.Coded) -> dict[str, str]:
    systems = dict(segment_inputs.SYSTEMS)
    return {
        "kind": "code",
        "value": one.code,
        "label": one.text or one.code,
        "note": systems.get(one.system, one.system),
        "system": one.system,
    }


def _groups_like(text: str, user: User) -> list[dict[str, str]]:
    words = text.lower().split()
    return [
        {"kind": "group", "value": id_, "label": name, "note": "code group"}
        for id_, name in segment_language.code_groups(user)
        if all(word in name.lower() for word in words)
    ]
