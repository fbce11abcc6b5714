"""From a slice of claimed messages to bytes, or to the reason why there are none.

What the slice rests on is read here, in a handful of statements for all of it; `mailing` and
`texting` make each message of that, without a statement.
"""

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
from messaging import attachments, personal, tracking
from messaging.answers import letters
from messaging.attachments import Opened
from messaging.claims import Claimed, Result
from messaging.dispatch import mailing, texting
from messaging.dispatch.facts import Draft, Ready, Run, Someone
from messaging.dispatch.noting import failed
from messaging.hearing import providers
from messaging.models import Attachment, Pickup
from messaging.pools import lanes, places
from messaging.pools.places import Turned
from messaging.protect import Route, Way
from messaging.protection import ways
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
        about = Draft(
            one,
            loaded[one.version_id],
            records.get(one.contact_id, {}),
            recipients.get(one.id),
            keys.get(one.contact_id),
            tracked=one.contact_id not in untracked,
            known=known[one.id],
            files=files.get(one.id, ()),
        )
        made = (texting if one.channel == lanes.SMS else mailing).compose_one(about, run)
        if isinstance(made, Ready):
            ready.append(made)
        else:
            results.append(made)
    return ready, results


def _known_ways(part: Sequence[Claimed], recipients: Mapping[int, Address], run: Run) -> ways.Ways:
    """Return what is known of the receivers and keys of the mails among these."""
    mails = {one.id for one in part if one.channel == lanes.EMAIL}
    addresses = {one.value for number, one in recipients.items() if number in mails}
    return ways.of(addresses, table=run.table, now=run.now)


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


def _waiting(
    part: Sequence[Claimed], recipients: Mapping[int, Address], run: Run
) -> dict[int, Someone]:
    """Open, for those alone whose message will wait on the portal, what its pages go by."""
    people = {one.contact_id for one in part if _by_the_portal(one, recipients, run)}
    if not people:
        return {}
    wanted = [DataClass.IDENTITY, DataClass.DEMOGRAPHIC]
    records = reveal.reveal(sorted(people), wanted, purpose="portal-notice")
    return {
        number: Someone(
            str(records.get(number, {}).get(personal.LANGUAGE) or ""),
            bool(records.get(number, {}).get("birth_date")),
        )
        for number in people
    }


def _files(part: Sequence[Claimed]) -> dict[int, list[Opened]]:
    """Open the files of these messages; most have none, and cost one look at an index."""
    rows = Attachment.objects.filter(message_id__in=[one.id for one in part], answer_id=None)
    found: dict[int, list[Opened]] = defaultdict(list)
    for row in rows.order_by("message_id", "place"):
        found[row.message_id] += attachments.opened([row])
    return found


def _by_the_portal(one: Claimed, recipients: Mapping[int, Address], run: Run) -> bool:
    if one.channel != lanes.EMAIL:
        return False
    way = mailing.way_of(one, recipients.get(one.id), run)
    return isinstance(way, Way) and way.route is Route.PORTAL
