"""Where a mail's links point: to this installation, by one opaque token a message and a number.

A token is encrypted, so nothing in a link can be read or guessed (TR-02), and it names the message,
never a destination: that is looked up in the version that was sent, so there is nothing to redirect
elsewhere (TR-07). A message needs one token for its links and picture and one to unsubscribe, made
from the message's number when it is rendered.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crypto import tokens
from messaging.templates_compile import LINK

ENGAGEMENT = "message.engagement"
UNSUBSCRIBE = "message.unsubscribe"
PICKUP = "message.pickup"
PICKUP_LASTS = timedelta(hours=72)

TO = f"\x01{secrets.token_hex(6)}\x02"
"""Stands in a part for the token's address. Of this process alone: no value can forge it."""
PIXEL = "pixel_address"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that one message carries; `base` and `pixel` are empty without tracking."""

    unsubscribe: str
    base: str = ""
    pixel: str = ""
    pickup: str = ""

    @property
    def tracked(self) -> bool:
        return bool(self.base)

    def untracked(self) -> Addresses:
        return replace(self, base="", pixel="")

    def with_pickup(self, address: str) -> Addresses:
        return replace(self, pickup=address)


def addresses(
    origin: str,
    *,
    organisation_id: int,
    message_id: int,
    contact_id: int,
    tracked: bool,
    now: datetime,
) -> Addresses:
    """Return the addresses of a message. An unsubscribe link never ends (CS-04)."""
    stop = tokens.issue(
        {"m": message_id, "c": contact_id},
        purpose=UNSUBSCRIBE,
        now=now,
        lifetime=None,
        organisation_id=organisation_id,
    )
    unsubscribe = f"{origin}/m/u/{stop}"
    if not tracked:
        return Addresses(unsubscribe)
    token = tokens.issue(
        {"m": message_id},
        purpose=ENGAGEMENT,
        now=now,
        lifetime=None,
        organisation_id=organisation_id,
    )
    return Addresses(unsubscribe, f"{origin}/m/c/{token}/", f"{origin}/m/o/{token}.gif")


def pickup(
    origin: str, *, organisation_id: int, message_id: int, renewed: int, now: datetime
) -> str:
    """Return the short-lived address under which a message is picked up from the portal."""
    token = tokens.issue(
        {"m": message_id, "n": renewed},
        purpose=PICKUP,
        now=now,
        lifetime=PICKUP_LASTS,
        organisation_id=organisation_id,
    )
    return f"{origin}/m/p/{token}"


def followed(part: str) -> str:
    """Return the compiled part with a mark where a link begins with the token's address.

    One replacement in the rendered part puts it in, instead of a merge field for each link.
    """
    return LINK.sub(lambda mark: TO + mark[1], part)


def direct(part: str, destinations: Mapping[int, str], *, escape: bool) -> str:
    """Return the compiled part with each link as the author wrote it."""

    def written(number: int) -> str:
        destination = destinations[number]
        return html.escape(destination) if escape else destination

    return LINK.sub(lambda mark: written(int(mark[1])), part)


_PICTURE = '<img src="%s" width="1" height="1" alt="" border="0">'


def without_pixel(said: str, pixel: str) -> str:
    """Return rendered HTML without the picture: looking at it again is no opening of the mail."""
    return said.replace(_PICTURE % html.escape(pixel), "") if pixel else said


def with_pixel(part: str) -> str:
    """Return the HTML with the picture that tells of an opening, just before its end."""
    picture = _PICTURE % ("{{ " + PIXEL + " }}")
    before, end, after = part.rpartition("</body>")
    return f"{before}{picture}{end}{after}" if end else part + picture
