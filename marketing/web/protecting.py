"""Settings of protection: by which ways messages may go, by purpose and by what they say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from messaging.models import PURPOSES, ProtectionPolicy
from messaging.protect import DEMANDS, EVERY, LABELS, By, Table
from messaging.protection import policy

SEE = Permission.DELIVERY_VIEW
CHANGE = Permission.PROTECTION_MANAGE
_WAYS = [("", "none"), *((one.value, LABELS[one]) for one in By)]


def in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()


class Row(forms.Form):
    """One row of the table: a purpose, a class, and the ways in order."""

    purpose = forms.ChoiceField(label="Purpose", choices=[(EVERY, "Every purpose"), *PURPOSES])
    information = forms.ChoiceField(
        label="What it says of the person",
        choices=[(one, in_words(one)) for one in DEMANDS if one != "psychotherapy"],
    )
    first = forms.ChoiceField(label="First way", choices=_WAYS[1:])
    second = forms.ChoiceField(label="Else", choices=_WAYS, required=False)
    third = forms.ChoiceField(label="Else", choices=_WAYS, required=False)
    fourth = forms.ChoiceField(label="Else", choices=_WAYS, required=False)

    def added_to(self, table: Table) -> Table:
        given = self.cleaned_data
        places = ("first", "second", "third", "fourth")
        ways = tuple(By(given[place]) for place in places if given[place])
        return Table({**table.rows, (given["purpose"], given["information"]): ways})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(SEE, changing=CHANGE)
def protection(request: HttpRequest) -> HttpResponse:
    """Show the table in force; POST proposes a row of it."""
    form = Row(request.POST) if request.method == "POST" else Row()
    if request.method == "POST" and form.is_valid():
        try:
            row = policy.propose(form.added_to(policy.in_force()), now=timezone.now())
        except policy.PolicyInvalid as wrong:
            for fault in wrong.faults:
                form.add_error("first", fault)
        else:
            _tell(request, row)
            return redirect("protection")
    return _page(request, form, status=422 if form.errors else 200)


def _tell(request: HttpRequest, row: ProtectionPolicy) -> None:
    if row.state == "live":
        messages.success(request, "In force from now on, for queued messages too.")
    else:
        messages.info(request, "This allows more than before: another person has to approve it.")


def _page(request: HttpRequest, form: Row, *, status: int) -> HttpResponse:
    table, user = policy.in_force(), staff_of(request)
    names = dict(PURPOSES)
    waiting = ProtectionPolicy.objects.filter(state="proposed").first()
    context: dict[str, Any] = {
        "usual": [(in_words(one), _said(table.ways(EVERY, one))) for one in DEMANDS],
        "rows": [
            (names[purpose], in_words(name), _said(ways))
            for (purpose, name), ways in sorted(table.rows.items())
            if purpose != EVERY
        ],
        "waiting": waiting,
        "changes": _changes(waiting, table, names) if waiting else [],
        "own": waiting is not None and waiting.proposed_by == str(user.pk),
        "versions": ProtectionPolicy.objects.all()[:20],
        "form": form,
        "may_change": user.may(CHANGE),
    }
    return render(request, "settings/protection.html", context, status=status)


def _changes(
    waiting: ProtectionPolicy, table: Table, names: dict[str, str]
) -> list[tuple[str, str, str, str]]:
    wanted = policy.table_of(waiting.rows)
    return [
        (
            names.get(purpose, "Every purpose"),
            in_words(name),
            _said(table.ways(purpose, name)),
            _said(ways),
        )
        for (purpose, name), ways in sorted(wanted.rows.items())
        if table.ways(purpose, name) != ways
    ]


def _said(ways: tuple[By, ...]) -> str:
    return ", else ".join(LABELS[one] for one in ways) or "never"


@require_POST
@requires(CHANGE, fresh=True)
def decide(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Approve or refuse what somebody else proposed."""
    approve = request.POST.get("decision") == "approve"
    try:
        policy.decide(version_id, approve=approve, now=timezone.now())
    except policy.NotYours as refused:
        messages.error(request, str(refused))
    except ProtectionPolicy.DoesNotExist:
        raise Http404("nothing waits under this number") from None
    else:
        messages.success(request, "In force from now on." if approve else "Refused.")
    return redirect("protection")
