"""A person's certificate or OpenPGP key: shown, added, replaced, removed by staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts.models import Contact
from marketing.web.person import person_of, tabs
from messaging.protection.keys import keeping, reading
from messaging.protection.keys.reading import KeyRefused

SEE = Permission.CONTACTS_REVEAL_IDENTITY
CHANGE = Permission.CONTACTS_WRITE


class Adding(forms.Form):
    """A file, or the text of one."""

    file = forms.FileField(label="File", required=False, max_length=200)
    text = forms.CharField(
        label="Or its text",
        required=False,
        max_length=reading.LARGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text="A certificate (PEM or DER, RSA) or an OpenPGP public key that names an address "
        "of this person. It replaces the one before of its kind.",
    )

    def raw(self) -> bytes:
        given = self.cleaned_data.get("file")
        return given.read() if given else str(self.cleaned_data.get("text", "")).encode()


@require_http_methods(["GET", "HEAD", "POST"])
@requires(SEE, changing=CHANGE)
def keys(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the keys of a person; POST adds one."""
    person = person_of(public_id)
    form = Adding(request.POST, request.FILES) if request.method == "POST" else Adding()
    if request.method == "POST" and form.is_valid():
        try:
            keeping.add(person.pk, form.raw(), source="staff", now=timezone.now())
        except KeyRefused as refused:
            form.add_error("text", str(refused))
        else:
            messages.success(request, "Kept. Messages that may are encrypted to it from now on.")
            return redirect("contact-keys", person.public_id)
    return _page(request, person, form, status=422 if form.errors else 200)


def _page(request: HttpRequest, person: Contact, form: Adding, *, status: int) -> HttpResponse:
    now = timezone.now()
    found = keeping.of_contact(person.pk)
    trail.record(
        "recipient_key.viewed", subject=f"contact:{person.pk}", detail={"count": len(found)}
    )
    context: dict[str, Any] = {
        "contact": person,
        "tabs": tabs(person, "contact-keys"),
        "keys": [(one, one.expired(now=now)) for one in found],
        "form": form,
        "may_change": staff_of(request).may(CHANGE),
    }
    return render(request, "contacts/keys.html", context, status=status)


@require_POST
@requires(CHANGE)
def remove(request: HttpRequest, public_id: UUID, key_id: UUID) -> HttpResponse:
    person = person_of(public_id)
    if keeping.remove(person.pk, key_id, now=timezone.now()):
        messages.success(request, "Removed. Nothing is encrypted to it any more.")
    return redirect("contact-keys", person.public_id)
