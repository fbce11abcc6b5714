"""Merge two contacts that are one person; take a merge back.

Moved: events, record numbers, places on lists, waiting messages and enrolments. Read over
`persons.ids_of` instead: consent (never rewritten, so the more restrictive word of either counts),
addresses, sent messages, history. The absorbed row is kept as it was. Taking back restores both,
and puts what came since where it belongs: what named a record number of the absorbed goes to it,
everything else stays. The rule and its reasons: docs/decisions/merge-moves-and-remembers.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import actor, trail
from contacts import events, persons, registry, writing
from contacts.fields import SEALED_CLASSES, DataClass
from contacts.merge import carried, joining, moving, proposing, since
from contacts.merge.models import BeforeMerge, Merge, MergeProposal
from contacts.models import Contact
from contacts.packing import Record
from contacts.segments.live import follow, touches
from contacts.writing import Row

Records = dict[DataClass, Record]


class CannotMerge(ValueError):
    """These two cannot be merged; the message says why."""


class CannotUndo(ValueError):
    """This merge cannot be taken back now; the message says what comes first."""


def merge(survivor_id: int, absorbed_id: int, *, now: datetime) -> Merge:
    """Make the absorbed part of the survivor; everything is decided for one person from now on."""
    with transaction.atomic():
        carried.begin()
        survivor, absorbed = _locked(survivor_id, absorbed_id)
        opened = writing.lock_and_open(tenancy.current(), [survivor.id, absorbed.id])
        mark = since.mark()
        if not BeforeMerge.objects.filter(contact_id=survivor.id).exists():
            BeforeMerge.objects.create(
                contact_id=survivor.id, **{k.value: v for k, v in survivor.sealed().items()}
            )
        both = joining.joined(opened[survivor.id], opened[absorbed.id])
        _write(survivor.id, both, now=now)
        made = Merge.objects.create(
            survivor_id=survivor.id,
            absorbed_id=absorbed.id,
            actor=_actor(),
            merged_at=now,
            mark=mark,
            lists=moving.lists_to(survivor.id, absorbed=absorbed.id)
            | {"homes": moving.homes_to(survivor.id, absorbed=absorbed.id)},
            carried=carried.move(absorbed.id, survivor.id, now=now),
        )
        moving.events_to(survivor.id, absorbed=absorbed.id)
        moving.numbers_to(survivor.id, absorbed=absorbed.id)
        Contact.objects.filter(pk=absorbed.id).update(merged_into=survivor.id, erased_at=now)
        Contact.objects.filter(merged_into=absorbed.id).update(merged_into=survivor.id)
        _settle_proposals(survivor.id, absorbed.id, now=now)
        proposing.carry(absorbed.id, survivor.id, now=now)
        _tell("contact.merged", made, now=now)
        follow.forget([absorbed.id], now=now)
        touches.touch([survivor.id], "record", now=now)
        if absorbed.deceased and not survivor.deceased:
            _announce("contact.deceased", [survivor.id], now=now)  # stops what waits, at once
    return made


def undo(merge_id: UUID, *, now: datetime) -> Merge:
    """Take a merge back: two contacts again, each with what is its own."""
    with transaction.atomic():
        carried.begin()
        made = _undoable(merge_id)
        survivor_id, absorbed_id = made.survivor_id, made.absorbed_id
        Contact.objects.select_for_update().filter(pk=survivor_id).get()
        group = _tree(absorbed_id)
        absorbed_records = _state_of(absorbed_id, group, made)
        Contact.objects.filter(pk=absorbed_id).update(merged_into=None, erased_at=None)
        Contact.objects.filter(pk__in=group - {absorbed_id}).update(merged_into=absorbed_id)
        made.undone_at, made.undone_by = now, _actor()
        made.save(update_fields=["undone_at", "undone_by"])
        if absorbed_records is not None:
            _write(absorbed_id, absorbed_records, now=now)
        _restore_survivor(survivor_id, now=now)
        moving.events_back(survivor_id, absorbed=absorbed_id, group=group)
        moving.numbers_back(survivor_id, absorbed=absorbed_id, group=group)
        moving.lists_back(survivor_id, absorbed=absorbed_id, changed=made.lists)
        homes = made.lists.get("homes", [])
        moving.homes_back(survivor_id, absorbed=absorbed_id, gained=homes)
        carried.back(absorbed_id, survivor_id, made.carried, now=now)
        _reopen_proposals(survivor_id, absorbed_id, now=now)
        _forget_where_alone(survivor_id, absorbed_id)
        _tell("contact.unmerged", made, now=now)
        touches.touch([survivor_id, absorbed_id], "record", now=now)
    return made


def _locked(survivor_id: int, absorbed_id: int) -> tuple[Contact, Contact]:
    if survivor_id == absorbed_id:
        raise CannotMerge("a contact cannot be merged into itself")
    rows = Contact.objects.select_for_update().filter(
        pk__in=[survivor_id, absorbed_id], erased_at=None
    )
    found = {row.pk: row for row in rows.order_by("pk")}
    if len(found) != 2:
        raise CannotMerge("both must be contacts that are not erased and not merged already")
    return found[survivor_id], found[absorbed_id]


def _undoable(merge_id: UUID) -> Merge:
    made = Merge.objects.select_for_update().filter(pk=merge_id, undone_at=None).first()
    if made is None:
        raise CannotUndo("there is no such merge, or it was taken back")
    if Contact.objects.filter(pk=made.survivor_id, erased_at=None).exists():
        return made
    later = Contact.objects.filter(pk=made.survivor_id, merged_into__isnull=False).exists()
    if later:
        raise CannotUndo("the contact that stayed was itself merged later; take that back first")
    raise CannotUndo("the person was erased; there is nothing to give back")


def _tree(contact_id: int) -> set[int]:
    """Return the contact and everything merged into it, at whatever depth."""
    found, edge = {contact_id}, {contact_id}
    while edge:
        inner = Merge.objects.filter(survivor_id__in=edge, undone_at=None)
        edge = set(inner.values_list("absorbed_id", flat=True)) - found
        found |= edge
    return found


def _state_of(contact_id: int, group: set[int], made: Merge) -> Records | None:
    """Return a frozen contact's records with what came through it since; None where nothing did."""
    frozen = _opened(Contact.objects.get(pk=contact_id).sealed(), contact_id)
    current = since.replayed(frozen, group, after=made.mark)
    return None if current == frozen else current


