"""What takes a one-time code to a person, and how.

The code goes where only the person reads: to the address that the message's own notice went to. A
carrier by another channel (a text message to a verified mobile) stands before it where there is
one, since it does not share the mailbox with the link.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final, Literal, Protocol
from uuid import uuid5

from consent import gate, reach
from consent.gate import GateRequest
from contacts import persons, points
from contacts.canonical import phone_form
from contacts.points.models import ContactPoint
from messaging import evidence, markup, mime, sender
from messaging.links import Addresses
from messaging.models import Pickup
from messaging.pools import facts
from messaging.pools.lanes import TEXTS, TRANSACTIONAL
from messaging.render import Parts, Rendered
from messaging.sender import Sender
from messaging.transports.base import Fate, Outgoing, Transport
from messaging.words import known, mails, said

PURPOSE: Final = "service_notice"
Went = Literal["left", "again", "never"]


class Carrier(Protocol):
    """Takes codes to people by one channel."""

    @property
    def name(self) -> str:
        """The channel: `email` or `sms`."""
        ...

    def reaches(self, pickup: Pickup, *, now: datetime) -> bool:
        """Say whether the gate lets a code go to this person by it, and there is an address."""
        ...

    def send(self, pickup: Pickup, code: str, *, now: datetime) -> Went:
        """Hand the code over: it `left`, may be tried `again`, or can `never` go."""
        ...


class ByMail:
    """By e-mail, to the address that the notice went to. Without a transport it only reaches."""

    name = "email"

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport

    def reaches(self, pickup: Pickup, *, now: datetime) -> bool:
        lawful = facts.of(TRANSACTIONAL).may_carry(now.date())
        return lawful and bool(_address(pickup)) and permitted(pickup, channel="email", now=now)

    def send(self, pickup: Pickup, code: str, *, now: datetime) -> Went:
        recipient = _address(pickup)
        if self._transport is None or not self.reaches(pickup, now=now):
            return "never"
        who = sender.current(pool=facts.of(TRANSACTIONAL))
        data = _mail(pickup, code, recipient, who, now=now)
        envelope = Outgoing(pickup.message_id, who.address, recipient, data)
        return _went(self._transport, envelope)


class ByText:
    """By text message, to the mobile number that was verified. Without a transport it only reaches.

    It comes before the mail: who holds the mailbox, and so the link, does not hold the telephone.
    """

    name = "sms"

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport

    def reaches(self, pickup: Pickup, *, now: datetime) -> bool:
        pool = facts.of(TEXTS)
        return (
            sender.has_carrier(pool)
            and pool.may_carry(now.date())
            and permitted(pickup, channel="sms", now=now)
            and bool(_mobile(pickup, now=now))
        )

    def send(self, pickup: Pickup, code: str, *, now: datetime) -> Went:
        if self._transport is None or not permitted(pickup, channel="sms", now=now):
            return "never"
        recipient = _mobile(pickup, now=now)
        if not recipient:
            return "never"
        said_in = _text(known(pickup.language) or "en").render(
            {"code": code}, organisation=sender.current().merged(), addresses=Addresses("")
        )
        number = uuid5(pickup.id, str(pickup.code_number)).hex
        line = sender.number(facts.of(TEXTS))
        envelope = Outgoing(pickup.message_id, line, recipient, said_in.text.encode(), number)
        return _went(self._transport, envelope)


def _went(transport: Transport, envelope: Outgoing) -> Went:
    (outcome,) = transport.send([envelope])
    if outcome.fate in (Fate.DEFERRED, Fate.NOT_TRIED):
        return "again"
    # What may have arrived is not sent again: a person who waits in vain asks for another.
    return "never" if outcome.fate is Fate.REJECTED else "left"


def _mobile(pickup: Pickup, *, now: datetime) -> str:
    """Return the number that texts of this kind go to, if somebody verified that it is theirs.

    A code says that there is such a message: it goes where the message itself may go (PR-22).
    """
    message = pickup.message
    person = persons.standing_for([message.contact_id])[message.contact_id]
    belongs = frozenset(message.classes) | {message.topic, message.purpose}
    asked: reach.Asked = (person, "sms", belongs)
    known = reach.read([asked], {}, persons.ids_of([person]), now=now)
    category = reach.category_of(asked, known.several)
    found = points.address_for([person], channel="sms", now=now, category=category)
    address = found.get(person)
    if address is None or address.point_id is None:
        return ""
    row = ContactPoint.objects.filter(pk=address.point_id, state=ContactPoint.State.VERIFIED)
    number = phone_form(address.value)
    return number if number.startswith("+") and row.exists() else ""


def permitted(pickup: Pickup, *, channel: str, now: datetime) -> bool:
    """Ask the gate. A hold (quiet hours) does not bind: the person asked just now, and waits."""
    asked = GateRequest(pickup.message.contact_id, PURPOSE, channel, frozenset({"contact_point"}))
    (answer,) = gate.ask([asked], now=now)
    return not isinstance(answer, gate.Refusal)


def _address(pickup: Pickup) -> str:
    try:
        return evidence.merged(pickup.message).recipient
    except evidence.Gone:
        return ""


def _mail(pickup: Pickup, code: str, recipient: str, who: Sender, *, now: datetime) -> bytes:
    said_in = _parts(known(pickup.language) or "en").render(
        {"code": code}, organisation=who.merged(), addresses=Addresses("")
    )
    return _whole(pickup, said_in, recipient, who, now=now)


def _whole(
    pickup: Pickup, rendered: Rendered, recipient: str, who: Sender, *, now: datetime
) -> bytes:
    number = f"{pickup.id.hex}.{pickup.code_number}"
    mail = mime.Mail(
        sender_name=who.name,
        sender=who.address,
        recipient=recipient,
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        message_id=f"<code.{number}@{who.domain}>",
        at=now,
        boundary=f"attune-{number}",
        extra={"Auto-Submitted": "auto-generated"},
    )
    head, body = mime.headers(mail), mime.body(mail)
    if who.signer is not None:
        head = who.signer.sign(head, body, now=now)
    return mime.whole(head, body)


@lru_cache(maxsize=8)
def _parts(language: str) -> Parts:
    words = said(mails.CODE, language)
    source, tags = markup.marked(_MJML.format(language=language, **words))
    return Parts(
        words["subject"],
        markup.restored(markup.to_html(source, tags), tags),
        _TEXT.format(**words),
        {},
    )


_MJML = """<mjml lang="{language}">
  <mj-head><mj-attributes>
    <mj-all font-family="Helvetica, Arial, sans-serif" />
    <mj-text font-size="16px" line-height="1.5" color="#1f2937" />
  </mj-attributes></mj-head>
  <mj-body background-color="#f3f4f6">
    <mj-section background-color="#ffffff" padding="24px"><mj-column>
      <mj-text font-size="14px" color="#4b5563">{{{{ organisation.name }}}}</mj-text>
      <mj-text font-size="22px" font-weight="bold">{title}</mj-text>
      <mj-text font-size="28px" font-weight="bold" letter-spacing="4px">
        {{{{ contact.code }}}}</mj-text>
      <mj-text>{lead}</mj-text>
      <mj-text font-size="14px" color="#4b5563">{warning}</mj-text>
      <mj-text font-size="13px" color="#4b5563">{{{{ organisation.name }}}}<br />
        {{{{ organisation.postal_address }}}}</mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>"""
_TEXT = """{{{{ organisation.name }}}}

{title}: {{{{ contact.code }}}}

{lead}

{warning}

{{{{ organisation.name }}}}
{{{{ organisation.postal_address }}}}
"""


@lru_cache(maxsize=8)
def _text(language: str) -> Parts:
    return Parts("", "", said(mails.CODE, language)["text"], {})


def usual(
    transport: Transport | None = None, *, texts: Transport | None = None
) -> tuple[Carrier, ...]:
    """Return the carriers of this installation, the best first."""
    return ByText(texts), ByMail(transport)
