"""Segments: who is in, the builder, and why someone is in or out."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import tenancy
from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import matching
from contacts.models import Contact, first_id
from contacts.segments import catalogue, membership, references
from contacts.segments.definition import DefinitionInvalid
from contacts.segments.explain import explain
from contacts.segments.models import Segment
from marketing.campaigns import usage as campaigns
from marketing.web import segment_approvals, segment_panels, segment_sight
from workflows import usage

SHOWN = 25


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def segments(request: HttpRequest) -> HttpResponse:
    user = staff_of(request)
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:200]
    context = {
        "rows": segment_sight.of_all(list(rows), user),
        "may_edit": segment_sight.may_edit(user),
    }
    return render(request, "segments/list.html", context)


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def segment(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    user, found = staff_of(request), segment_sight.found(segment_id)
    row = segment_sight.of(found, user)
    classes = row.classes
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
        "used_by": [(other, catalogue.titled(other, clinical=segment_sight.sees_clinical(user)))
                    for other in catalogue.used_by(found.id)],
        "workflows": usage.of_segment(found.id),
        "campaigns": campaigns.of_segment(found.id),
        "classes": classes,
        "labels": row.labels,
        "within_role": within_role,
        "approval": segment_approvals.state_of(found, user),
        "growth": segment_panels.grown(row, now=timezone.now()),
        "may_ask_reach": user.may(Permission.CONSENT_VIEW),
        "may_find": user.may(Permission.CONTACTS_SEARCH) and row.open,
        "may_edit": segment_sight.may_edit(user) and row.open,
    }  # fmt: skip
    if ordinals:
        trail.record(
            "segment.listed",
            subject=f"segment:{found.id}",
            detail={"count": len(ordinals), "classes": classes},
        )
    return render(request, "segments/page.html", context)


@require_POST
@requires(Permission.SEGMENTS_VIEW)
def count(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Bring the members up to date now."""
    found = segment_sight.found(segment_id)
    if catalogue.check(found) is None:
        messages.error(request, "This segment is broken: its members stay as they were.")
    else:
        membership.refresh(found, now=timezone.now())
    return redirect("segment", segment_id=found.id)


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def archive(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    found = segment_sight.found(segment_id)
    if not segment_sight.of(found, staff_of(request)).open:
        raise PermissionDenied
    if catalogue.used_by(found.id):
        messages.error(request, "Other segments refer to this one: change those first.")
        return redirect("segment", segment_id=found.id)
    if leaning := usage.of_segment(found.id):
        names = ", ".join(one.name for one in leaning)
        messages.error(
            request, f"Live workflows ask for it: {names}. Publish them without it first."
        )
        return redirect("segment", segment_id=found.id)
    if going := campaigns.of_segment(found.id):
        names = ", ".join(one.name for one in going)
        messages.error(request, f"Campaigns go to it: {names}. Cancel or change those first.")
        return redirect("segment", segment_id=found.id)
    catalogue.archive(found, now=timezone.now())
    messages.success(request, "The segment was taken out of use.")
    return redirect("segments")


@require_POST
@requires(Permission.SEGMENTS_VIEW)
def find(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Look a person up by record number, to see why they are in or out."""
    user, found = staff_of(request), segment_sight.found(segment_id)
    if not user.may(Permission.CONTACTS_SEARCH):
        raise PermissionDenied
    people = matching.find("record_number", request.POST.get("number", ""))
    if len(people) != 1:
        said = "Nobody has" if not people else "Several people have"
        messages.error(request, f"{said} this record number. Give it whole.")
        return redirect("segment", segment_id=found.id)
    return redirect("segment-why", segment_id=found.id, contact_id=people[0].public_id)


@require_GET
@requires(Permission.SEGMENTS_VIEW)
def why(request: HttpRequest, segment_id: UUID, contact_id: UUID) -> HttpResponse:
    """Why this person is in, or out: each clause's value and answer, as far as the role sees."""
    user, found = staff_of(request), segment_sight.found(segment_id)
    row = segment_sight.of(found, user)
    contact = Contact.objects.filter(public_id=contact_id, erased_at=None).first()
    if contact is None:
        raise Http404
    if not user.may(Permission.CONTACTS_VIEW) or not row.open:
        raise PermissionDenied
    try:
        definition = catalogue.definition_of(found)
    except DefinitionInvalid:
        return render(request, "segments/why.html", {"row": row, "contact": contact})
    names = catalogue.names_in(definition, clinical=segment_sight.sees_clinical(user))
    granted = user.data_classes
    lines = explain(definition, contact.pk, now=timezone.now(), names=names, granted=granted)
    trail.record(
        "segment.explained",
        subject=f"contact:{contact.pk}",
        detail={
            "classes": sorted(set(row.classes) & granted),
            "fields": sorted(references.fields_read(definition)),
            "verdict": {True: "in", False: "out", None: "hidden"}[lines[0].holds],
        },
    )
    context = {
        "row": row,
        "contact": contact,
        "lines": lines,
        "hidden": sorted({c for line in lines for c in line.classes} - granted),
    }
    return render(request, "segments/why.html", context)
