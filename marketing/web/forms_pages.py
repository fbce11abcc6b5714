"""Forms that people sign: the list, the designer, versions and publication."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.models import FormVersion
from consent.signing import designing, stored, wording
from consent.signing.models import Form
from consent.signing.wording import ELEMENTS, STANDARD, Elements, Expiry, Fault, Words
from contacts.fields import DataClass, Sensitivity
from messaging.models import PURPOSES
from messaging.words import LANGUAGES

CHANNELS = [("email", "E-mail"), ("sms", "Text message"), ("phone", "Telephone"), ("post", "Post")]
ENDS = [
    ("years", "So many years after it is signed"),
    ("date", "On a day"),
    ("event", "With an event"),
    ("never", "Never (research only)"),
]
LABELS = {
    "title": "Title",
    "information": "What information",
    "disclosers": "Who may use or disclose it",
    "recipients": "Who may receive it",
    "purpose": "What for",
    "expiry": "When it ends, in words",
    "revocation": "That it can be withdrawn, and how",
    "conditioning": "That care does not depend on it",
    "redisclosure": "That it may be disclosed again",
    "remuneration": "That somebody pays (where somebody does)",
}


def _covered() -> list[tuple[str, str]]:
    classes = [(one.value, one.value.replace("_", " ").capitalize()) for one in DataClass]
    labels = [
        (one.name.lower(), f"Labelled {one.name.lower().replace('_', ' ')}")
        for one in Sensitivity
        if one.name and one is not Sensitivity.NONE
    ]
    return [*classes, *labels]


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Codes(forms.Form):
    """What a form decides: purposes, information, channels and end."""

    purposes = forms.MultipleChoiceField(
        label="It permits", choices=PURPOSES, widget=forms.CheckboxSelectMultiple, required=False
    )
    covers = forms.MultipleChoiceField(
        label="It covers", choices=_covered(), widget=forms.CheckboxSelectMultiple, required=False
    )
    channels = forms.MultipleChoiceField(
        label="By which channels",
        choices=CHANNELS,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Marketing by text message needs its own mention (47 CFR 64.1200(f)).",
    )
    ends = forms.ChoiceField(label="It ends", choices=ENDS)
    years = forms.IntegerField(label="Years", required=False, min_value=0, max_value=50)
    day = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    event = forms.RegexField(
        r"^[a-z0-9_.]{0,60}$",
        label="Event",
        required=False,
        help_text="The kind of contact event that ends it, such as treatment.ended.",
    )

    def elements(self, words: Mapping[str, Words]) -> Elements:
        given = self.cleaned_data
        return Elements(
            purposes=frozenset(given["purposes"]),
            covers=frozenset(given["covers"]),
            channels=frozenset(given["channels"]),
            expiry=Expiry(given["ends"], given["years"] or 0, given["day"], given["event"]),
            words=words,
        )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONSENT_VIEW, changing=Permission.FORMS_EDIT)
def forms_list(request: HttpRequest) -> HttpResponse:
    """List the forms; a POST begins another."""
    fault = ""
    if request.method == "POST":
        name = _plain(request.POST.get("name", "")).strip()[:120]
        try:
            if name:
                made = designing.create(name, now=timezone.now())
                return redirect("form", made.id)
            fault = "Give the form a name."
        except designing.NameTaken:
            fault = "Another form has this name. Choose another."
    context = {
        "rows": Form.objects.filter(archived_at=None).order_by("name"),
        "may_edit": staff_of(request).may(Permission.FORMS_EDIT),
        "fault": fault,
    }
    return render(request, "consent/forms.html", context, status=422 if fault else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONSENT_VIEW, changing=Permission.FORMS_EDIT)
def form(request: HttpRequest, form_id: UUID) -> HttpResponse:
    """One form: its draft, what is missing, how it will read, what was published."""
    found = get_object_or_404(Form, id=form_id)
    elements = stored.load(found.draft)
    if request.method != "POST":
        return _page(request, found, elements, _codes(elements))
    codes, words = Codes(request.POST), _words(request.POST, elements)
    if not codes.is_valid():
        return _page(request, found, elements, codes, status=422)
    elements = codes.elements(words)
    faults = designing.save(found.id, elements, now=timezone.now())
    if request.POST.get("act") == "publish" and not faults:
        return _publish(request, found)
    if faults:
        messages.warning(request, "Saved. What is missing stands on the page.")
    else:
        messages.success(request, "Saved. Nothing is missing.")
    return redirect("form", found.id)


def _publish(request: HttpRequest, found: Form) -> HttpResponse:
    versions = designing.publish(found.id, now=timezone.now())
    number = versions[0].number
    messages.success(request, f"Version {number} is published. It never changes.")
    return redirect("form", found.id)


@require_POST
@requires(Permission.FORMS_EDIT)
def archive(request: HttpRequest, form_id: UUID) -> HttpResponse:
    found = get_object_or_404(Form, id=form_id)
    designing.archive(found.id, now=timezone.now())
    messages.success(request, "Nobody is asked to sign it any more. What was signed stands.")
    return redirect("forms")


def _codes(elements: Elements) -> Codes:
    expiry = elements.expiry
    return Codes(
        initial={
            "purposes": sorted(elements.purposes),
            "covers": sorted(elements.covers),
            "channels": sorted(elements.channels),
            "ends": expiry.kind,
            "years": expiry.years or None,
            "day": expiry.day,
            "event": expiry.event,
        }
    )


def _plain(text: str) -> str:
    """Drop what no keyboard writes and the database does not keep, such as NUL."""
    return _CONTROL.sub("", text)


def _words(given: Mapping[str, str], elements: Elements) -> dict[str, Words]:
    """Return the words of each language on the page, and of one that is added now."""
    words = {
        language: Words(
            **{key: _plain(given.get(f"{language}-{key}", ""))[:10_000] for key in LABELS}
        )
        for language in elements.words
    }
    added = given.get("add", "")
    if added in LANGUAGES and added not in words:
        words[added] = STANDARD.get(added, Words())
    return words


def _page(
    request: HttpRequest, found: Form, elements: Elements, codes: Codes, *, status: int = 200
) -> HttpResponse:
    faults = wording.faults(elements)
    context = {
        "form_row": found,
        "codes": codes,
        "faults": [] if codes.errors else faults,
        "texts": [_text(language, elements, faults) for language in sorted(elements.words)],
        "more": [one for one in LANGUAGES.items() if one[0] not in elements.words],
        "versions": _versions(found),
        "unchanged": any(one.elements == found.draft for one in designing.published(found)),
        "may_edit": staff_of(request).may(Permission.FORMS_EDIT) and not found.archived_at,
        "today": date.today,
    }
    return render(request, "consent/form.html", context, status=status)


def _text(language: str, elements: Elements, faults: Sequence[Fault]) -> dict[str, Any]:
    words = elements.words[language]
    missing = {one.element for one in faults if one.language == language}
    return {
        "language": language,
        "name": LANGUAGES.get(language, language),
        "rows": [
            {
                "key": f"{language}-{key}",
                "label": label,
                "value": getattr(words, key),
                "must": ELEMENTS.get(key, ""),
                "missing": key in missing,
            }
            for key, label in LABELS.items()
        ],
        "document": wording.compose(elements, language),
    }


def _versions(found: Form) -> list[FormVersion]:
    return list(FormVersion.objects.filter(name=found.name).order_by("-number", "language"))
