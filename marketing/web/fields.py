"""Fields: the standard catalogue, and those that the organisation adds, with what leans on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import custom_fields, dependants, registry
from contacts.custom_fields import FieldRefused, NoSuchField, StillUsed
from contacts.declared.models import KINDS, CustomField
from contacts.fields import FIELDS, DataClass, FieldType, Sensitivity
from contacts.segments import evaluate, references, told
from contacts.segments.definition import parse
from marketing.web import naming
from marketing.web.addresses import address
from marketing.web.shown import CLASS_LABELS, LABEL_NAMES

get_and_post = require_http_methods(["GET", "HEAD", "POST"])

TYPE_LABELS = {
    FieldType.TEXT: "Text",
    FieldType.NUMBER: "Number",
    FieldType.DECIMAL: "Exact decimal",
    FieldType.BOOLEAN: "Yes or no",
    FieldType.DATE: "Date",
    FieldType.TIME: "Time of day",
    FieldType.DATETIME: "Date and time",
    FieldType.CHOICE: "One of several choices",
    FieldType.CHOICES: "Any of several choices",
    FieldType.CODED: "Coded value",
    FieldType.CODES: "List of codes",
    FieldType.RESULTS: "Newest results",
    FieldType.OCCURRENCES: "List of dated things",
    FieldType.NUMBERS: "Record numbers",
}
NONE = "none"
_ROUTES = {"segment": "segment", "template": "template", "workflow": "workflow"}


class Labelled(forms.Form):
    """What may be changed of a field at any time."""

    label = forms.CharField(
        max_length=80, label="Name", error_messages={"required": "Give the field a name."}
    )
    labels = forms.MultipleChoiceField(
        error_messages={"required": "Choose what applies, or none of these."},
        label="Sensitivity",
        help_text="What law or policy asks more care for. Segments that ask about the field carry "
        "its labels. Say none only if none applies.",
        choices=[*LABEL_NAMES.items(), (NONE, "None of these")],
        widget=forms.CheckboxSelectMultiple,
    )
    choices = forms.CharField(
        required=False,
        label="Choices",
        help_text="For the two types with choices: one a line, in the order in which they are "
        "shown.",
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def clean_labels(self) -> list[str]:
        labels: list[str] = self.cleaned_data["labels"]
        if NONE in labels and len(labels) > 1:
            raise forms.ValidationError("Choose labels, or none of these; not both.")
        return [label for label in labels if label != NONE]

    def clean_choices(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]


class NewField(Labelled):
    """Everything that a field is; type, class and key stay as they are for good."""

    key = forms.CharField(
        required=False,
        max_length=47,
        label="Key",
        help_text="How files and the API call it: custom_, then a-z, 0-9 and _. Left empty, it is "
        "made of the name. It is never used twice and says nothing of a person.",
    )
    type = forms.ChoiceField(
        label="Type", choices=[(kind.value, TYPE_LABELS[kind]) for kind in KINDS]
    )
    data_class = forms.ChoiceField(
        label="Data class",
        error_messages={"required": "Choose the class of its values."},
        help_text="Decides which roles may see its values and how it is sealed. It cannot be "
        "changed later.",
        choices=[
            ("", "Choose a class"),
            *((kind.value, CLASS_LABELS[kind]) for kind in custom_fields.CLASSES),
        ],
    )
    field_order = ("label", "key", "type", "choices", "data_class", "labels")


@require_safe
@requires(Permission.FIELDS_VIEW)
def fields(request: HttpRequest) -> HttpResponse:
    """List the organisation's own fields, then the standard ones by class."""
    own = CustomField.objects.exclude(state=CustomField.State.DELETED).order_by("state", "label")
    open_ = naming.opens(staff_of(request), keeping=Permission.FIELDS_MANAGE)
    context = {
        "own": [_row(field, open_=open_ or not field.labels) for field in own],
        "standard": [
            (CLASS_LABELS[kind], [_standard(key) for key in _keys_of(kind)]) for kind in DataClass
        ],
        "may_manage": staff_of(request).may(Permission.FIELDS_MANAGE),
    }
    return render(request, "settings/fields.html", context)


