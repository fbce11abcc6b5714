"""What the pages of one person share: who is meant, and the way from one page to the next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from django.urls import reverse

from contacts import matching
from contacts.models import Contact

_TABS = (
    ("Person", "contact"),
    ("Addresses", "contact-points"),
    ("Keys", "contact-keys"),
    ("Family", "contact-family"),
    ("Workflows", "contact-workflows"),
    ("History", "contact-history"),
)


def person_of(public_id: UUID) -> Contact:
    """Return the contact, or the one that it was merged into; raise a 404 where there is none."""
    contact_id = matching.ids_by_public_id([public_id]).get(public_id)
    if contact_id is None:
        raise Http404("no such contact")
    return Contact.objects.get(pk=contact_id)


def tabs(person: Contact, here: str) -> list[dict[str, Any]]:
    """Return the pages of a person, with the one that is open marked."""
    return [
        {"label": label, "address": reverse(route, args=[person.public_id]), "here": route == here}
        for label, route in _TABS
    ]
