"""Find contacts by an exact value: e-mail address, phone or record number. Nothing fuzzy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import tenancy
from audit import trail
from contacts import identity
from contacts.canonical import ValueRefused, email_form, phone_form
from contacts.identity import Owner
from contacts.models import Contact, Identifier
from contacts.points import sharing
from crypto import blind_index
from crypto.rows import binary_cursor

Kind = Literal["email", "phone", "record_number"]


def find(kind: Kind, value: str, *, source: str | None = None, limit: int = 50) -> list[Contact]:
    """Return the contacts with exactly this value; the search itself goes into the trail.

    A record number without its source is looked for in every source that the organisation has.
    """
    found = list(_matching(kind, value, source)[:limit]) if value.strip() else []
    trail.record("contact.searched", detail={"kind": kind, "found": len(found)})
    return found


def _matching(kind: Kind, value: str, source: str | None) -> QuerySet[Contact]:
    organisation_id = tenancy.current()
    living = Contact.objects.filter(erased_at=None).order_by("id")
    if kind == "email":
        index = blind_index.token(organisation_id, "email", email_form(value))
        return _reached(living.filter(organisation_id=organisation_id), kind, index)
    if kind == "phone":
        index = blind_index.token(organisation_id, "phone", phone_form(value))
        return _reached(living.filter(organisation_id=organisation_id), kind, index)
    sources = [source] if source else list(known_sources())
    try:
        numbers = [(name, identity.number_form(value)) for name in sources]
    except ValueRefused:  # no record has such a number
        return living.none()
    owners = identity.known(organisation_id, identity.tokens(organisation_id, numbers))
    return living.filter(id__in=[owner.contact_id for owner in owners.values()])


def _reached(living: QuerySet[Contact], kind: str, index: bytes) -> QuerySet[Contact]:
    """Return who has the address in the record, or among further ones."""
    further = sharing.contacts_with(kind, index)
    here = Q(**{f"{kind}_index": index})
    return living.filter(here | Q(id__in=further) if further else here)


def known_sources() -> list[str]:
    """Return the names of the source systems that numbers have come from."""
    return list(Identifier.objects.order_by("source").values_list("source", flat=True).distinct())


def ids_by_number(numbers: Sequence[tuple[str, str]]) -> list[int | None]:
    """Return the contact id of each (source, record number), None where nobody has it."""
    return [owner.contact_id if owner else None for owner in owners_by_number(numbers)]


def owners_by_number(numbers: Sequence[tuple[str, str]]) -> list[Owner | None]:
    """Return whose each (source, record number) is, None where nobody has it."""
    clean = [(identity.source_form(s), identity.number_form(n)) for s, n in numbers]
    tokens = identity.tokens(tenancy.current(), clean)
    owners = identity.known(tenancy.current(), set(tokens))
    return [owners.get(token) for token in tokens]


def ids_by_public_id(public_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return the contact ids behind public ids; unknown and erased ones are missing.

    The id of a contact that was merged leads to the one that stands for the person.
    """
    return {one: owner.contact_id for one, owner in owners_by_public_id(public_ids).items()}


def owners_by_public_id(public_ids: Iterable[UUID]) -> dict[UUID, Owner]:
    """Return who stands for the person of each public id, and which merged contact was named."""
    with binary_cursor() as cursor:  # every event that comes in asks this
        cursor.execute(
            "SELECT public_id, coalesce(merged_into, id),"
            " CASE WHEN merged_into IS NOT NULL THEN id END FROM contacts_contact"
            " WHERE public_id = ANY(%b::uuid[]) AND (erased_at IS NULL OR merged_into IS NOT NULL)",
            [list(public_ids)],
            prepare=True,
        )
        return {public_id: Owner(one, origin) for public_id, one, origin in cursor.fetchall()}


def public_ids(contact_ids: Iterable[int]) -> dict[int, UUID]:
    """Return the public ids of contacts, for links and answers."""
    rows = Contact.objects.filter(id__in=list(contact_ids))
    return dict(rows.values_list("id", "public_id"))