@get_and_post
@requires(Permission.FIELDS_MANAGE)
def new(request: HttpRequest) -> HttpResponse:
    """Add a field."""
    form = NewField(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            field = custom_fields.add(
                label=data["label"],
                type_=data["type"],
                data_class=data["data_class"],
                labels=data["labels"],
                choices=data["choices"],
                key=data["key"],
                now=timezone.now(),
            )
        except FieldRefused as refused:
            _add_error(form, refused)
        else:
            messages.success(request, f"{field.label} is added; files and the API may fill it now.")
            return redirect("field", field.key)
    return render(request, "settings/new_field.html", {"form": form})


@get_and_post
@requires(Permission.FIELDS_VIEW, changing=Permission.FIELDS_MANAGE)
def one(request: HttpRequest, key: str) -> HttpResponse:
    """Show a field and what leans on it; change what may be changed."""
    field = _field(key)
    if field.labels and not naming.opens(staff_of(request), keeping=Permission.FIELDS_MANAGE):
        raise PermissionDenied
    form = Labelled(request.POST or None, initial=_initial(field))
    chooses = FieldType(field.type) in (FieldType.CHOICE, FieldType.CHOICES)
    if not chooses:
        del form.fields["choices"]
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            custom_fields.change(
                key,
                label=data["label"],
                labels=data["labels"],
                choices=data["choices"] if chooses else None,
                now=timezone.now(),
            )
        except FieldRefused as refused:
            _add_error(form, refused)
        except StillUsed:
            form.add_error("choices", "A choice cannot be taken away while the field is in use.")
        else:
            messages.success(request, "The field is changed.")
            return redirect("field", key)
    context = {
        "row": _row(field),
        "form": form,
        "users": users(dependants.of_field(key)),
        "may_manage": staff_of(request).may(Permission.FIELDS_MANAGE),
    }
    return render(request, "settings/field.html", context)


@require_safe
@requires(Permission.FIELDS_MANAGE)
def holders(request: HttpRequest, key: str) -> HttpResponse:
    """How many people have a value, as far as the role is told; asked before a deletion."""
    user, now = staff_of(request), timezone.now()
    field = replace(_field(key).as_field(), segmentable=True)
    asked = parse({"field": key, "op": "exists"}, fields={**registry.current(), key: field})
    seen = evaluate.preview(asked, now=now)
    classes = [kind.value for kind in references.data_classes(asked)]
    reader = told.reader(classes, user.data_classes, asker=user.pk, now=now)
    count = reader.one(told.of_clause(asked.root), seen.total)
    trail.record(
        "segment.previewed",
        detail={"count": seen.total, "fields": [key], "classes": sorted(classes), "clauses": 1},
    )
    return render(request, "settings/_holders.html", {"count": count, "none": count.number == 0})


@require_POST
@requires(Permission.FIELDS_MANAGE)
def archive(request: HttpRequest, key: str) -> HttpResponse:
    """Take no new values, and offer the field nowhere."""
    return _act(request, key, lambda now: custom_fields.archive(key, now=now), "archived")


@require_POST
@requires(Permission.FIELDS_MANAGE)
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Use an archived field again."""
    return _act(request, key, lambda now: custom_fields.restore(key, now=now), "in use again")


@require_POST
@requires(Permission.FIELDS_MANAGE, fresh=True)
def delete(request: HttpRequest, key: str) -> HttpResponse:
    """Forget the field and every value of it."""
    return _act(request, key, lambda now: custom_fields.delete(key, now=now), "deleted")


def _act(request: HttpRequest, key: str, act: Callable[[Any], object], became: str) -> HttpResponse:
    label = _field(key).label
    try:
        act(timezone.now())
    except StillUsed:
        messages.error(request, f"{label} is in use: take it out of what is listed here first.")
        return redirect("field", key)
    messages.success(request, f"{label} is {became}.")
    return redirect("fields") if became == "deleted" else redirect("field", key)


def users(found: Sequence[dependants.Dependant]) -> list[dict[str, str]]:
    """Return what leans on something, each with the address of its page."""
    return [
        {
            "kind": user.kind,
            "title": user.title,
            "address": address(_ROUTES[user.kind], user.id) if user.kind in _ROUTES else "",
        }
        for user in found
    ]


def _field(key: str) -> CustomField:
    try:
        return custom_fields.one(key)
    except NoSuchField:
        raise Http404("no such field") from None


def _add_error(form: forms.Form, refused: FieldRefused) -> None:
    part = refused.part if refused.part in form.fields else None
    named = {"choices": "These", "key": "The key"}.get(refused.part, "This")
    form.add_error(part, f"{named if part else refused.part} {refused.reason}.")


def _initial(field: CustomField) -> dict[str, Any]:
    return {
        "label": field.label,
        "labels": field.labels or [NONE],
        "choices": "\n".join(field.choices),
    }


def _row(field: CustomField, *, open_: bool = True) -> dict[str, Any]:
    return {
        "field": field,
        "title": field.label if open_ else naming.restricted("field", str(field.pk)),
        "open": open_,
        "type": TYPE_LABELS[FieldType(field.type)],
        "class": CLASS_LABELS[DataClass(field.data_class)],
        "labels": [LABEL_NAMES[label] for label in field.labels],
    }


def _keys_of(kind: DataClass) -> list[str]:
    return [key for key, field in FIELDS.items() if field.data_class is kind]


def _standard(key: str) -> dict[str, Any]:
    field = FIELDS[key]
    return {
        "field": field,
        "type": TYPE_LABELS[field.type],
        "labels": [
            LABEL_NAMES[(label.name or "").lower()]
            for label in Sensitivity
            if label in field.sensitivity
        ],
    }
