"""Who lives with a person, and who may act for the person now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import matching, persons
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.households import living, representing
from contacts.models import Contact, Representation
from contacts.reveal import RevealRefused, reveal
from marketing.web.person import person_of, tabs

ENDED = {
    "ended": "ended",
    "of_age": "of age: ended",
    "not_begun": "not begun",
    "birth_date_unknown": "no date of birth: does not hold",
    "deceased": "ended by death",
}


class Appointing(forms.Form):
    """Somebody who may act for the person."""

    kind = forms.ChoiceField(choices=Representation.Kind.choices)
    name = forms.CharField(required=False, max_length=representing.LONGEST, label="Name")
    holder = forms.UUIDField(
        required=False, label="Or the id of a contact", help_text="Where that person is one too."
    )
    authority = forms.CharField(
        max_length=representing.LONGEST,
        label="On what the authority rests",
        help_text="Such as: mother, joint custody order of 2024; health care proxy signed 3 May.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    starts_on = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        required=False,
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Authority over a minor ends on the birthday of majority by itself.",
    )


class Joining(forms.Form):
    """Somebody who lives with the person."""

    number = forms.CharField(max_length=200, label="Record number of who lives here too")


@require_http_methods(["GET", "POST"])
@requires(Permission.CONTACTS_VIEW, changing=Permission.CONTACTS_WRITE)
def family(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show household and representatives, masked; appoint a representative."""
    person = person_of(public_id)
    form = Appointing(request.POST or None)
    if request.method == "POST" and form.is_valid() and _appointed(request, person, form):
        return redirect("contact-family", person.public_id)
    trail.record("contact.household_viewed", subject=f"contact:{person.id}")
    return render(request, "contacts/family.html", _context(request, person, form=form))


def _appointed(request: HttpRequest, person: Contact, form: Appointing) -> bool:
    given = dict(form.cleaned_data)
    holder = given.pop("holder")
    holder_id = matching.ids_by_public_id([holder]).get(holder) if holder else None
    if holder and holder_id is None:
        form.add_error("holder", "There is no such contact.")
        return False
    try:
        representing.appoint(
            person.id, source="staff", now=timezone.now(), holder_id=holder_id, **given
        )
    except persons.Gone:
        raise Http404("no such contact") from None
    except ValueRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, refused.reason)
        return False
    messages.success(request, "1 representative recorded.")
    return True


@require_POST
@requires(Permission.CONTACTS_VIEW)
def names(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show names and authorities: needs the role, and stands in the trail."""
    person = person_of(public_id)
    try:
        reveal([person.id], [DataClass.IDENTITY], purpose="representatives")
    except RevealRefused as refused:
        raise PermissionDenied(str(refused)) from None
    return render(request, "contacts/family.html", _context(request, person, revealed=True))


@require_POST
@requires(Permission.CONTACTS_WRITE)
def end(request: HttpRequest, public_id: UUID, representation_id: UUID) -> HttpResponse:
    """End an authority now."""
    person = person_of(public_id)
    try:
        representing.end(representation_id, person.id, now=timezone.now())
    except representing.NoSuchRepresentation:
        raise Http404("no such representative") from None
    messages.success(request, "Ended. Nothing goes to this representative from now on.")
    return redirect("contact-family", person.public_id)


@require_POST
@requires(Permission.CONTACTS_WRITE)
def join(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put somebody into the person's household; make one where there is none."""
    person, form = person_of(public_id), Joining(request.POST)
    found = matching.find("record_number", form.data.get("number", "")) if form.is_valid() else []
    others = [one.id for one in found if one.id != person.id]
    if len(others) != 1:
        messages.error(request, "Nobody else, or several people, have this record number.")
    else:
        homes = living.households_of(person.id)
        home = homes[0].pk if homes else None
        living.join([person.id, *others], household=home, now=timezone.now())
        messages.success(request, "1 person added to the household.")
    return redirect("contact-family", person.public_id)


@require_POST
@requires(Permission.CONTACTS_WRITE)
def leave(request: HttpRequest, public_id: UUID, household_id: UUID) -> HttpResponse:
    """Take the person out of a household."""
    person = person_of(public_id)
    try:
        living.leave(person.id, household_id, now=timezone.now())
    except living.NoSuchHousehold:
        raise Http404("no such household") from None
    messages.success(request, "1 person taken out of the household.")
    return redirect("contact-family", person.public_id)


def _context(
    request: HttpRequest,
    person: Contact,
    *,
    form: Appointing | None = None,
    revealed: bool = False,
) -> dict[str, Any]:
    user, now = staff_of(request), timezone.now()
    proxies = representing.proxies_of([person.id], now=now).get(person.id, [])
    told = representing.named([one.row for one in proxies]) if revealed else {}
    holders = matching.public_ids({one.row.holder_id for one in proxies if one.row.holder_id})
    return {
        "contact": person,
        "tabs": tabs(person, "contact-family"),
        "homes": [
            {"household": home, "members": _others(living.members(home), person)}
            for home in living.households_of(person.id)
        ],
        "proxies": [
            {
                "proxy": one,
                "named": told.get(one.row.pk),
                "holder": holders.get(one.row.holder_id or 0),
                "ended": ENDED.get(one.ended if revealed else "ended", ""),
            }
            for one in proxies
        ],
        "form": form or Appointing(),
        "joining": Joining(),
        "revealed": revealed,
        "may_reveal": DataClass.IDENTITY in user.data_classes,
        "may_edit": user.may(Permission.CONTACTS_WRITE),
    }


def _others(ids: list[int], person: Contact) -> list[UUID]:
    known = matching.public_ids([one for one in ids if one != person.id])
    return sorted(known.values())
