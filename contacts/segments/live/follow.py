"""Members that follow each change within a moment.

    take the feed: one follower at a time for an organisation
    read what changed since the last look, and whom time has moved
    work out, for just those contacts, just the segments that rest on what changed: each record is
        opened once for all of them
    write the bitmaps, `segment.entered` and `segment.left`, and the place in the feed

All in one transaction: killed at any statement, the next look does the same again, and no member is
told of twice. A change of very many contacts at once is not followed one by one: the segments that
it concerns are evaluated as a whole instead (`whole`), once, when the import that makes it is over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from accounts.models import Organisation
from contacts import events, households
from contacts.models import ImportRun
from contacts.segments import catalogue, evaluate
from contacts.segments.live import attend, bits, feed, foresight, index, telling, touches, wake
from contacts.segments.live.index import Followed, Index
from contacts.segments.live.models import Feed, Following
from contacts.segments.nodes import Clause
from crypto import data_keys
from crypto.rows import insert_rows

STORM: Final = 5_000
"""Contacts changed at one look, from which their segments are evaluated as a whole."""
CHUNK: Final = 200
"""Contacts that one import changed at one look, from which they count as a bulk change."""
IDLE: Final = timedelta(seconds=5)
"""After which an idle feed moves its cursor on."""


@dataclass(slots=True)
class Concerned:
    """Whose membership of which segments may have changed."""

    contacts: set[int] = field(default_factory=set)
    segments: set[UUID] = field(default_factory=set)
    bulk: set[UUID] = field(default_factory=set)
    """Segments that a bulk change concerns."""


def run_once(*, now: datetime) -> int:
    """Follow one look's changes of the current organisation; return how many there were."""
    marked, known = index.current()
    stands = Feed.objects.filter(organisation_id=tenancy.current()).first()
    same = stands is not None and bytes(stands.mark) == marked
    late = stands is None or stands.followed_at is None or now - stands.followed_at >= IDLE
    if (
        same
        and not late
        and not feed.anything(index.kinds_read(known))
        and not foresight.due(now=now)
    ):
        return 0
    with transaction.atomic():
        mine = feed.enter()
        if mine is None:
            return 0
        return _follow(mine, now=now)


def _follow(mine: Feed, *, now: datetime) -> int:
    marked, known = index.current()
    if bytes(mine.mark) != marked:
        catalogue.recheck(now=now)
        marked, known = index.current()
    look = feed.read(mine, index.kinds_read(known))
    moved = foresight.due(now=now)
    concerned = _concerned(look, known)
    attend.want(concerned.bulk, now=now, may_wait=True)
    changed = _settle(concerned, moved, known, now=now)
    telling.tell(changed, contacts=len(concerned.contacts), now=now)
    feed.advance(mine, look, mark=marked, now=now)
    if changed:
        wake.soon()
    return len(look.events) + len(look.touches) + len(moved)


def _concerned(look: feed.Look, known: Index) -> Concerned:
    """Tell from what changed which contacts and segments are concerned."""
    found = Concerned()
    bulk_runs = _bulk_runs(look)
    fields = _fields_changed(look, bulk_runs)
    stormy = len(look.contact_ids) >= STORM
    for event in look.events:
        touched = known.of_event(event.kind, event.campaign)
        if event.kind.startswith("contact."):
            touched |= _of_record(event, fields.get(event.id), known)
        if not touched:
            continue
        if stormy or event.campaign in bulk_runs:
            found.bulk |= touched
        else:
            found.contacts.add(event.contact_id)
            found.segments |= touched
    for contact_id, what in look.touches:
        if stormy:
            found.bulk |= known.of_touch(what)
        else:
            found.contacts.add(contact_id)
            found.segments |= known.of_touch(what)
    return found


def _bulk_runs(look: feed.Look) -> set[UUID]:
    """The imports that changed many contacts at this look."""
    counts = Counter(
        event.campaign
        for event in look.events
        if event.campaign is not None and event.kind in ("contact.created", "contact.updated")
    )
    many = [run for run, count in counts.items() if count >= CHUNK]
    return (
        set(ImportRun.objects.filter(pk__in=many).values_list("pk", flat=True)) if many else set()
    )


def _fields_changed(look: feed.Look, apart_from: Collection[UUID]) -> dict[int, frozenset[str]]:
    """The fields that each `contact.updated` names: sealed with the contact's key."""
    updated = [
        event
        for event in look.events
        if event.kind == "contact.updated" and event.properties and event.campaign not in apart_from
    ]
    if not updated or len(look.contact_ids) >= STORM:
        return {}
    keys = data_keys.load(tenancy.current(), sorted({event.contact_id for event in updated}))
    found = {}
    for event in updated:
        if event.properties is not None and event.contact_id in keys:
            said = events.open_properties(
                event.contact_id, bytes(event.properties), key=keys[event.contact_id]
            )
            if "fields" in said:
                found[event.id] = frozenset(said["fields"])
    return found


