"""Put one message together: rendered, signed, ready for the wire; and again, byte for byte, later.

What is kept of a message is its version, what was merged (sealed) and the SHA-256 of its bytes. The
portal and the evidence render it again from those: nothing here depends on anything else but the
sender's name and key, which is why the sender's facts are among what is kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgpack

from crypto.seal import Context, seal, unseal
from messaging import mime, notice
from messaging.attachments import Opened
from messaging.attachments.kinds import plain_name
from messaging.filters import Locale
from messaging.links import Addresses
from messaging.protect import Route
from messaging.protection.wrapping import Wrapper
from messaging.render import Parts, Rendered
from messaging.sender import Sender
from messaging.templates_compile import COMMERCIAL

FORMAT = 3
TABLE = "messaging_message"


@dataclass(frozen=True, slots=True)
class Merged:
    """Everything that went into one mail beside its version."""

    recipient: str
    values: Mapping[str, Any]
    organisation: Mapping[str, str]
    addresses: Addresses
    route: Route
    at: datetime
    renewed: int = 0
    locale: Locale | None = None
    """None of a mail from before there were locales; so is `when` empty."""
    when: frozenset[str] = frozenset()
    """Which of the version's conditions held for the person."""
    spoken: str = ""
    """The person's own language, which the notice of the portal speaks where it can."""

    def packed(self) -> bytes:
        raw: bytes = msgpack.packb(
            [
                FORMAT,
                self.recipient,
                dict(self.values),
                dict(self.organisation),
                [
                    self.addresses.unsubscribe,
                    self.addresses.base,
                    self.addresses.pixel,
                    self.addresses.pickup,
                ],
                self.route.value,
                int(self.at.timestamp()),
                self.renewed,
                self.locale.stored() if self.locale else None,
                sorted(self.when),
                self.spoken,
            ]
        )
        return raw


def unpacked(raw: bytes) -> Merged:
    kind, *kept = msgpack.unpackb(raw)
    locale, when = kept[7:9] if kind > 1 else (None, ())
    recipient, values, organisation, addresses, route, at, renewed = kept[:7]
    return Merged(
        recipient,
        values,
        organisation,
        Addresses(*addresses),
        Route(route),
        datetime.fromtimestamp(at, UTC),
        renewed,
        Locale(*locale) if locale else None,
        frozenset(when),
        kept[9] if kind > 2 else "",
    )


@dataclass(frozen=True, slots=True)
class Composed:
    data: bytes
    message_id: str
    sha256: str


def message_id(public_id: UUID, sender: Sender, *, renewed: int = 0) -> str:
    """Return the Message-ID: the same for a row whenever it is asked, so a mail can be found.

    A notice that is sent anew is another mail, which a mailbox must not take for the first one.
    """
    again = f".{renewed}" if renewed else ""
    return f"<{public_id.hex}{again}@{sender.domain}>"


def compose(
    public_id: UUID,
    parts: Parts,
    merged: Merged,
    *,
    purpose: str,
    unsubscribes: bool,
    sender: Sender,
    files: Sequence[Opened] = (),
    wrapper: Wrapper | None = None,
) -> Composed:
    """Return the bytes for the wire; raises NotRendered, mime.HeaderRefused or NotEncrypted."""
    portal = merged.route is Route.PORTAL
    said = _notice(merged) if portal else shown(parts, merged)
    number = message_id(public_id, sender, renewed=merged.renewed)
    mail = mime.Mail(
        sender_name=sender.name,
        sender=sender.address,
        recipient=merged.recipient,
        subject=said.subject,
        html=said.html,
        text=said.text,
        message_id=number,
        at=merged.at,
        boundary=f"attune-{public_id.hex}",
        extra=extra_headers(merged.addresses, purpose=purpose, unsubscribes=unsubscribes),
        files=() if portal else [_file(one) for one in files],
    )
    head, content = wrapper.wrap(mail) if wrapper else (mime.headers(mail), mime.body(mail))
    if sender.signer is not None:
        head = sender.signer.sign(head, content, now=merged.at)
    data = mime.whole(head, content)
    return Composed(data, number, hashlib.sha256(data).hexdigest())


def _file(one: Opened) -> mime.File:
    return mime.File(plain_name(one.place, one.media_type), one.media_type, one.content)


def shown(parts: Parts, merged: Merged) -> Rendered:
    """Return the message itself, whichever way it travels."""
    return parts.render(
        merged.values,
        organisation=merged.organisation,
        addresses=merged.addresses,
        locale=merged.locale,
        when=dict.fromkeys(merged.when, True),
    )


def _notice(merged: Merged) -> Rendered:
    return notice.render(merged.spoken, merged.organisation, merged.addresses)


def extra_headers(addresses: Addresses, *, purpose: str, unsubscribes: bool) -> dict[str, str]:
    """Return the headers of automatic mail; one-click unsubscribing by RFC 8058 where one can."""
    headers = {"Auto-Submitted": "auto-generated"}
    if purpose in COMMERCIAL or unsubscribes:
        headers["List-Unsubscribe"] = f"<{addresses.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def sealed(merged: Merged, *, key: bytes, organisation_id: int, number: int) -> bytes:
    return seal(key, merged.packed(), context=_context(organisation_id, number))


def opened(raw: bytes, *, key: bytes, organisation_id: int, number: int) -> Merged:
    return unpacked(unseal(key, raw, context=_context(organisation_id, number)))


def _context(organisation_id: int, number: int) -> Context:
    return Context(organisation_id, TABLE, number, "merge")
