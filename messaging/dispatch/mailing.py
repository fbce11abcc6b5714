"""One mail: by which way it goes, what it says, and its bytes, or why there are none."""

from __future__ import annotations

from typing import Any

from contacts.points import Address
from messaging import compose, links, mime, protect
from messaging.answers import letters
from messaging.claims import Claimed, Result
from messaging.compose import Composed, Merged
from messaging.dispatch.facts import NOBODY, Draft, Ready, Run, Someone
from messaging.dispatch.noting import failed, later
from messaging.personal import Personal
from messaging.protect import Hold, Route, Way
from messaging.protection.wrapping import NotEncrypted
from messaging.render import NotRendered, values_for


def compose_one(about: Draft, run: Run) -> Ready | Result:
    """Return the mail with its evidence, protected as its classes demand."""
    one, recipient = about.claimed, about.recipient
    if about.known is None:
        return later(one, "condition_broken", run)
    way = way_of(one, recipient, run)
    if isinstance(way, Hold):
        return failed(one, way.code) if way.final else later(one, way.code, run)
    someone = run.waiting.get(one.contact_id, NOBODY) if way.route is Route.PORTAL else NOBODY
    if about.key is None or recipient is None:
        return failed(one, "no_address")
    if not someone.can_show:
        return failed(one, "no_birth_date")
    merged = _merged(about, recipient, about.known, way.route, someone, run)
    try:
        composed = _composed(about, about.known, merged, run)
    except NotRendered as error:
        return failed(one, error.code)
    except NotEncrypted:  # the key ended by itself: the next way of the table, never the clear
        run.ways.spoilt.add((recipient.value, way.route.value))
        return compose_one(about, run)
    except mime.HeaderRefused:
        return failed(one, "address_unusable")
    sealed = compose.sealed(
        merged, key=about.key, organisation_id=run.sender.organisation_id, number=one.id
    )
    return Ready(one, recipient.value, composed, merged, sealed)


def way_of(one: Claimed, recipient: Address | None, run: Run) -> Way | Hold:
    """Return by which way this mail may go, with what is known of the slice."""
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


def _merged(
    about: Draft, recipient: Address, known: Personal, route: Route, someone: Someone, run: Run
) -> Merged:
    return Merged(
        recipient.value,
        values_for(_values(about, recipient, run), about.version.fields_read),
        run.sender.merged(),
        _addresses(about.claimed, route, run, tracked=about.tracked),
        route,
        run.now,
        run.renewed.get(about.claimed.id, 0),
        known.locale,
        known.when,
        someone.language,
    )


def _composed(about: Draft, known: Personal, merged: Merged, run: Run) -> Composed:
    """Return the bytes; raises NotRendered, NotEncrypted or mime.HeaderRefused."""
    one, version, who = about.claimed, about.version, run.sender_of(about.claimed)
    parts = version.parts_in(known.locale)
    made = compose.compose(
        one.public_id,
        parts,
        merged,
        purpose=one.purpose,
        unsubscribes=version.unsubscribes,
        sender=who,
        files=about.files,
        wrapper=run.ways.wrapper(
            merged.route,
            merged.recipient,
            name=who.name,
            sender=who.address,
            language=known.locale.language,
        ),
    )
    if merged.route is Route.PORTAL:
        compose.shown(parts, merged)  # fail now, not when the person wants to read
    return made


def _values(about: Draft, recipient: Address, run: Run) -> dict[str, Any]:
    number = about.claimed.id
    letter = {letters.FIELD: run.letters[number]} if number in run.letters else {}
    return {**about.record, "email": recipient.value, **letter}


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
