"""Contacts: the list, the exact search, one person's page, and the door to the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts import matching, registry
from contacts.fields import SEALED_CLASSES, DataClass, Field, fields_of
from contacts.history.reading import provenance
from contacts.models import Contact, ContactList, Identifier
from contacts.reveal import RevealRefused, reveal
from contacts.stage_reasons import reasons
from marketing.web import naming, shown, timeline
from marketing.web.addresses import address
from marketing.web.death import Death
from marketing.web.history import Correcting, correctable
from marketing.web.person import person_of, tabs

PAGE = 50
PANELS = [
    DataClass.IDENTITY,
    DataClass.CONTACT_POINT,
    DataClass.DEMOGRAPHIC,
    DataClass.COVERAGE,
    DataClass.ENGAGEMENT,
    DataClass.CLINICAL,
]
"""The clinical facts come last: they are the longest."""


class Search(forms.Form):
    """An exact identifier. Sent by POST: an address in a URL would stay in logs and histories."""

    kind = forms.ChoiceField(
        choices=[
            ("record_number", "Record number"),
            ("email", "E-mail address"),
            ("phone", "Phone number"),
        ],
        label="Search by",
    )
    value = forms.CharField(max_length=254, label="Exact value")


@require_safe
@requires(Permission.CONTACTS_VIEW)
def contacts(request: HttpRequest) -> HttpResponse:
    """List contacts, newest first, without names."""
    before = request.GET.get("before", "")
    rows = Contact.objects.filter(erased_at=None).order_by("-id")
    if before:
        rows = rows.filter(id__lt=_contact(before).id)
    page = list(rows.only("id", "public_id", "created_at", "updated_at")[: PAGE + 1])
    listed = page[:PAGE]
    trail.record("contact.listed", detail={"count": len(listed)})
    context = {
        "rows": rows_of(listed),
        "search": Search(),
        "next": f"?before={listed[-1].public_id}" if len(page) > PAGE else "",
        "first": reverse("contacts") if before else "",
        "may_search": staff_of(request).may(Permission.CONTACTS_SEARCH),
        "may_name": staff_of(request).may(Permission.CONTACTS_REVEAL_IDENTITY),
    }
    return render(request, "contacts/list.html", context)


@require_POST
@requires(Permission.CONTACTS_VIEW)
def names(request: HttpRequest) -> HttpResponse:
    """Give the names of the contacts on a page of the list; each is an entry in the trail."""
    asked = [_uuid(value) for value in request.POST.getlist("contact")[:PAGE]]
    found = list(Contact.objects.filter(public_id__in=asked, erased_at=None).order_by("-id"))
    values = _reveal([contact.id for contact in found], [DataClass.IDENTITY], "contact_list")
    rows = rows_of(found)
    for row in rows:
        row["name"] = shown.name(values.get(row["contact"].id, {}))
    return render(request, "contacts/_rows.html", {"rows": rows})


@require_POST
@requires(Permission.CONTACTS_SEARCH)
def search(request: HttpRequest) -> HttpResponse:
    """Find contacts by an exact identifier; one found opens its page."""
    form = Search(request.POST)
    found: list[Contact] = []
    if form.is_valid():
        with transaction.atomic():
            found = matching.find(form.cleaned_data["kind"], form.cleaned_data["value"])
        if len(found) == 1:
            return redirect("contact", found[0].public_id)
    context = {"search": form, "rows": rows_of(found)}
    return render(request, "contacts/found.html", context)


@require_safe
@requires(Permission.CONTACTS_VIEW)
def contact(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what is known of one person, masked; what happened; where the person belongs."""
    person = _contact(public_id)
    user, fields = staff_of(request), registry.current()
    trail.record("contact.viewed", subject=f"contact:{person.id}", detail={"purpose": "page"})
    context = {
        "contact": person,
        "tabs": tabs(person, "contact"),
        "sources": _sources([person.id]).get(person.id, []),
        "panels": [_panel(person, kind, user, fields) for kind in PANELS],
        "happened": timeline.events_of(person.id, classes=user.data_classes),
        "messages_of": timeline.messages_of(person.id, classes=user.data_classes),
        "consent_address": address("consent-person", person.public_id),
        "death": Death() if user.may(Permission.CONTACTS_WRITE) else None,
        "sees_death": DataClass.IDENTITY in user.data_classes,
        "lists": ContactList.objects.filter(members__contact_id=person.id),
    }
    return render(request, "contacts/contact.html", context)


