"""A death recorded by staff, and taken back where it was recorded by mistake."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts import amending
from contacts.canonical import ValueRefused
from contacts.facts import CLEAR
from contacts.fields import DataClass
from contacts.models import Contact
from marketing.web.person import person_of


class Death(forms.Form):
    """When somebody died, where that is known."""

    died_on = forms.DateField(
        required=False,
        label="Date of death, if known",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: object, today: date | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.today = today

    def clean_died_on(self) -> date | None:
        given: date | None = self.cleaned_data["died_on"]
        if given and self.today and given > self.today:
            raise forms.ValidationError("lies in the future")
        return given


@require_POST
@requires(Permission.CONTACTS_WRITE)
def record(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record that the person died: nothing is sent from this moment on."""
    person, now = person_of(public_id), timezone.now()
    form = Death(request.POST, today=_today(request, now))
    if form.is_valid() and _recorded(request, person, form, now=now):
        messages.success(request, "Death recorded. Every message to this person is stopped.")
        return redirect("contact", person.public_id)
    context = {"contact": person, "form": form}
    return render(request, "contacts/death.html", context, status=422)


def _recorded(request: HttpRequest, person: Contact, form: Death, *, now: datetime) -> bool:
    """Record it, or say at the form which value was refused and why."""
    died_on = form.cleaned_data["died_on"]
    known = {"deceased_at": died_on.isoformat()} if died_on else {}
    try:
        _amend(request, person.pk, {"deceased": True} | known, now=now)
    except ValueRefused as refused:
        form.add_error("died_on" if refused.field in known else None, refused.reason)
        return False
    return True


@require_POST
@requires(Permission.CONTACTS_WRITE)
def take_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record that the person lives; what was stopped meanwhile stays stopped."""
    person = person_of(public_id)
    try:
        _amend(request, person.pk, {"deceased": False, "deceased_at": CLEAR}, now=timezone.now())
    except ValueRefused as refused:  # a field's rules changed meanwhile
        messages.error(request, f"Nothing was changed: {refused.field} {refused.reason}.")
        return redirect("contact", person.public_id)
    messages.success(
        request, "Recorded as living. What was stopped stays stopped; new messages may go again."
    )
    return redirect("contact", person.public_id)


def _amend(
    request: HttpRequest, contact_id: int, values: dict[str, object], *, now: datetime
) -> None:
    """Change what is known of a death. Raises ValueRefused, which names the field."""
    if DataClass.IDENTITY not in staff_of(request).data_classes:
        raise PermissionDenied("your role may not see these facts")
    amending.amend({contact_id: values}, source="staff", now=now)


def _today(request: HttpRequest, now: datetime) -> date:
    return now.astimezone(staff_of(request).organisation.zone).date()
