"""What segments and dates may ask of known people, read once for everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from accounts import tenancy
from contacts import registry
from contacts.models import ListMember, ordinal_of
from contacts.segments import building, opening
from contacts.segments.definition import Definition
from contacts.segments.facts import Facts, Happening
from contacts.segments.nodes import asked_of_events, walk
from crypto.rows import binary_cursor


def read(
    ids: Sequence[int], definitions: Iterable[Definition], dates: Collection[str]
) -> dict[int, Facts]:
    clauses = [clause for one in definitions for clause in walk(one.root)]
    fields = registry.current()
    keys = {str(clause.field) for clause in clauses if hasattr(clause, "field")} | set(dates)
    keys &= set(fields)
    kinds = {such.kind for clause in clauses for such in asked_of_events(clause)}
    values = opening.values_of(tenancy.current(), list(ids), keys) if keys and ids else {}
    events = _events(ids, kinds) if kinds and ids else {}
    lists: dict[int, set[UUID]] = defaultdict(set)
    for contact_id, list_id in ListMember.objects.filter(contact_id__in=list(ids)).values_list(
        "contact_id", "list_id"
    ):
        lists[contact_id].add(list_id)
    return {
        one: Facts(
            building.facts_values(values.get(one, {}), fields),
            tuple(events.get(one, ())),
            frozenset(lists.get(one, ())),
            ordinal=ordinal_of(one),
        )
        for one in ids
    }


def _events(ids: Sequence[int], kinds: Collection[str]) -> Mapping[int, list[Happening]]:
    found: dict[int, list[Happening]] = defaultdict(list)
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, kind, occurred_at, campaign, link, machine FROM contacts_event"
            " WHERE organisation_id = %b AND contact_id = ANY(%b::int8[])"
            " AND kind = ANY(%b::text[]) ORDER BY occurred_at",
            [tenancy.current(), list(ids), sorted(kinds)],
        )
        for contact_id, kind, at, campaign, link, machine in cursor.fetchall():
            found[contact_id].append(Happening(kind, at, campaign, link, machine))
    return found