@require_POST
@requires(Permission.CONTACTS_VIEW)
def values(request: HttpRequest, public_id: UUID, data_class: str) -> HttpResponse:
    """Open one class of a person's facts: needs the role, and stands in the trail."""
    person = _contact(public_id)
    kind = _class(data_class)
    user, fields, now = staff_of(request), registry.current(), timezone.now()
    opened = _reveal([person.id], _betrayed(kind), "contact_page").get(person.id, {})
    panel = _panel(person, kind, user, fields) | {
        "open": True,
        "facts": shown.with_origins(
            shown.facts(opened, kind, fields=fields, zone=user.organisation.zone),
            provenance(person, kind),
        ),
        "correcting": _correcting(kind, user),
        "reasons": reasons(person.id, now=now, granted=user.data_classes)
        if kind is DataClass.ENGAGEMENT
        else [],
    }
    context = {"contact": person, "panel": panel, "now": now}
    template = "contacts/_panel.html" if request.htmx else "contacts/opened.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _betrayed(kind: DataClass) -> list[DataClass]:
    """The last visit and the journey stage are worked out from visits and appointments: to see them
    takes the role for those, and why somebody is at a stage is told by them."""
    return [kind, DataClass.CLINICAL] if kind is DataClass.ENGAGEMENT else [kind]


def _reveal(
    ids: Sequence[int], classes: Sequence[DataClass], purpose: str
) -> dict[int, dict[str, Any]]:
    try:
        return reveal(ids, classes, purpose=purpose)
    except RevealRefused as refused:
        raise PermissionDenied(str(refused)) from None


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Http404("no such contact") from None


def _contact(public_id: object) -> Contact:
    return person_of(_uuid(public_id))


def _class(name: str) -> DataClass:
    if name not in {kind.value for kind in PANELS}:
        raise Http404("no such class of facts")
    return DataClass(name)


def _sources(ids: Sequence[int]) -> dict[int, list[str]]:
    sources: dict[int, list[str]] = {}
    rows = Identifier.objects.filter(contact_id__in=ids).order_by("source")
    for contact_id, source in rows.values_list("contact_id", "source"):
        sources.setdefault(contact_id, []).append(source)
    return sources


def rows_of(found: Sequence[Contact]) -> list[dict[str, Any]]:
    ids = [contact.id for contact in found]
    sources, latest = _sources(ids), timeline.latest_of(ids)
    return [
        {
            "contact": contact,
            "short": contact.public_id.hex[-6:],
            "sources": sorted(set(sources.get(contact.id, []))),
            "latest": latest.get(contact.id),
        }
        for contact in found
    ]


def _correcting(kind: DataClass, user: User) -> Correcting | None:
    """The form that puts a value right, for who may, where the class has values to be said."""
    if (
        user.may(Permission.CONTACTS_WRITE)
        and kind.value in user.data_classes
        and correctable(kind)
    ):
        return Correcting(kind=kind)
    return None


def _panel(
    person: Contact, kind: DataClass, user: User, fields: Mapping[str, Field]
) -> dict[str, Any]:
    return {
        "class": kind.value,
        "label": shown.CLASS_LABELS[kind],
        "holds": [field.label for field in naming.fields_for(fields_of(kind, fields=fields), user)],
        "known": kind not in SEALED_CLASSES or getattr(person, kind.value) is not None,
        "may_open": user.data_classes.issuperset(_betrayed(kind)),
        "role": user.role_label,
    }
