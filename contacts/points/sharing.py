"""How many other people share an address; who they are is for those who may search."""

from __future__ import annotations

from collections.abc import Collection

from accounts import tenancy
from contacts import persons
from contacts.points.models import ContactPoint
from crypto.rows import binary_cursor

_USERS = """
SELECT value_index, coalesce(c.merged_into, c.id) FROM (
    SELECT email_index AS value_index, id AS contact_id FROM contacts_contact
    WHERE organisation_id = %b AND email_index = ANY(%b::bytea[])
    UNION ALL
    SELECT phone_index, id FROM contacts_contact
    WHERE organisation_id = %b AND phone_index = ANY(%b::bytea[])
    UNION ALL
    SELECT value_index, contact_id FROM contacts_contactpoint
    WHERE organisation_id = %b AND value_index = ANY(%b::bytea[])
) AS used JOIN contacts_contact c ON c.id = used.contact_id
"""


def others(contact_id: int, indexes: Collection[bytes]) -> dict[bytes, int]:
    """Return how many other people have each address."""
    if not indexes:
        return {}
    here, wanted = tenancy.current(), list(indexes)
    me = persons.standing_for([contact_id])[contact_id]
    with binary_cursor() as cursor:
        cursor.execute(_USERS, [here, wanted] * 3)
        used = {(bytes(index), person) for index, person in cursor.fetchall()}
    return {
        one: sum(index == one and person != me for index, person in used) for one in set(indexes)
    }


def contacts_with(kind: str, index: bytes) -> set[int]:
    """Return the contacts that have this address in a row of their own."""
    rows = ContactPoint.objects.filter(
        organisation_id=tenancy.current(), kind=kind, value_index=index
    )
    return set(rows.values_list("contact_id", flat=True))
