"""One text message: what it says, to which number, or why it does not go."""

from __future__ import annotations

import hashlib

from consent.rules import shelf
from contacts.canonical import phone_form
from messaging import compose, protect
from messaging.claims import Claimed, Result
from messaging.compose import Composed, Merged
from messaging.dispatch.facts import Draft, Ready, Run
from messaging.dispatch.noting import failed, later
from messaging.links import Addresses
from messaging.pools import lanes
from messaging.protect import Hold, Route
from messaging.render import NotRendered, values_for
from messaging.texts import length, numbers, wording


def compose_one(about: Draft, run: Run) -> Ready | Result:
    """Return the text with its evidence. Its links lead straight to where the author said, so
    nothing is tracked; and it carries no files."""
    one, version, recipient, known = about.claimed, about.version, about.recipient, about.known
    if known is None:
        return later(one, "condition_broken", run)
    way = protect.choose_text(one.classes, hop=run.transport.hop, plain=one.plain)
    if isinstance(way, Hold):
        return failed(one, way.code) if way.final else later(one, way.code, run)
    if about.key is None or recipient is None:
        return failed(one, "no_address")
    if one.alternative is not None and not recipient.confidential:
        return failed(one, "confidential_address")
    number = phone_form(recipient.value)
    if not numbers.usable(number):
        return failed(one, "number_unusable")
    merged = Merged(
        recipient.value,
        values_for({**about.record, "phone": recipient.value}, version.fields_read),
        run.sender.merged(),
        Addresses(""),
        Route.TEXT,
        run.now,
        0,
        known.locale,
        known.when,
    )
    try:
        said = compose.shown(version.parts_in(known.locale), merged).text.strip()
    except NotRendered as error:
        return failed(one, error.code)
    if _too_long(said, one, run):
        return failed(one, "text_too_long")
    data = said.encode()
    composed = Composed(data, one.public_id.hex, hashlib.sha256(data).hexdigest())
    sealed = compose.sealed(
        merged, key=about.key, organisation_id=run.sender.organisation_id, number=one.id
    )
    return Ready(one, number, composed, merged, sealed)


def _too_long(said: str, one: Claimed, run: Run) -> bool:
    """Measure what this person would get: long names are not known when a version is made."""
    measured = length.of(said)
    if measured.segments > length.MOST_SEGMENTS:
        return True
    caps = (cap for cap in shelf.at(run.now).caps if lanes.SMS in cap.channels)
    exempt = any(one.purpose in cap.purposes for cap in caps)
    return exempt and measured.characters > wording.EXEMPT_LONGEST
