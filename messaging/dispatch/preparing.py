"""Reveal, protect, render: from claimed messages to bytes, or to the reason why there are none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from contacts import points, reveal
from contacts.fields import DataClass
from contacts.points import Address
from crypto import data_keys
from messaging import attachments, compose, links, mime, personal, protect, tracking
from messaging.answers import letters
from messaging.attachments import Opened
from messaging.claims import Claimed, Result
from messaging.compose import Merged
from messaging.dispatch import texting
from messaging.dispatch.facts import NOBODY, Ready, Run, Someone
from messaging.dispatch.noting import failed, later
from messaging.hearing import providers
from messaging.models import Attachment, Pickup
from messaging.pools import lanes, places
from messaging.pools.places import Turned
from messaging.protect import Hold, Route, Way
from messaging.protection import ways
from messaging.protection.wrapping import NotEncrypted
from messaging.render import NotRendered, values_for
from messaging.undelivered import changed
from messaging.versions import Loaded


def composed(
    part: Sequence[Claimed], loaded: Mapping[UUID, Loaded], run: Run
) -> tuple[list[Ready], list[Result]]:
    """Return the messages ready to go, and the results of those that cannot go now."""
    records = _revealed(part, loaded)
    people = [one.contact_id for one in part]
    recipients = _recipients(part, records, now=run.now)
    keys = data_keys.load(run.sender.organisation_id, people)
    untracked = tracking.declined(people)
    known = personal.of(part, loaded, records, zone=run.sender.timezone, now=run.now)
    run.renewed = dict(
        Pickup.objects.filter(message_id__in=[one.id for one in part]).values_list(
            "message_id", "renewed"
        )
    )
    moved = changed.moved(part, recipients, keys, organisation_id=run.sender.organisation_id)
    turned = _turned_away([one for one in part if one.id not in moved], recipients, run)
    run.ways = _known_ways(part, recipients, run)
    files = _files(part)
    run.waiting = _waiting(part, recipients, run)
    run.letters = letters.words_of(
        one.id for one in part if letters.FIELD in loaded[one.version_id].fields_read
    )
    ready: list[Ready] = []
    results: list[Result] = [
        Result(one, "deferred", turned[one.id].code, tried=False, again_at=turned[one.id].until)
        if turned[one.id].until <= one.not_after
        else failed(one, "too_late")
        for one in part
        if one.id in turned
    ]
    results += [failed(one, "address_changed") for one in part if one.id in moved]
    for one in part:
        if one.id in turned or one.id in moved:
            continue
        made = (texting.compose_one if one.channel == lanes.SMS else _compose_one)(
            one,
            loaded[one.version_id],
            records.get(one.contact_id, {}),
            recipients.get(one.id),
            keys.get(one.contact_id),
            run,
            tracked=one.contact_id not in untracked,
            known=known[one.id],
            files=files.get(one.id, ()),
        )
        if isinstance(made, Ready):
            ready.append(made)
        else:
            results.append(made)
    return ready, results


def _known_ways(part: Sequence[Claimed], recipients: Mapping[int, Address], run: Run) -> ways.Ways:
    """Return what is known of the receivers and keys of the mails among these."""
    mails = {one.id for one in part if one.channel == lanes.EMAIL}
    addresses = {one.value for number, one in recipients.items() if number in mails}
    return ways.of(addresses, now=run.now)


def _revealed(part: Sequence[Claimed], loaded: Mapping[UUID, Loaded]) -> dict[int, dict[str, Any]]:
    """Open only the classes that each version declared, and the address (PR-20)."""
    by_classes: dict[frozenset[str], set[int]] = defaultdict(set)
    for one in part:
        version = loaded[one.version_id]
        by_classes[version.opened | personal.opened(version)].add(one.contact_id)
    records: dict[int, dict[str, Any]] = defaultdict(dict)
    for classes, people in by_classes.items():
        wanted = {DataClass(name) for name in classes} | {DataClass.CONTACT_POINT}
        opened = reveal.reveal(sorted(people), wanted, purpose="dispatch")
        for contact_id, values in opened.items():
            records[contact_id] |= values
    return records


def _recipients(
    part: Sequence[Claimed], records: Mapping[int, Mapping[str, Any]], *, now: datetime
) -> dict[int, Address]:
    """Return where each message goes: confidential ones, by their topic, only there (PR-22)."""
    by_topic: dict[tuple[str, str], list[Claimed]] = defaultdict(list)
    for one in part:
        topic = one.topic if one.alternative is None else one.alternative
        by_topic[one.channel, topic].append(one)
    found: dict[int, Address] = {}
    for (channel, topic), group in by_topic.items():
        people = {one.contact_id for one in group}
        reached = points.address_for(
            people, channel=channel, category=topic, now=now, known=records
        )
        found |= {one.id: reached[one.contact_id] for one in group if one.contact_id in reached}
    return found


def _turned_away(
    part: Sequence[Claimed], recipients: Mapping[int, Address], run: Run
) -> dict[int, Turned]:
    """Take places under the limits of the pools that have any; return who found none."""
    wanted: dict[str, dict[int, str]] = defaultdict(dict)
    for one in part:
        if run.pools[one.pool].limited and one.id in recipients:
            wanted[one.pool][one.id] = providers.of(recipients[one.id].value)
    zone = ZoneInfo(run.sender.timezone)
    turned: dict[int, Turned] = {}
    for pool, mails in wanted.items():
        turned |= places.take(run.pools[pool], mails, zone=zone, now=run.now)
    return turned


def _compose_one(
    one: Claimed,
    version: Loaded,
    record: Mapping[str, Any],
    recipient: Address | None,
    key: bytes | None,
    run: Run,
    *,
    tracked: bool,
    known: personal.Personal | None,
    files: Sequence[Opened],
) -> Ready | Result:
    if known is None:
        return later(one, "condition_broken", run)
    way = _way(one, recipient, run)
    if isinstance(way, Hold):
        return failed(one, way.code) if way.final else later(one, way.code, run)
    someone = run.waiting.get(one.contact_id, NOBODY) if way.route is Route.PORTAL else NOBODY
    if key is None or recipient is None or not someone.can_show:
        return failed(one, "no_address" if someone.can_show else "no_birth_date")
    who = run.sender_of(one)
    merged = Merged(
        recipient.value,
        values_for(_values(one, record, recipient, run), version.fields_read),
        run.sender.merged(),
        _addresses(one, way.route, run, tracked=tracked),
        way.route,
        run.now,
        run.renewed.get(one.id, 0),
        known.locale,
        known.when,
        someone.language,
    )
    parts = version.parts_in(known.locale)
    try:
        composed = compose.compose(
            one.public_id,
            parts,
            merged,
            purpose=one.purpose,
            unsubscribes=version.unsubscribes,
            sender=who,
            files=files,
            wrapper=run.ways.wrapper(
                way.route,
                recipient.value,
                name=who.name,
                sender=who.address,
                language=known.locale.language,
            ),
        )
        if way.route is Route.PORTAL:
            compose.shown(parts, merged)  # fail now, not when the person wants to read
    except NotRendered as error:
        return failed(one, error.code)
    except NotEncrypted:  # the key ended by itself: the next way of the table, never the clear
        run.ways.spoilt.add((recipient.value, way.route.value))
        return _compose_one(
            one, version, record, recipient, key, run, tracked=tracked, known=known, files=files
        )
    except mime.HeaderRefused:
        return failed(one, "address_unusable")
    sealed = compose.sealed(
        merged, key=key, organisation_id=run.sender.organisation_id, number=one.id
    )
    return Ready(one, recipient.value, composed, merged, sealed)


def _values(
    one: Claimed, record: Mapping[str, Any], recipient: Address, run: Run
) -> dict[str, Any]:
    letter = {letters.FIELD: run.letters[one.id]} if one.id in run.letters else {}
    return {**record, "email": recipient.value, **letter}


def _waiting(
    part: Sequence[Claimed], recipients: Mapping[int, Address], run: Run
) -> dict[int, Someone]:
    """Open, for those alone whose message will wait on the portal, what its pages go by."""
    ways_of = {one.contact_id: _way(one, recipients.get(one.id), run) for one in part}
    people = [
        number
        for number, way in ways_of.items()
        if not isinstance(way, Hold) and way.route is Route.PORTAL
    ]
    if not people:
        return {}
    wanted = [DataClass.IDENTITY, DataClass.DEMOGRAPHIC]
    records = reveal.reveal(people, wanted, purpose="portal-notice")
    return {
        number: Someone(
            str(records.get(number, {}).get(personal.LANGUAGE) or ""),
            bool(records.get(number, {}).get("birth_date")),
        )
        for number in people
    }


def _way(one: Claimed, recipient: Address | None, run: Run) -> Way | Hold:
    if recipient is None:
        return protect.choose(one.classes, hop=run.transport.hop, onward=run.onward)
    if one.alternative is not None and not recipient.confidential:
        return Hold("confidential_address", final=True)
    return run.ways.choose(
        recipient.value,
        one.classes,
        purpose=one.purpose,
        hop=run.transport.hop,
        onward=run.onward,
        plain=one.plain,
        whole=run.transport.whole,
    )


def _files(part: Sequence[Claimed]) -> dict[int, list[Opened]]:
    """Open the files of these messages; most have none, and cost one look at an index."""
    rows = Attachment.objects.filter(message_id__in=[one.id for one in part], answer_id=None)
    found: dict[int, list[Opened]] = defaultdict(list)
    for row in rows.order_by("message_id", "place"):
        found[row.message_id] += attachments.opened([row])
    return found


def _addresses(one: Claimed, route: Route, run: Run, *, tracked: bool) -> links.Addresses:
    made = links.addresses(
        run.sender.origin,
        organisation_id=run.sender.organisation_id,
        message_id=one.id,
        contact_id=one.contact_id,
        tracked=tracked,
        now=run.now,
    )
    if route is not Route.PORTAL:
        return made
    return made.with_pickup(
        links.pickup(
            run.sender.origin,
            organisation_id=run.sender.organisation_id,
            message_id=one.id,
            renewed=run.renewed.get(one.id, 0),
            now=run.now,
        )
    )
