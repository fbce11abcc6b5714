"""Numbers that changed hands and do-not-call lists: out and in as files (TC-06)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.addresses import SMS
from consent.choices import number_checks
from consent.choices.suppression_files import Took
from consent.models import Suppression
from marketing.web.list_files import TOLD, TakesFile, download, taken

REASONS = [
    (Suppression.Reason.DO_NOT_CALL, "A do-not-call registry"),
    (Suppression.Reason.REASSIGNED, "Numbers that changed hands"),
]


def _file(label: str, hint: str) -> forms.FileField:
    return forms.FileField(label=label, help_text=hint)


class Answers(TakesFile):
    file = _file(
        "The database's answers", "CSV: number, day, and yes, no or no data in the last column."
    )


class Listed(TakesFile):
    reason = forms.ChoiceField(label="What it lists", choices=REASONS)
    file = _file("List of numbers", "One number a line, or area code and number in two columns.")


@requires(Permission.CONSENT_VIEW)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    standing = Suppression.objects.filter(
        released_at=None, channel=SMS, reason__in=number_checks.REASONS
    )
    user = staff_of(request)
    counted = dict(standing.values_list("reason").annotate(Count("id")).order_by())
    context = {
        "counted": [(label, counted.get(reason, 0)) for reason, label in REASONS],
        "may_record": user.may(Permission.CONSENT_RECORD),
        "may_reveal": user.may(Permission.CONTACTS_REVEAL_IDENTITY),
        "answers_form": Answers(auto_id="answers_%s"),
        "list_form": Listed(auto_id="list_%s"),
        "as_of": timezone.now(),
    } | more
    return render(request, "consent/number_checks.html", context, status=status)


@requires(Permission.CONSENT_RECORD)
@require_POST
def hand_out(request: HttpRequest) -> HttpResponse:
    """Give the numbers of those who agreed to texts, to whom the role lets see them."""
    if not staff_of(request).may(Permission.CONTACTS_REVEAL_IDENTITY):
        raise PermissionDenied
    return download(number_checks.file(), "numbers.csv")


@requires(Permission.CONSENT_RECORD)
@require_POST
def take_answers(request: HttpRequest) -> HttpResponse:
    form = Answers(request.POST, request.FILES, auto_id="answers_%s")
    now = timezone.now()
    checked = taken(
        form, lambda data: number_checks.take_answers(data, received_by="file", now=now)
    )
    if checked is not None:
        return _show(request, checked=checked, told=checked.faults[:TOLD])
    return _show(request, status=422, answers_form=form)


@requires(Permission.CONSENT_RECORD)
@require_POST
def take_list(request: HttpRequest) -> HttpResponse:
    form = Listed(request.POST, request.FILES, auto_id="list_%s")
    now = timezone.now()

    def take(data: bytes) -> Took:
        reason = form.cleaned_data["reason"]
        return number_checks.take_list(data, reason=reason, received_by="file", now=now)

    took = taken(form, take)
    if took is not None:
        return _show(request, took=took, told=took.faults[:TOLD])
    return _show(request, status=422, list_form=form)
