"""Erase a person: what goes and what stays is counted and said first, then it is done for good."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.guard import requires
from accounts.roles import Permission
from audit import trail
from contacts import erase
from contacts.models import Contact
from marketing.web.person import person_of

GONE: Mapping[str, tuple[str, str]] = {
    "records": ("record with all its values", "records with all their values"),
    "record_numbers": ("record number", "record numbers"),
    "addresses": ("further address", "further addresses"),
    "changes": ("change in the history", "changes in the history"),
    "details_of_events": ("event loses what it says", "events lose what they say"),
    "list_places": ("place on a list", "places on lists"),
    "households": ("place in a household", "places in households"),
    "representatives": ("representative's authority", "representatives' authorities"),
    "messages_waiting": ("waiting message is cancelled", "waiting messages are cancelled"),
    "contents_of_messages": ("sent message's content", "sent messages' contents"),
    "answers": ("answer that the person wrote", "answers that the person wrote"),
    "mail_keys": ("certificate or key for mail", "certificates or keys for mail"),
    "journeys": ("workflow stops for this person", "workflows stop for this person"),
}
KEPT: Mapping[str, tuple[str, str]] = {
    "opt_outs": ("opt-out, by the address's hash", "opt-outs, by the addresses' hashes"),
    "suppressions": ("suppression", "suppressions"),
    "authorizations": ("signed authorization, as proof", "signed authorizations, as proof"),
    "acts_of_consent": ("entry in the consent ledger", "entries in the consent ledger"),
}


class Erasing(forms.Form):
    """Why, and how much was shown."""

    reason = forms.ChoiceField(choices=list(erase.REASONS.items()), label="Why")
    expected = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONTACTS_ERASE, fresh=True)
def erasing(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say what erasing takes and leaves; POST erases exactly that, or nothing."""
    person = person_of(public_id)
    if request.method == "POST" and _erased(request, person):
        messages.success(request, "1 person erased. It cannot be undone.")
        return redirect("contacts")
    foreseen = erase.foresee(person.pk)
    trail.record("contact.viewed", subject=f"contact:{person.pk}", detail={"purpose": "erasing"})
    context = {
        "contact": person,
        "gone": worded(foreseen.gone, GONE),
        "kept": worded(foreseen.kept, KEPT),
        "form": Erasing(initial={"expected": foreseen.total}),
        "as_of": timezone.now(),
    }
    return render(request, "contacts/erase.html", context)


def _erased(request: HttpRequest, person: Contact) -> bool:
    form = Erasing(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was erased: say why.")
        return False
    given = form.cleaned_data
    try:
        erase.erase(
            person.pk, now=timezone.now(), reason=given["reason"], expected=given["expected"]
        )
    except erase.CountChanged:
        messages.error(request, "Nothing was erased: what is known changed since. Look again.")
        return False
    except erase.AlreadyErased:
        messages.info(request, "The person was erased already.")
    return True


def worded(counts: Mapping[str, int], words: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return each count with its words, in the order of the words."""
    return [
        f"{counts[name]:,} {one if counts[name] == 1 else many}"
        for name, (one, many) in words.items()
        if counts.get(name)
    ]
