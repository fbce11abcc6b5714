"""What one person agreed to and refused, and the acts that staff record."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent import ledger, policy, report
from consent.models import Authorization, FormVersion
from consent.signing import asking
from contacts import persons
from contacts.fields import DataClass
from contacts.models import Contact
from marketing.web import proof
from marketing.web.consent import PURPOSE_NAMES
from messaging.models import Message

SIGNED_FOR = [
    (one, name) for one, name in PURPOSE_NAMES.items() if one in policy.NEEDS_AUTHORIZATION
]
CLASS_NAMES = {
    DataClass.IDENTITY.value: "Identity: name, birth date",
    DataClass.CONTACT_POINT.value: "Contact points: address, phone, e-mail",
    DataClass.DEMOGRAPHIC.value: "Demographics: gender, language",
    DataClass.CLINICAL.value: "Clinical: conditions, medications, results",
    DataClass.COVERAGE.value: "Coverage: insurance, plan",
    DataClass.ENGAGEMENT.value: "Engagement: opens, clicks, visits",
}
CAME_BY = [
    ("telephone", "Telephone"),
    ("letter", "Letter"),
    ("in_person", "In person"),
    ("email", "E-mail"),
]


class RecordAuthorization(forms.Form):
    """What staff enter from a signed paper: the elements of 45 CFR 164.508(c) that decide."""

    purposes = forms.MultipleChoiceField(
        label="What it permits", choices=SIGNED_FOR, widget=forms.CheckboxSelectMultiple
    )
    classes = forms.MultipleChoiceField(
        label="Which information it covers",
        choices=list(CLASS_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    signed_on = forms.DateField(
        label="Date of the signature", widget=forms.DateInput(attrs={"type": "date"})
    )
    expires_on = forms.DateField(
        label="Last day it holds", widget=forms.DateInput(attrs={"type": "date"})
    )
    form_version = forms.ChoiceField(label="Text that was signed", required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.now = zone, now
        field = self.fields["form_version"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "A text that is not kept here"), *_texts()]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        signed, expires = given.get("signed_on"), given.get("expires_on")
        if signed and signed > self.now.astimezone(self.zone).date():
            self.add_error("signed_on", "This day has not come yet; enter the day it was signed.")
        if signed and expires and expires < signed:
            self.add_error("expires_on", "It would end before it was signed; check both dates.")
        return given

    def signing(self, contact_id: int) -> ledger.Signing:
        given = self.cleaned_data
        version = given["form_version"]
        return ledger.Signing(
            contact_id=contact_id,
            purposes=frozenset(given["purposes"]),
            classes=frozenset(given["classes"]),
            signed_at=datetime.combine(given["signed_on"], time(), tzinfo=self.zone),
            expires_on=given["expires_on"],
            zone=self.zone.key,
            form_version=UUID(version) if version else None,
        )


def _texts() -> list[tuple[str, str]]:
    versions = FormVersion.objects.order_by("name", "language", "-number")
    return [(str(v.id), f"{v.name} · {v.language} · version {v.number}") for v in versions]


class Withdraw(forms.Form):
    received_by = forms.ChoiceField(label="How it reached us", choices=CAME_BY)


class SayNo(Withdraw):
    purpose = forms.ChoiceField(
        label="No to", required=False, choices=[("", "Everything"), *PURPOSE_NAMES.items()]
    )


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everything on record about one person's consent, on one page that prints."""
    contact = _contact(public_id)
    return _show(request, contact)


def _show(
    request: HttpRequest, contact: Contact, *, status: int = 200, **more: Any
) -> HttpResponse:
    now, user = timezone.now(), guard.staff_of(request)
    history = report.history(contact.id, now=now)
    sent = _sent_under(contact.id)
    trail.record(
        "consent.viewed", subject=f"contact:{contact.id}", detail={"count": len(history.acts)}
    )
    context = {
        "contact": contact,
        "signed": [(one, sent.get(str(one.authorization.id), 0)) for one in history.signed],
        "opt_outs": history.opt_outs,
        "acts": history.acts,
        "may_record": user.may(Permission.CONSENT_RECORD) and contact.erased_at is None,
        "record_form": RecordAuthorization(zone=user.organisation.zone, now=now),
        "withdraw_form": Withdraw(),
        "no_form": SayNo(auto_id="no_%s"),
        "askable": proof.askable(),
        "asked": asking.still_open(contact.id).filter(expires_at__gt=now).select_related("form"),
        "paper_form": proof.Paper(auto_id="paper_%s"),
        "names": PURPOSE_NAMES,
        "class_names": CLASS_NAMES,
        "as_of": now,
    } | more
    return render(request, "consent/person.html", context, status=status)


def _sent_under(contact_id: int) -> dict[str, int]:
    """Return how many messages went out under each authorization."""
    ids = persons.ids_of([contact_id])[contact_id]
    sent = Message.objects.filter(contact_id__in=ids, state=Message.State.SENT)
    counted = sent.values_list("permit__authorization").annotate(n=Count("id"))
    return {str(authorization): n for authorization, n in counted if authorization}


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def record(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact, now = _contact(public_id, living=True), timezone.now()
    zone = guard.staff_of(request).organisation.zone
    form = RecordAuthorization(request.POST, zone=zone, now=now)
    if not form.is_valid():
        return _show(request, contact, status=422, record_form=form)
    ledger.record_authorization(form.signing(contact.id), received_by="staff", now=now)
    messages.success(request, "The authorization is on record and counts from now on.")
    return redirect(_address(contact))


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def revoke(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """Withdraw one authorization; mail that is queued under it is not sent."""
    contact, form = _contact(public_id), Withdraw(request.POST)
    one = get_object_or_404(
        Authorization, id=authorization_id, contact_id__in=persons.ids_of([contact.id])[contact.id]
    )
    if not form.is_valid():
        return _show(request, contact, status=422, withdraw_form=form)
    if ledger.revoke(one.id, received_by=form.cleaned_data["received_by"], now=timezone.now()):
        messages.success(request, "Withdrawn. Nothing more is sent under it, queued mail included.")
    else:
        messages.info(request, "It had been withdrawn before; nothing changed.")
    return redirect(_address(contact))


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def opt_out(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record a no that came by telephone, letter or in person."""
    contact, form = _contact(public_id), SayNo(request.POST, auto_id="no_%s")
    if not form.is_valid():
        return _show(request, contact, status=422, no_form=form)
    given = form.cleaned_data
    ledger.opt_out(
        contact.id,
        purpose=given["purpose"],
        received_by=given["received_by"],
        now=timezone.now(),
    )
    messages.success(request, "The no is on record and stops what is queued.")
    return redirect(_address(contact))


def _contact(public_id: UUID, *, living: bool = False) -> Contact:
    """Return the contact; proof of an erased person's consent is kept and may be read."""
    people = Contact.objects.filter(erased_at=None) if living else Contact.objects.all()
    return get_object_or_404(people, public_id=public_id)


def _address(contact: Contact) -> str:
    return reverse("consent-person", args=[contact.public_id])
