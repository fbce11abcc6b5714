"""What one person asked for besides yes and no: restrictions, confidential and open messages."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent.ledger import ConsentInvalid
from consent.models import ConfidentialRequest, Part2Consent, PlainPreference, Restriction
from consent.wishes import record
from contacts.models import Contact
from marketing.web.consent_person import CAME_BY, CLASS_NAMES
from marketing.web.sending import CHANNELS
from messaging.models import PURPOSES

LABEL_NAMES = {
    "substance_use": "Substance use",
    "mental_health": "Mental health",
    "psychotherapy": "Psychotherapy notes",
    "hiv": "HIV",
    "reproductive": "Reproductive health",
    "minor": "Minors' own services",
}
SAID = [*CLASS_NAMES.items(), *LABEL_NAMES.items()]
ANY = [("", "Any")]


def _boxes(label: str, choices: list[tuple[str, str]]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        help_text="None means all of them.",
        widget=forms.CheckboxSelectMultiple,
    )


class Restricting(forms.Form):
    purposes = _boxes("No use for", PURPOSES)
    classes = _boxes("Of", SAID)
    channels = _boxes("By", CHANNELS)
    received_by = forms.ChoiceField(label="How it was agreed", choices=CAME_BY)


class Confiding(forms.Form):
    category = forms.ChoiceField(
        label="Which messages",
        required=False,
        choices=[("", "Every message"), *LABEL_NAMES.items(), *PURPOSES],
        help_text="They go to an address that is reserved for them, or not at all. No reason is "
        "asked for.",
    )
    channel = forms.ChoiceField(label="Only by", required=False, choices=[*ANY, *CHANNELS])
    received_by = forms.ChoiceField(label="How it reached us", choices=CAME_BY)


class Opening(forms.Form):
    channel = forms.ChoiceField(label="Unencrypted messages by", choices=CHANNELS)
    received_by = forms.ChoiceField(label="How the warning was given", choices=CAME_BY)


class SigningPart2(forms.Form):
    """The elements of 42 CFR 2.31(a) that decide; the paper itself carries the rest."""

    purposes = forms.MultipleChoiceField(
        label="For",
        choices=PURPOSES,
        required=False,
        help_text="None: treatment, payment and operations, also in future. That never covers "
        "marketing, which needs a consent of its own that names it.",
        widget=forms.CheckboxSelectMultiple,
    )
    signed_on = forms.DateField(
        label="Date of the signature", widget=forms.DateInput(attrs={"type": "date"})
    )
    expires_on = forms.DateField(
        label="Last day it holds",
        required=False,
        help_text="Left empty it holds until it is withdrawn; only one for care may be so.",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    complete = forms.BooleanField(
        label="The paper names the patient, who discloses what to whom, the right to withdraw, "
        "and is signed and dated"
    )
    received_by = forms.ChoiceField(label="How it reached us", choices=CAME_BY)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("purposes") and not given.get("expires_on"):
            self.add_error("expires_on", "A consent for named purposes needs its last day.")
        return given


ENDS = {
    "confidential": record.end_confidential,
    "plain": record.end_plain,
    "part2": record.revoke_part2,
}


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def wishes(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what this person asked for."""
    return _show(request, _contact(public_id))


