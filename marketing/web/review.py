"""People → Review: which contacts may be one person, compared side by side and decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import matching, registry
from contacts.fields import SEALED_CLASSES
from contacts.merge import acts, proposing
from contacts.models import Contact, Identifier, Merge, MergeProposal
from contacts.reveal import RevealRefused, reveal
from contacts.segments import evaluate
from marketing.web import shown, timeline

MOST = 100


class ByHand(forms.Form):
    """Two contacts that somebody takes for one person, by their ids."""

    first = forms.UUIDField(label="Id of one contact", help_text="From its page, bottom right.")
    second = forms.UUIDField(label="Id of the other")


@require_http_methods(["GET", "POST"])
@requires(Permission.CONTACTS_MERGE)
def proposals(request: HttpRequest) -> HttpResponse:
    """List what waits for a decision, and the merges that can be taken back."""
    form = ByHand(request.POST or None)
    if request.method == "POST" and form.is_valid() and (made := _by_hand(form)):
        return redirect("people-compare", made.pk)
    rows = list(proposing.waiting()[: MOST + 1])
    done = list(Merge.objects.filter(undone_at=None).order_by("-merged_at")[:MOST])
    context = {
        "rows": [_row(row) for row in rows[:MOST]],
        "more": len(rows) > MOST,
        "merges": _merges(done),
        "form": form,
    }
    return render(request, "people/review.html", context)


def _by_hand(form: ByHand) -> MergeProposal | None:
    given = [form.cleaned_data["first"], form.cleaned_data["second"]]
    known = matching.ids_by_public_id(given)
    ids = sorted({known[one] for one in given if one in known})
    if len(ids) != 2:
        form.add_error("second", "These are not two contacts that are there now.")
        return None
    return proposing.by_hand(ids[0], ids[1], now=timezone.now())


@require_POST
@requires(Permission.CONTACTS_MERGE)
def again(request: HttpRequest) -> HttpResponse:
    """Look through everybody for duplicates now."""
    made = proposing.seek(now=timezone.now())
    messages.success(request, f"Looked through everybody: {made} new to review.")
    return redirect("people-review")


@require_safe
@requires(Permission.CONTACTS_MERGE)
def compare(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show two contacts side by side, values masked."""
    return _compared(request, _proposal(proposal_id), {})


@require_POST
@requires(Permission.CONTACTS_MERGE)
def values(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show them with their values: needs the role, and stands in the trail for both."""
    proposal, user = _proposal(proposal_id), staff_of(request)
    classes = [kind for kind in SEALED_CLASSES if kind.value in user.data_classes]
    try:
        opened = reveal([proposal.first_id, proposal.second_id], classes, purpose="merge_review")
    except RevealRefused as refused:
        raise PermissionDenied(str(refused)) from None
    return _compared(request, proposal, opened, revealed=True)


@require_POST
@requires(Permission.CONTACTS_MERGE)
def merge(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Make one person of the two; the chosen one stays."""
    proposal = _proposal(proposal_id)
    pair = [proposal.first_id, proposal.second_id]
    stays, goes = pair if request.POST.get("stays") != "second" else pair[::-1]
    try:
        acts.merge(stays, goes, now=timezone.now())
    except acts.CannotMerge as refused:
        messages.error(request, f"Not merged: {refused}.")
        return redirect("people-review")
    messages.success(request, "Merged 2 contacts. This can be taken back below.")
    return redirect("people-review")


@require_POST
@requires(Permission.CONTACTS_MERGE)
def different(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Keep that these are two people."""
    proposing.dismiss(_proposal(proposal_id), now=timezone.now())
    messages.success(request, "Kept apart. They are not proposed again.")
    return redirect("people-review")


@require_POST
@requires(Permission.CONTACTS_MERGE)
def undo(request: HttpRequest, merge_id: UUID) -> HttpResponse:
    """Take a merge back."""
    try:
        acts.undo(merge_id, now=timezone.now())
    except acts.CannotUndo as refused:
        messages.error(request, f"Not taken back: {refused}.")
    else:
        messages.success(request, "Taken back: 2 contacts again, each with what is its own.")
    return redirect("people-review")


def _proposal(proposal_id: UUID) -> MergeProposal:
    return get_object_or_404(proposing.waiting(), pk=proposal_id)


def _row(row: MergeProposal) -> dict[str, Any]:
    ids = matching.public_ids([row.first_id, row.second_id])
    return {
        "proposal": row,
        "reason": proposing.REASONS[row.reason],
        "first": ids[row.first_id],
        "second": ids[row.second_id],
    }


def _merges(done: Sequence[Merge]) -> list[dict[str, Any]]:
    ids = matching.public_ids({one.survivor_id for one in done})
    living = set(Contact.objects.filter(pk__in=ids, erased_at=None).values_list("pk", flat=True))
    return [
        {"merge": one, "person": ids[one.survivor_id]} for one in done if one.survivor_id in living
    ]


def _compared(
    request: HttpRequest,
    proposal: MergeProposal,
    opened: Mapping[int, Mapping[str, Any]],
    *,
    revealed: bool = False,
) -> HttpResponse:
    pair = [get_object_or_404(Contact, pk=one, erased_at=None) for one in _pair(proposal)]
    with transaction.atomic():
        for one, other in (pair, pair[::-1]):
            trail.record(
                "contact.compared",
                subject=f"contact:{one.pk}",
                detail={"with": other.pk, "purpose": "merge_review"},
            )
    latest = timeline.latest_of([one.pk for one in pair])
    context = {
        "proposal": proposal,
        "reason": proposing.REASONS[proposal.reason],
        "pair": [
            {
                "contact": one,
                "short": one.public_id.hex[-6:],
                "latest": latest.get(one.pk),
                "sources": sorted(
                    set(Identifier.objects.filter(contact=one).values_list("source", flat=True))
                ),
            }
            for one in pair
        ],
        "rows": _differences(*(opened.get(one.pk, {}) for one in pair)),
        "revealed": revealed,
    }
    return render(request, "people/compare.html", context)


def _pair(proposal: MergeProposal) -> tuple[int, int]:
    return proposal.first_id, proposal.second_id


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each field that either has, with both texts, those that differ first."""
    rows: list[dict[str, Any]] = []
    fields, zone = registry.current(), evaluate.zone()
    for kind in SEALED_CLASSES:
        mine, theirs = (
            _texts(shown.facts(values, kind, fields=fields, zone=zone))
            for values in (first, second)
        )
        rows += [
            {"label": label, "first": mine.get(label, ""), "second": theirs.get(label, "")}
            for label in dict.fromkeys([*mine, *theirs])
        ]
    for row in rows:
        row["same"] = row["first"] == row["second"]
    return sorted(rows, key=lambda row: row["same"])


def _texts(facts: Sequence[shown.Fact]) -> dict[str, str]:
    return {
        fact.label: fact.text or ", ".join(f"{what} ({detail})" for what, detail in fact.lines)
        for fact in facts
    }
