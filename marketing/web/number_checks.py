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
from consent.choices.suppression_files import FileRefused
from consent.models import Suppression
from marketing.web.suppressions import LARGEST, TOLD

REASONS = [
    (Suppression.Reason.DO_NOT_CALL, "A do-not-call registry"),
    (Suppression.Reason.REASSIGNED, "Numbers that changed hands"),
]


def _file(label: str, hint: str) -> forms.FileField:
    return forms.FileField(label=label, help_text=hint)


class Answers(forms.Form):
    file = _file(
        "The database's answers", "CSV: number, day, and yes, no or no data in the last column."
    )


class Listed(forms.Form):
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
    answer = HttpResponse(number_checks.file(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="numbers.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


@requires(Permission.CONSENT_RECORD)
@require_POST
def take_answers(request: HttpRequest) -> HttpResponse:
    form = Answers(request.POST, request.FILES, auto_id="answers_%s")
    if (data := _data(form)) is not None:
        try:
            checked = number_checks.take_answers(data, received_by="file", now=timezone.now())
        except FileRefused as wrong:
            form.add_error("file", f"Nothing was taken: {wrong}.")
        else:
            return _show(request, checked=checked, told=checked.faults[:TOLD])
    return _show(request, status=422, answers_form=form)


@requires(Permission.CONSENT_RECORD)
@require_POST
def take_list(request: HttpRequest) -> HttpResponse:
    form = Listed(request.POST, request.FILES, auto_id="list_%s")
    if (data := _data(form)) is not None:
        reason = form.cleaned_data["reason"]
        try:
            took = number_checks.take_list(
                data, reason=reason, received_by="file", now=timezone.now()
            )
        except FileRefused as wrong:
            form.add_error("file", f"Nothing was taken: {wrong}.")
        else:
            return _show(request, took=took, told=took.faults[:TOLD])
    return _show(request, status=422, list_form=form)


def _data(form: Answers | Listed) -> bytes | None:
    """Return the file's content; None where the form is wrong, which it says then."""
    if form.is_valid() and form.cleaned_data["file"].size > LARGEST:
        form.add_error("file", "It is larger than 20 MB; split it.")
    if not form.is_valid():
        return None
    data: bytes = form.cleaned_data["file"].read()
    return data