def _show(
    request: HttpRequest, contact: Contact, *, status: int = 200, **more: Any
) -> HttpResponse:
    now = timezone.now()
    standing = {"contact_id": contact.id, "ended_at": None}
    context = {
        "contact": contact,
        "restrictions": Restriction.objects.filter(contact_id=contact.id).order_by("-id"),
        "confidential": ConfidentialRequest.objects.filter(**standing).order_by("-id"),
        "plain": PlainPreference.objects.filter(**standing).select_related("warning"),
        "part2": Part2Consent.objects.filter(**standing).order_by("-id"),
        "may_record": guard.staff_of(request).may(Permission.CONSENT_RECORD)
        and contact.erased_at is None,
        "restrict_form": Restricting(auto_id="restrict_%s"),
        "confide_form": Confiding(auto_id="confide_%s"),
        "open_form": Opening(auto_id="open_%s"),
        "part2_form": SigningPart2(auto_id="part2_%s"),
        "endings": Restriction.Ending.choices,
        "warning": record.WARNING,
        "came_by": CAME_BY,
        "as_of": now,
    } | more
    trail.record("consent.viewed", subject=f"contact:{contact.id}", detail={"count": 0})
    return render(request, "consent/wishes.html", context, status=status)


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def restrict(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact, form = (
        _contact(public_id, living=True),
        Restricting(request.POST, auto_id="restrict_%s"),
    )
    if not form.is_valid():
        return _show(request, contact, status=422, restrict_form=form)
    record.restrict(contact.id, **form.cleaned_data, now=timezone.now())
    return _done(request, contact, "The restriction binds from now on, queued messages too.")


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def end_restriction(request: HttpRequest, public_id: UUID, wish_id: UUID) -> HttpResponse:
    contact = _contact(public_id)
    one = get_object_or_404(Restriction, id=wish_id, contact_id=contact.id)
    how = request.POST.get("how", "")
    if how not in Restriction.Ending.values:
        messages.error(request, "Say whether the person agreed or was given notice.")
        return redirect("consent-wishes", contact.public_id)
    record.end_restriction(one.id, how=how, received_by="staff", now=timezone.now())
    return _done(request, contact, "The restriction has ended; who and how stand on record.")


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def confide(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact, form = _contact(public_id, living=True), Confiding(request.POST, auto_id="confide_%s")
    if not form.is_valid():
        return _show(request, contact, status=422, confide_form=form)
    record.keep_confidential(contact.id, **form.cleaned_data, now=timezone.now())
    return _done(request, contact, "Such messages go to the reserved address from now on.")


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def accept_plain(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact, form = _contact(public_id, living=True), Opening(request.POST, auto_id="open_%s")
    if not form.is_valid():
        return _show(request, contact, status=422, open_form=form)
    record.accept_plain(contact.id, **form.cleaned_data, now=timezone.now())
    return _done(request, contact, "The preference is on record with the words of the warning.")


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def sign_part2(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record a consent under 42 CFR Part 2; it is no authorization and none stands in for it."""
    contact = _contact(public_id, living=True)
    form, zone = SigningPart2(request.POST, auto_id="part2_%s"), _zone(request)
    if form.is_valid():
        given = form.cleaned_data
        try:
            record.sign_part2(
                contact.id,
                purposes=given["purposes"],
                signed_at=datetime.combine(given["signed_on"], time(), tzinfo=zone),
                expires_on=given["expires_on"],
                zone=zone.key,
                received_by=given["received_by"],
                now=timezone.now(),
            )
        except ConsentInvalid:
            form.add_error("signed_on", "This day has not come yet; enter the day it was signed.")
        else:
            return _done(request, contact, "The Part 2 consent is on record and counts from now.")
    return _show(request, contact, status=422, part2_form=form)


def _zone(request: HttpRequest) -> ZoneInfo:
    zone: ZoneInfo = guard.staff_of(request).organisation.zone
    return zone


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def end(request: HttpRequest, public_id: UUID, kind: str, wish_id: UUID) -> HttpResponse:
    """End a request, a preference or a Part 2 consent of this person."""
    contact = _contact(public_id)
    models = {
        "confidential": ConfidentialRequest,
        "plain": PlainPreference,
        "part2": Part2Consent,
    }
    if kind in models:
        get_object_or_404(models[kind], id=wish_id, contact_id=contact.id)
        ENDS[kind](wish_id, received_by="staff", now=timezone.now())
    return _done(request, contact, "Ended. It counts at once.")


def _done(request: HttpRequest, contact: Contact, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("consent-wishes", contact.public_id)


def _contact(public_id: UUID, *, living: bool = False) -> Contact:
    people = Contact.objects.filter(erased_at=None) if living else Contact.objects.all()
    return get_object_or_404(people, public_id=public_id)
