"""A gateway that takes messages as signed JSON: our own contract, docs/gateway.md. No Django.

`POST url` with `{"type": "message.send", "id", "channel", "to", "from", …, "reports"}`, signed as
`signed` says. 2xx means that it is the gateway's now, for good; 408, 425, 429 and 503 that it is
not; another 4xx that it never will be. `GET url/<id>` says whether it took a message in.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from messaging import outside, signed
from messaging.outside import Answer, Hosts, NoAnswer, NotCalled
from messaging.transports.base import Fate, Outcome, Outgoing, Wanted
from messaging.transports.web import Web, fate_of

CODES: Final = frozenset({"number_unusable", "opted_out", "carrier_blocked", "no_such_mailbox"})
"""Reasons that a gateway may give and that mean something to us; any other is `gateway_refused`."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a gateway is, and what both sides sign with."""

    url: str
    secret: str = field(repr=False)
    channel: str
    reports: str = ""
    """Where it reports to: deliveries, and what people write back."""
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Speaks to one gateway; `clock` says what a signature is dated."""

    account: Account
    hosts: Hosts
    clock: Callable[[], datetime]

    def transport(self, *, connections: int) -> Web:
        return Web(self.hand, hop=outside.hop(self.account.url), connections=connections)

    def hand(self, mail: Outgoing) -> Outcome:
        answer = self._call("POST", self.account.url, self._said(mail), number=mail.envelope_id)
        fate, told = fate_of(answer), _json(answer)
        reference = str(told.get("reference", ""))[:120]
        if fate is Fate.ACCEPTED:
            return Outcome(mail.number, fate, str(answer.status), reference=reference)
        code = str(told.get("code", ""))
        if fate is Fate.REJECTED:
            code = code if code in CODES else "gateway_refused"
            return Outcome(mail.number, fate, str(answer.status), code)
        return Outcome(mail.number, fate, str(answer.status))

    def look_up(self, wanted: Collection[Wanted]) -> tuple[frozenset[str], frozenset[str]]:
        """Return which of these it took in and which it never had; the rest stays open."""
        known, absent = set(), set()
        for number in (one.number for one in wanted):
            try:
                address = f"{self.account.url.rstrip('/')}/{number}"
                answer = self._call("GET", address, b"", number=number)
            except (NotCalled, NoAnswer):
                break
            if answer.status == 200:
                known.add(number)
            elif answer.status == 404 and _json(answer).get("code") == "unknown_message":
                absent.add(number)
        return frozenset(known), frozenset(absent)

    def say(self, number: str, to: str, sender: str, text: str) -> Fate:
        """Hand over an answer to somebody who wrote to us; raises NotCalled or NoAnswer."""
        outgoing = Outgoing(0, sender, to, text.encode(), number)
        return self.hand(outgoing).fate

    def _call(self, method: str, url: str, body: bytes, *, number: str) -> Answer:
        headers = signed.headers(body, number=number, secret=self.account.secret, now=self.clock())
        if body:
            headers["content-type"] = "application/json"
        return outside.call(
            method, url, hosts=self.hosts, body=body, headers=headers,
            ca_file=self.account.ca_file,
        )  # fmt: skip

    def _said(self, mail: Outgoing) -> bytes:
        said: dict[str, Any] = {
            "type": "message.send",
            "id": mail.envelope_id,
            "channel": self.account.channel,
            "to": mail.recipient,
            "from": mail.sender,
        }
        if self.account.channel == "sms":
            said["text"] = mail.data.decode()
        else:
            said["mime"] = base64.b64encode(mail.data).decode()
        if self.account.reports:
            said["reports"] = self.account.reports
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _json(answer: Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
