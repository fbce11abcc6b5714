"""The one door to the values of contacts: opens the classes asked for, and says so in the trail.

Import it only where the import contract allows. The trail entry is written in the transaction of
the read; where it cannot be written, nothing is revealed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation, User
from audit import trail
from audit.actor import Actor, current
from contacts import packing, registry, stages, writing
from contacts.declared.naming import says_too_much
from contacts.facts import last_visit
from contacts.fields import SEALED_CLASSES, DataClass, Field, stored_in
from crypto import data_keys
from crypto.rows import binary_cursor

BATCH = 8_192


class RevealRefused(PermissionError):
    """The person's role may not see these classes of facts."""

    def __init__(self, classes: Collection[DataClass]) -> None:
        names = ", ".join(sorted(classes))
        super().__init__(f"your role may not see {names} facts of contacts")
        self.classes = frozenset(classes)


def reveal(
    contact_ids: Sequence[int],
    classes: Collection[DataClass],
    *,
    purpose: str,
    now: datetime | None = None,
) -> dict[int, dict[str, Any]]:
    """Return the known values of each contact that exists and is not erased, by field key.

    Staff get only what their role grants, and an entry in the trail for each person; programs get
    one entry for the call. What `readable` leaves out is not among them. `purpose` is a code
    without spaces: `contact-page`, `dispatch`. `now` is when journey stages are asked for; this
    moment, if it is not said.
    """
    wanted = frozenset(DataClass(name) for name in classes)
    actor = current()
    _refuse_beyond_role(actor, wanted)
    revealed: dict[int, dict[str, Any]] = {}
    with transaction.atomic():
        stored = stored_in(readable(wanted))
        remaining = iter(contact_ids)
        while batch := list(islice(remaining, BATCH)):
            revealed |= _open(tenancy.current(), batch, wanted, stored)
        if DataClass.ENGAGEMENT in wanted:
            _stage(revealed, wanted, now or timezone.now())
        _record(actor, revealed.keys(), wanted, purpose)
    return revealed


def _stage(
    revealed: Mapping[int, dict[str, Any]], wanted: frozenset[DataClass], now: datetime
) -> None:
    """Add journey stages; take out what was opened for them only."""
    here = now.astimezone(Organisation.objects.get(pk=tenancy.current()).zone)
    kept_back = stages.READS if DataClass.CLINICAL not in wanted else ()
    for values in revealed.values():
        values["journey_stage"] = stages.stage_of(values, now=here)
        for key in kept_back:
            values.pop(key, None)


def readable(classes: Collection[DataClass]) -> Mapping[str, Field]:
    """Return the fields whose values whoever acts may be shown, when these classes are opened.

    One with a sensitivity label is for those alone who see clinical facts, whatever its class
    (PR-30): a role, or of a machine the classes that its scopes open.
    """
    actor, fields = current(), registry.current()
    granted = may_see(actor) if actor.kind == "staff" else classes
    if actor.kind == "system" or DataClass.CLINICAL in granted:
        return fields
    return {key: field for key, field in fields.items() if not says_too_much(field)}


def may_see(actor: Actor) -> frozenset[DataClass]:
    """Return the classes that the actor's role grants."""
    if actor.kind != "staff":
        return frozenset(DataClass)
    user = User.objects.filter(pk=actor.id, is_active=True).first()
    return frozenset(map(DataClass, user.data_classes)) if user else frozenset()


def _refuse_beyond_role(actor: Actor, wanted: frozenset[DataClass]) -> None:
    if actor.kind == "patient":
        raise RevealRefused(wanted)
    beyond = wanted - may_see(actor)
    if beyond:
        trail.record(
            "contact.revealed",
            outcome="refused",
            detail={"classes": sorted(kind.value for kind in beyond)},
        )
        raise RevealRefused(beyond)


def _open(
    organisation_id: int,
    ids: Sequence[int],
    wanted: frozenset[DataClass],
    readable: Mapping[DataClass, Collection[str]],
) -> dict[int, dict[str, Any]]:
    columns = _columns(wanted)
    names = "".join(f", {kind.value}" for kind in columns)
    with binary_cursor() as cursor:
        cursor.execute(
            f"SELECT id{names} FROM contacts_contact"
            " WHERE id = ANY(%b::int8[]) AND erased_at IS NULL".encode(),
            [list(ids)],
        )
        rows = cursor.fetchall()
    keys = data_keys.load(organisation_id, [row[0] for row in rows])
    return {
        row[0]: _values(organisation_id, row, columns, keys[row[0]], wanted, readable)
        for row in rows
        if row[0] in keys
    }


def _columns(wanted: frozenset[DataClass]) -> list[DataClass]:
    """Return the sealed records to read; the last visit is derived from the clinical one."""
    needed = wanted | ({DataClass.CLINICAL} if DataClass.ENGAGEMENT in wanted else frozenset())
    return [kind for kind in SEALED_CLASSES if kind in needed]


def _values(
    organisation_id: int,
    row: Sequence[Any],
    columns: Sequence[DataClass],
    key: bytes,
    wanted: frozenset[DataClass],
    readable: Mapping[DataClass, Collection[str]],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for kind, sealed in zip(columns, row[1:], strict=True):
        if sealed is None:
            continue
        packed = writing.open_record(organisation_id, row[0], kind.value, key, bytes(sealed))
        opened = packing.read(packed, readable[kind])
        if kind in wanted:
            values |= opened
        if kind is DataClass.CLINICAL and DataClass.ENGAGEMENT in wanted:
            visit = last_visit(opened.get("encounters", ()))
            values |= {"last_visit": visit} if visit else {}
            values |= {key: opened[key] for key in stages.READS if key in opened}
    return values


def _record(actor: Actor, ids: Collection[int], wanted: frozenset[DataClass], purpose: str) -> None:
    classes = sorted(kind.value for kind in wanted)
    if actor.kind == "system":
        subject = f"contact:{next(iter(ids))}" if len(ids) == 1 else ""
        trail.record(
            "contact.revealed",
            subject=subject,
            detail={"purpose": purpose, "classes": classes, "count": len(ids)},
        )
        return
    trail.record_many(
        trail.Entry(
            "contact.revealed",
            subject=f"contact:{contact_id}",
            detail={"purpose": purpose, "classes": classes},
        )
        for contact_id in ids
    )