def _of_record(event: feed.Happened, fields: frozenset[str] | None, known: Index) -> set[UUID]:
    """Somebody new, or changed in a way that is not told, concerns every segment."""
    if event.kind == "contact.updated" and fields is not None:
        return known.of_fields(fields)
    return set(known.segments)


def _settle(
    concerned: Concerned, moved: Mapping[UUID, set[int]], known: Index, *, now: datetime
) -> dict[UUID, bits.Changed]:
    """Work out and write who is in, of those concerned and of those whom time has moved."""
    people = concerned.contacts
    if concerned.segments & known.by_household:
        people = people | households.mates_of(people)
    changed: dict[UUID, bits.Changed] = {}
    for segments, contacts in _groups(concerned.segments, people, moved, known):
        changed |= _work_out(segments, contacts, known, now=now)
    foresight.cross_out(moved, now=now)
    _leave_word(moved, now=now)
    return changed


def _groups(
    segments: Collection[UUID],
    people: set[int],
    moved: Mapping[UUID, set[int]],
    known: Index,
) -> Iterable[tuple[list[Followed], set[int]]]:
    """Segments with the contacts to work out for them; few groups, so that records open once."""
    by_clock = {one: ids for one, ids in moved.items() if one in known.segments}
    timed = set().union(*by_clock.values()) if by_clock else set()
    together = set(segments) | by_clock.keys()
    if len(people) + len(timed) <= STORM:
        if people or timed:
            yield list(index.by_id(known, sorted(together)).values()), people | timed
        return
    if people:
        yield list(index.by_id(known, sorted(segments)).values()), people
    for one, ids in by_clock.items():
        yield [known.segments[one]], ids


def _work_out(
    segments: list[Followed], contacts: set[int], known: Index, *, now: datetime
) -> dict[UUID, bits.Changed]:
    if not segments or not contacts:
        return {}
    zoned = now.astimezone(Organisation.objects.get(pk=tenancy.current()).zone)
    until = _foreseen_until(segments, now)
    clocks = {one.id: one.clock for one in segments if one.id in until}
    soon = {
        one: near
        for one in clocks
        if (near := known.soon_moved(known.segments[one], now=zoned, until=until[one])) is not None
    }
    asked = [*(one.definition for one in segments), *soon.values()]
    answers = evaluate.among_each(asked, contacts, now=zoned)
    holding = {one.id: ids for one, ids in zip(segments, answers, strict=False)}
    changed = bits.settle(holding, contacts)
    _foresee(dict(zip(soon, answers[len(segments) :], strict=True)), clocks, until, now=zoned)
    return changed


def _foreseen_until(segments: Sequence[Followed], now: datetime) -> dict[UUID, datetime]:
    rows = Following.objects.filter(
        pk__in=[one.id for one in segments], foreseen_until__gt=now
    ).values_list("segment_id", "foreseen_until")
    return {segment: until for segment, until in rows if until is not None}


def _foresee(
    near: Mapping[UUID, set[int]],
    clocks: Mapping[UUID, foresight.Clock],
    until: Mapping[UUID, datetime],
    *,
    now: datetime,
) -> None:
    """Write down when time will move those who were just worked out."""
    asked: dict[int, set[Clause]] = defaultdict(set)
    for segment, ids in near.items():
        for one in ids:
            asked[one].update(clocks[segment].moments)
    if not asked:
        return
    times = foresight.instants(asked, now=now)
    found = {}
    for segment, ids in near.items():
        last = until[segment].timestamp()
        pairs = [
            (one, second)
            for one in ids
            for clause in clocks[segment].moments
            if (second := times.get(one, {}).get(clause)) is not None and second <= last
        ]
        if pairs:
            found[segment] = pairs
    foresight.write_down(found, now=now, until=until)


def _leave_word(moved: Mapping[UUID, set[int]], *, now: datetime) -> None:
    """Tell a whole evaluation that began earlier that these were worked out since."""
    ids = set().union(*moved.values()) if moved else set()
    insert_rows(
        "contacts_touch",
        ("organisation_id", "contact_id", "what", "at", "taken"),
        ("int4", "int8", "text", "timestamptz", "bool"),
        ((tenancy.current(), one, "time", now, True) for one in sorted(ids)),
    )


def forget(contact_ids: Collection[int], *, now: datetime) -> None:
    """Take erased people out of every segment at once, in the erasing transaction."""
    feed.wait()
    holding: dict[UUID, tuple[int, ...]] = dict.fromkeys(bits.of_blocks(contact_ids), ())
    changed = bits.settle(holding, contact_ids)
    telling.tell(changed, contacts=len(contact_ids), now=now)
    touches.touch(contact_ids, "erased", now=now)
