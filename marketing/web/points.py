"""Where a person can be reached: which addresses there are, and what goes only to one of them."""

from __future__ import annotations

from collections.abc import Collection
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
from contacts import persons
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.models import Contact, ContactPoint
from contacts.points import keeping, reading, sealing
from contacts.points.keeping import NewPoint, NoSuchPoint
from contacts.points.sealing import POSTAL_PARTS, Value
from contacts.reveal import RevealRefused
from marketing.web.person import person_of, tabs
from messaging.models import PURPOSES

CATEGORY_LABELS = {
    "all": "Everything that is sent",
    "reproductive": "Reproductive health",
    "mental_health": "Mental health",
    "substance_use": "Substance use",
    "hiv": "HIV",
    "minor": "A minor's own services",
    "psychotherapy": "Psychotherapy notes",
    **dict(PURPOSES),
}
"""What a request for confidential communications may name (`marketing.web.wishes`), and all."""
_PART_LABELS = ("Street", "City", "State", "Postal code", "Country")


class About(forms.Form):
    """What is known of an address, besides its value."""

    use = forms.ChoiceField(choices=ContactPoint.Use.choices, initial="home")
    rank = forms.IntegerField(min_value=1, max_value=999, initial=1, help_text="1 is used first.")
    preferred = forms.BooleanField(required=False, label="The person prefers it")
    starts_on = forms.DateField(
        required=False, label="Valid from", widget=forms.DateInput(attrs={"type": "date"})
    )
    ends_on = forms.DateField(
        required=False, label="Last valid day", widget=forms.DateInput(attrs={"type": "date"})
    )
    categories = forms.MultipleChoiceField(
        required=False,
        choices=list(CATEGORY_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        label="Confidential: send these only here",
        help_text="On the person's request; nobody may ask for the reason. Messages of these"
        " categories go here or nowhere, and nothing else comes here.",
    )
    checked = forms.BooleanField(required=False, label="I checked it with the person")

    def __init__(self, *args: Any, reserved: Collection[str] = (), **kwargs: Any) -> None:
        """`reserved` is what the address is kept for now: topics among it are offered as well."""
        super().__init__(*args, **kwargs)
        topics = sorted(frozenset(reserved) - CATEGORY_LABELS.keys())
        offered = [*CATEGORY_LABELS.items(), *((topic, f"Topic: {topic}") for topic in topics)]
        self.fields["categories"].choices = offered  # type: ignore[attr-defined]

    def known(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        verified = {"verified_by": "staff"} if given.pop("checked") else {}
        return {**given, "categories": frozenset(given["categories"]), **verified}


class Adding(About):
    """A new address."""

    field_order = ["kind", "value", *POSTAL_PARTS]
    kind = forms.ChoiceField(choices=ContactPoint.Kind.choices)
    value = forms.CharField(required=False, max_length=254, label="E-mail address or number")
    line = forms.CharField(required=False, max_length=500, label="Street")
    city = forms.CharField(required=False, max_length=200)
    state = forms.CharField(required=False, max_length=200)
    postal_code = forms.CharField(required=False, max_length=40)
    country = forms.CharField(required=False, max_length=100)

    def point(self) -> NewPoint:
        given = self.known()
        parts = {part: given.pop(part) for part in POSTAL_PARTS}
        value, kind = given.pop("value"), given.pop("kind")
        filled = {part: text for part, text in parts.items() if text}
        return NewPoint(kind=kind, value=filled if kind == "postal" else value, **given)


@require_http_methods(["GET", "POST"])
@requires(Permission.CONTACTS_VIEW, changing=Permission.CONTACTS_WRITE)
def points(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a person's addresses, masked; add one."""
    person = person_of(public_id)
    form = Adding(request.POST or None)
    if request.method == "POST" and form.is_valid() and _added(request, person, form):
        return redirect("contact-points", person.public_id)
    shown = reading.masked(person)
    trail.record("contact.points_viewed", subject=f"contact:{person.id}")
    return render(request, "contacts/points.html", _context(request, person, shown, form=form))


def _added(request: HttpRequest, person: Contact, form: Adding) -> bool:
    try:
        keeping.add(person.id, form.point(), source="staff", now=timezone.now())
    except persons.Gone:
        raise Http404("no such contact") from None
    except ValueRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else "value", refused.reason)
        return False
    messages.success(request, "1 address added.")
    return True


@require_POST
@requires(Permission.CONTACTS_VIEW)
def values(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the values: needs the role, and stands in the trail."""
    person = person_of(public_id)
    try:
        shown = reading.opened(person, purpose="contact_points")
    except RevealRefused as refused:
        raise PermissionDenied(str(refused)) from None
    return render(request, "contacts/points.html", _context(request, person, shown, revealed=True))


@require_POST
@requires(Permission.CONTACTS_WRITE)
def change(request: HttpRequest, public_id: UUID, point_id: UUID) -> HttpResponse:
    """Change what is known of one address; its value stays."""
    person, form = person_of(public_id), About(request.POST, reserved=_reserved(point_id))
    if form.is_valid():
        try:
            keeping.change(point_id, person.id, now=timezone.now(), **_known(form, point_id))
            messages.success(request, "1 address changed.")
        except NoSuchPoint:
            raise Http404("no such address") from None
        except ValueRefused as refused:
            messages.error(request, f"Nothing was changed: the last day {refused.reason}.")
    else:
        messages.error(request, "Nothing was changed: check the rank and the days.")
    return redirect("contact-points", person.public_id)


def _reserved(point_id: UUID) -> frozenset[str]:
    """Return for what an address is reserved, to keep or to take away; it is shown to nobody."""
    rows = list(ContactPoint.objects.filter(pk=point_id, confidential=True))
    return frozenset().union(*(one.categories for one in sealing.open_many(rows).values()))


def _known(form: About, point_id: UUID) -> dict[str, Any]:
    """Return what the form says; a check that stood already stays as it was, or is taken back."""
    given, checked = form.known(), form.cleaned_data["checked"]
    verified = ContactPoint.objects.filter(pk=point_id, state=ContactPoint.State.VERIFIED).exists()
    given.pop("verified_by", None)
    return given if checked == verified else given | {"verified_by": "staff" if checked else ""}


@require_POST
@requires(Permission.CONTACTS_WRITE)
def remove(request: HttpRequest, public_id: UUID, point_id: UUID) -> HttpResponse:
    """Forget one address."""
    person = person_of(public_id)
    try:
        keeping.drop(point_id, person.id, now=timezone.now())
    except NoSuchPoint:
        raise Http404("no such address") from None
    messages.success(request, "1 address removed. Opt-outs from it still count.")
    return redirect("contact-points", person.public_id)


def _context(
    request: HttpRequest,
    person: Contact,
    shown: list[reading.Shown],
    *,
    form: Adding | None = None,
    revealed: bool = False,
) -> dict[str, Any]:
    user = staff_of(request)
    may_reveal = DataClass.CONTACT_POINT in user.data_classes
    return {
        "contact": person,
        "tabs": tabs(person, "contact-points"),
        "rows": [_row(one, may_edit=user.may(Permission.CONTACTS_WRITE)) for one in shown],
        "form": form or Adding(),
        "revealed": revealed,
        "may_reveal": may_reveal,
        "may_edit": user.may(Permission.CONTACTS_WRITE),
    }


def _row(one: reading.Shown, *, may_edit: bool) -> dict[str, Any]:
    row = {"shown": one, "value": _text(one.opened.value) if one.opened else ""}
    row["kind"] = ContactPoint.Kind(one.kind).label
    if one.opened:
        row["categories"] = [CATEGORY_LABELS.get(c, c) for c in sorted(one.opened.categories)]
    if may_edit and one.row is not None and one.opened is not None:
        known = {
            name: getattr(one.row, name) for name in About.base_fields if hasattr(one.row, name)
        }
        known["categories"] = sorted(one.opened.categories)
        known["checked"] = one.row.state == ContactPoint.State.VERIFIED
        row["form"] = About(
            initial=known, auto_id=f"p{one.row.pk.hex[-6:]}_%s", reserved=one.opened.categories
        )
    return row


def _text(value: Value) -> str:
    return (
        value if isinstance(value, str) else ", ".join(value[p] for p in POSTAL_PARTS if p in value)
    )
