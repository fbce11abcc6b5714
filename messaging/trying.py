"""Try a draft: see it with an invented person's values, or have it sent to oneself.

No value of any patient takes part, so a trial may lie in a colleague's inbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.models import User
from audit import trail
from contacts import registry
from crypto.ids import uuid7
from messaging import mime, sender
from messaging.compose import extra_headers
from messaging.filters import Locale
from messaging.links import Addresses
from messaging.making import drafts
from messaging.making.invented import INVENTED
from messaging.models import Template
from messaging.render import Parts, Rendered
from messaging.templates_compile import Compiled
from messaging.transports.base import Fate, Outgoing, Transport

MARK: Final = "[Test] "


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a trial: the code of the mail server, never its words."""

    accepted: bool
    code: str


def shown(compiled: Compiled, *, language: str, when: Mapping[str, bool] | None = None) -> Rendered:
    """Return the draft as the invented person would get it; raises NotRendered."""
    ours = sender.current()
    known = registry.current()
    values = {name: value for name, value in INVENTED.items() if name in known}
    destinations = {one.number: one.destination for one in compiled.links}
    parts = Parts(compiled.subject, compiled.html, compiled.text, destinations)
    return parts.render(
        values,
        organisation=ours.merged(),
        addresses=Addresses(f"{ours.origin}/m/u/preview"),
        locale=Locale(language, ours.timezone),
        when=dict.fromkeys(compiled.asked, True) | dict(when or {}),
    )


def send_text(template: Template, to: str, *, transport: Transport, number: str) -> Tried:
    """Send the draft of a text to a phone; raises TemplateInvalid or NotRendered."""
    compiled = drafts.compiled(template)
    said = shown(compiled, language=template.language).text.strip()
    trail.record("template.tested", subject=f"template:{template.id}")
    (outcome,) = transport.send([Outgoing(0, number, to, said.encode(), uuid7().hex)])
    return Tried(outcome.fate is Fate.ACCEPTED, outcome.code or outcome.reply)


def send(template: Template, to: User, *, transport: Transport, now: datetime) -> Tried:
    """Send the draft to a member of staff; raises TemplateInvalid or NotRendered."""
    compiled = drafts.compiled(template)
    said = shown(compiled, language=template.language)
    number: UUID = uuid7()
    ours = sender.current()
    mail = mime.Mail(
        sender_name=ours.name,
        sender=ours.address,
        recipient=to.email,
        subject=f"{MARK}{said.subject}",
        html=said.html,
        text=said.text,
        message_id=f"<test.{number.hex}@{ours.domain}>",
        at=now,
        boundary=f"attune-{number.hex}",
        extra=extra_headers(
            Addresses(f"{ours.origin}/m/u/preview"), purpose="treatment", unsubscribes=False
        ),
    )
    head, body = mime.headers(mail), mime.body(mail)
    if ours.signer is not None:
        head = ours.signer.sign(head, body, now=now)
    outgoing = Outgoing(0, ours.address, to.email, mime.whole(head, body))
    trail.record("template.tested", subject=f"template:{template.id}")
    (outcome,) = transport.send([outgoing])
    return Tried(outcome.fate is Fate.ACCEPTED, outcome.reply or outcome.code)
