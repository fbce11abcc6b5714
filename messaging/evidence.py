"""What a message said, from what is kept of it: its version and what was merged, sealed."""

from __future__ import annotations

from dataclasses import replace

from accounts import tenancy
from crypto import data_keys
from messaging import compose, links, versions
from messaging.compose import Merged
from messaging.models import Message
from messaging.render import Rendered


class Gone(Exception):
    """What the message said is gone: it was never composed, or the person was erased."""


def merged(message: Message) -> Merged:
    """Open what was merged into a message; the caller records who looks and why."""
    organisation_id = tenancy.current()
    key = data_keys.load(organisation_id, [message.contact_id]).get(message.contact_id)
    if key is None or message.merge is None:
        raise Gone("what this message said is gone")
    return compose.opened(
        bytes(message.merge), key=key, organisation_id=organisation_id, number=message.pk
    )


def said(message: Message) -> Rendered:
    """Render the message itself again, whichever way it travelled, for staff who look at it.

    Nothing in it counts: neither a picture that would be loaded nor a link that would be followed
    is the person's doing.
    """
    kept = merged(message)
    return _shown(message, replace(kept, addresses=kept.addresses.untracked()))


def read(message: Message) -> Rendered:
    """Render the message for the person on the portal, who is known to read it.

    Links count as in a mail; the picture does not stand in it, since the reading itself is noted.
    """
    kept = merged(message)
    rendered = _shown(message, kept)
    return replace(rendered, html=links.without_pixel(rendered.html, kept.addresses.pixel))


def _shown(message: Message, kept: Merged) -> Rendered:
    version = versions.load([message.version_id])[message.version_id]
    return compose.shown(version.parts_in(kept.locale), kept)