def _restore_survivor(survivor_id: int, *, now: datetime) -> None:
    """Write the survivor as it would be had the merge never been: its own, and whoever is left."""
    before = BeforeMerge.objects.get(contact_id=survivor_id)
    sealed = _sealed_of(before)
    own = _opened(sealed, survivor_id)
    current = since.replayed(own, {survivor_id}, after=0)
    for one in Merge.objects.filter(survivor_id=survivor_id, undone_at=None).order_by(
        "merged_at", "pk"
    ):
        group = _tree(one.absorbed_id)
        theirs = _state_of(one.absorbed_id, group, one)
        frozen = theirs if theirs is not None else _frozen(one.absorbed_id)
        current = joining.joined(current, frozen)
    if current == own:
        _put_back(survivor_id, sealed, own, now=now)
    else:
        _put_back(survivor_id, {}, {}, now=now)
        _write(survivor_id, current, now=now)


def _frozen(contact_id: int) -> Records:
    return _opened(Contact.objects.get(pk=contact_id).sealed(), contact_id)


def _opened(sealed: Mapping[DataClass, bytes], contact_id: int) -> Records:
    """Open frozen records, without the values of fields that were deleted meanwhile."""
    fields = registry.current()
    return {
        kind: Record(
            {key: value for key, value in record.values.items() if key in fields},
            {key: at for key, at in record.as_of.items() if key in fields},
        )
        for kind, record in writing.open_all(tenancy.current(), contact_id, sealed).items()
    }


def _sealed_of(before: BeforeMerge) -> dict[DataClass, bytes]:
    held = {kind: getattr(before, kind.value) for kind in SEALED_CLASSES}
    return {kind: bytes(record) for kind, record in held.items() if record is not None}


def _put_back(
    contact_id: int, sealed: Mapping[DataClass, bytes], records: Records, *, now: datetime
) -> None:
    """Set every sealed class to these bytes, or to nothing; indexes follow."""
    classes = {kind.value: sealed.get(kind) for kind in SEALED_CLASSES}
    row = Row(contact_id, records, "", now)
    Contact.objects.filter(pk=contact_id).update(
        **classes, **writing.clear_columns(tenancy.current(), row), updated_at=now
    )


def _write(contact_id: int, records: Records, *, now: datetime) -> None:
    writing.update(tenancy.current(), [Row(contact_id, records, "merge", now)], now=now)


def _settle_proposals(survivor_id: int, absorbed_id: int, *, now: datetime) -> None:
    first, second = sorted((survivor_id, absorbed_id))
    MergeProposal.objects.update_or_create(
        first_id=first,
        second_id=second,
        defaults={
            "state": MergeProposal.State.MERGED,
            "decided_at": now,
            "decided_by": _actor(),
        },
        create_defaults={
            "reason": "by_hand",
            "state": MergeProposal.State.MERGED,
            "made_at": now,
            "decided_at": now,
            "decided_by": _actor(),
        },
    )


def _reopen_proposals(survivor_id: int, absorbed_id: int, *, now: datetime) -> None:
    """Who was taken apart is not proposed again: somebody looked, and decided."""
    first, second = sorted((survivor_id, absorbed_id))
    MergeProposal.objects.filter(first_id=first, second_id=second).update(
        state=MergeProposal.State.DIFFERENT, decided_at=now, decided_by=_actor()
    )


def _forget_where_alone(*contact_ids: int) -> None:
    """Drop what is kept for taking back where there is nothing left to take back."""
    for one in contact_ids:
        if len(_tree(one)) == 1:
            BeforeMerge.objects.filter(contact_id=one).delete()
            since.forget([one])


def _tell(kind: str, made: Merge, *, now: datetime) -> None:
    both = [made.survivor_id, made.absorbed_id]
    writing.mark_dirty(tenancy.current(), both)
    living = persons.standing_for(both)
    _announce(kind, sorted(set(living.values())), now=now)
    for one, other in (both, both[::-1]):
        trail.record(kind, subject=f"contact:{one}", detail={"with": other, "merge": str(made.pk)})


def _announce(kind: str, contact_ids: Sequence[int], *, now: datetime) -> None:
    events.write_own(
        [
            events.NewEvent(contact_id=one, kind=kind, occurred_at=now, source="merge")
            for one in contact_ids
        ],
        now=now,
    )


def _actor() -> str:
    who = actor.current()
    return f"{who.kind}:{who.id}"[:80]
