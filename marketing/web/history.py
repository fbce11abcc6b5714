"""What was known of a person before, who changed it; and correcting a value by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from contacts import amending, registry
from contacts.canonical import ValueRefused
from contacts.facts import CLEAR
from contacts.fields import SEALED_CLASSES, DataClass, Field, FieldType, fields_of
from contacts.history import addresses, reading
from contacts.history.reading import Changed
from contacts.models import Contact, ContactPoint
from contacts.reveal import RevealRefused
from marketing.web import shown
from marketing.web.person import person_of, tabs

_BY_HAND = frozenset(
    {
        FieldType.TEXT,
        FieldType.NUMBER,
        FieldType.DECIMAL,
        FieldType.BOOLEAN,
        FieldType.DATE,
        FieldType.DATETIME,
        FieldType.TIME,
        FieldType.CHOICE,
        FieldType.CHOICES,
        FieldType.CODED,
    }
)


class Correcting(forms.Form):
    """One value of one class, put right by a person."""

    field = forms.ChoiceField(label="What is wrong")
    value = forms.CharField(
        required=False,
        max_length=1000,
        label="The right value",
        help_text="A date as 1961-02-03; yes or no; several choices with ; between; a code after "
        "its system, as ICD-10-CM E11.9. Left empty, the value is removed.",
    )

    def __init__(self, *args: Any, kind: DataClass, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = f"correct_{kind.value}_%s"
        choices = [(one.key, one.label) for one in correctable(kind)]
        self.fields["field"] = forms.ChoiceField(label="What is wrong", choices=choices)
        self.order_fields(["field", "value"])


def correctable(kind: DataClass) -> Sequence[Field]:
    """Return the fields of a class that a person may put right: single values, not derived."""
    fields = registry.current()
    return [
        one
        for one in fields_of(kind, fields=fields)
        if one.type in _BY_HAND and not one.derived_from and not one.archived
    ]


@require_safe
@requires(Permission.CONTACTS_VIEW)
def history(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show who changed what and when, without values."""
    person = person_of(public_id)
    return _shown(request, person, reading.changes_of(person.id))


@require_POST
@requires(Permission.CONTACTS_VIEW)
def values(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what stood before and after, as far as the role goes; it stands in the trail."""
    person, user = person_of(public_id), staff_of(request)
    classes = [kind for kind in SEALED_CLASSES if kind.value in user.data_classes]
    if not classes:
        raise PermissionDenied("your role may not see values of contacts")
    try:
        found = reading.revealed(person.id, classes, purpose="history")
    except RevealRefused as refused:
        raise PermissionDenied(str(refused)) from None
    return _shown(request, person, found, revealed=True)


@require_POST
@requires(Permission.CONTACTS_WRITE)
def correct(request: HttpRequest, public_id: UUID, data_class: str) -> HttpResponse:
    """Put one value right; what stood before stays in the history."""
    person, user = person_of(public_id), staff_of(request)
    if data_class not in {kind.value for kind in SEALED_CLASSES}:
        raise Http404("no such class of facts")
    if data_class not in user.data_classes:
        raise PermissionDenied("your role may not see these facts")
    form = Correcting(request.POST, kind=DataClass(data_class))
    if not form.is_valid():
        why = "choose what is wrong" if "field" in form.errors else "the value is too long"
        messages.error(request, f"Nothing was corrected: {why}.")
        return redirect("contact", person.public_id)
    key, value = form.cleaned_data["field"], form.cleaned_data["value"].strip()
    try:
        told = amending.amend(
            {person.id: {key: value or CLEAR}}, source="staff", now=timezone.now()
        )
    except ValueRefused as refused:
        messages.error(request, f"Nothing was corrected: the value {refused.reason}.")
        return redirect("contact", person.public_id)
    messages.success(request, "1 value corrected." if told else "That is what was known already.")
    return redirect("contact", person.public_id)


def _shown(
    request: HttpRequest, person: Contact, found: Sequence[Changed], *, revealed: bool = False
) -> HttpResponse:
    fields = registry.current()
    context = {
        "contact": person,
        "tabs": tabs(person, "contact-history"),
        "rows": [
            {
                "change": one,
                "class": shown.CLASS_LABELS[DataClass(one.row.data_class)],
                "differences": _differences(one, fields),
            }
            for one in found
        ],
        "revealed": revealed,
        "may_reveal": bool(staff_of(request).data_classes),
    }
    return render(request, "contacts/history.html", context)


def _differences(one: Changed, fields: Any) -> list[dict[str, str]]:
    return [
        {
            "label": fields[key].label if key in fields else _OTHER_LABELS.get(key, key),
            "before": _text(old),
            "after": _text(new),
        }
        for key, (old, new) in one.fields.items()
    ]


_OTHER_LABELS = {addresses.FIELD: "Address"}
_KINDS = dict(ContactPoint.Kind.choices)
_USES = dict(ContactPoint.Use.choices)
_STATES = dict(ContactPoint.State.choices)


def _address(told: Mapping[str, Any]) -> str:
    value = told["value"]
    days = [
        f"{word} {told[name]}"
        for word, name in (("from", "starts_on"), ("until", "ends_on"))
        if told[name]
    ]
    said = [
        value if isinstance(value, str) else ", ".join(value.values()),
        _KINDS.get(told["kind"], ""),
        _USES.get(told["use"], ""),
        _STATES.get(told["state"], ""),
        "preferred" if told["preferred"] else "",
        "confidential" if told["reserved"] else "",
        *days,
    ]
    return " · ".join(one for one in said if one)


def _text(value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict) and "reserved" in value:
        return _address(value)
    if isinstance(value, dict):
        what = value.get("display") or value.get("code") or value.get("value") or ""
        parts = [
            str(what),
            str(value.get("status") or ""),
            str(value.get("at") or value.get("date") or ""),
        ]
        return " · ".join(part for part in parts if part)
    return str(value)
