"""From claimed messages to bytes, or to the reason why there are none.

What the messages of a claim rest on is read here, in a handful of statements for all of them;
`mailing` and `texting` make each message of that, without a statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
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
from messaging.personal import Personal
from messaging.pools import lanes, places
from messaging.pools.places import Turned
from messaging.protect import Route, Way
from messaging.protection import ways
from messaging.undelivered import changed
from messaging.versions import Loaded


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the messages of one claim rest on, by message or by contact."""

    loaded: Mapping[UUID, Loaded]
    records: Mapping[int, Mapping[str, Any]]
    recipients: Mapping[int, Address]
    keys: Mapping[int, bytes]
    untracked: Collection[int]
    known: Mapping[int, Personal | None]
    moved: Collection[int]
    """Messages that would go to another address than before."""
    turned: Mapping[int, Turned]
    files: Mapping[int, Sequence[Opened]]


def gathered(claimed: Sequence[Claimed], loaded: Mapping[UUID, Loaded], run: Run) -> Grounds:
    """Read what these messages rest on, and take their places under the limits of pools."""
    records = _revealed(claimed, loaded)
    people = [one.contact_id for one in claimed]
    recipients = _recipients(claimed, records, now=run.now)
    organisation_id = run.sender.organisation_id
    keys = data_keys.load(organisation_id, people)
    moved = changed.moved(claimed, recipients, keys, organisation_id=organisation_id)
    turned = _turned_away([one for one in claimed if one.id not in moved], recipients, run)
    _tell(claimed, loaded, recipients, run)
    return Grounds(
        loaded,
        records,
        recipients,
        keys,
        tracking.declined(people),
        personal.of(claimed, loaded, records, zone=run.sender.timezone, now=run.now),
        moved,
        turned,
        _files(claimed),
    )


def _tell(
    claimed: Sequence[Claimed],
    loaded: Mapping[UUID, Loaded],
    recipients: Mapping[int, Address],
    run: Run,
) -> None:
    """Tell the run what it knows of these messages beside what they say."""
    run.ways = _known_ways(claimed, recipients, run)
    pickups = Pickup.objects.filter(message_id__in=[one.id for one in claimed])
    run.renewed = dict(pickups.values_list("message_id", "renewed"))
    run.waiting = _waiting(claimed, recipients, run)
    run.letters = letters.words_of(
        one.id for one in claimed if letters.FIELD in loaded[one.version_id].fields_read
    )


def composed(
    part: Sequence[Claimed], grounds: Grounds, run: Run
) -> tuple[list[Ready], list[Result]]:
    """Return the messages ready to go, and the results of those that cannot go now."""
    ready: list[Ready] = []
    results: list[Result] = []
    for one in part:
        made = _one(one, grounds, run)
        if isinstance(made, Ready):
            ready.append(made)
        else:
            results.append(made)
    return ready, results


def _one(one: Claimed, grounds: Grounds, run: Run) -> Ready | Result:
    if one.id in grounds.moved:
        return failed(one, "address_changed")
    if (turned := grounds.turned.get(one.id)) is not None:
        return _again(one, turned)
    about = Draft(
        one,
        grounds.loaded[one.version_id],
        grounds.records.get(one.contact_id, {}),
        grounds.recipients.get(one.id),
        grounds.keys.get(one.contact_id),
        tracked=one.contact_id not in grounds.untracked,
        known=grounds.known[one.id],
        files=grounds.files.get(one.id, ()),
    )
    if one.channel == lanes.SMS:
        return texting.compose_one(about, run)
    return mailing.compose_one(about, run)


def _again(one: Claimed, turned: Turned) -> Result:
    """Return when it is tried again, or that it is too late by then."""
    if turned.until > one.not_after:
        return failed(one, "too_late")
    return Result(one, "deferred", turned.code, tried=False, again_at=turned.until)


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
