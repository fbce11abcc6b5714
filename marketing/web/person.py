"""What the pages of one person share: who is meant, and the way from one page to the next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from contacts.models import Contact

_TABS = (
    ("Person", "contact"),
    ("Addresses", "contact-points"),
)


def person_of(public_id: UUID) -> Contact:
    """Return the contact; raise a 404 where there is none, or no more."""
    found = Contact.objects.filter(public_id=public_id, erased_at=None).first()
    if found is None:
        raise Http404("no such contact")
    return found


def tabs(person: Contact, here: str) -> list[dict[str, Any]]:
    """Return the pages of a person, with the one that is open marked."""
    return [
        {"label": label, "address": reverse(route, args=[person.public_id]), "here": route == here}
        for label, route in _TABS
    ]
