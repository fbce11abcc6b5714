"""Text messages by Twilio's API (2010-04-01). No Django.

https://www.twilio.com/docs/messaging/api/message-resource for sending and listing,
https://www.twilio.com/docs/usage/webhooks/webhooks-security for the signature of its reports.
Twilio knows no idempotency key: an unclear message is looked up among those sent to its number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from messaging import outside
from messaging.outside import Answer, Hosts, NoAnswer, NotCalled
from messaging.transports.base import Fate, Outcome, Outgoing, Wanted
from messaging.transports.web import Web, fate_of

API: Final = "https://api.twilio.com"
HOST: Final = "api.twilio.com"
LOOKED_AT: Final = 200
"""Messages to one number in two days that a look-up compares."""
CODES: Final[Mapping[int, str]] = {
    21211: "number_unusable",
    21214: "number_unusable",
    21217: "number_unusable",
    21610: "opted_out",
    21612: "number_unusable",
    21614: "number_unusable",
    30003: "not_delivered",
    30004: "carrier_blocked",
    30005: "number_unusable",
    30006: "number_unusable",
    30007: "carrier_blocked",
}
"""https://www.twilio.com/docs/api/errors; the others fail a message and say nothing of a number."""


@dataclass(frozen=True, slots=True)
class Account:
    sid: str
    token: str = field(repr=False)
    reports: str = ""
    api: str = API
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Twilio:
    account: Account
    hosts: Hosts

    def transport(self, *, connections: int) -> Web:
        return Web(self.hand, hop=outside.hop(self.account.api), connections=connections)

    def hand(self, mail: Outgoing) -> Outcome:
        form = {"To": mail.recipient, "Body": mail.data.decode()} | _from(mail.sender)
        if self.account.reports:
            form["StatusCallback"] = f"{self.account.reports}?m={mail.envelope_id}"
        answer = self._call("POST", "Messages.json", urlencode(form).encode())
        told, fate = _json(answer), fate_of(answer)
        if fate is Fate.ACCEPTED:
            return Outcome(
                mail.number, fate, str(answer.status), reference=str(told.get("sid", ""))[:120]
            )
        number = told.get("code")
        reply = f"{answer.status} {number}" if isinstance(number, int) else str(answer.status)
        if fate is Fate.REJECTED:
            return Outcome(mail.number, fate, reply[:16], code_of(number))
        return Outcome(mail.number, fate, reply[:16])

    def look_up(self, wanted: Collection[Wanted]) -> tuple[frozenset[str], frozenset[str]]:
        """Return which of these were taken in and which never were, by number and bytes."""
        known, absent = set(), set()
        for one in wanted:
            if not one.to:
                continue
            since = (one.handed_over_at - timedelta(days=1)).date().isoformat()
            asked = urlencode({"To": one.to, "DateSent>": since, "PageSize": LOOKED_AT})
            try:
                answer = self._call("GET", f"Messages.json?{asked}", b"")
            except (NotCalled, NoAnswer):
                break
            rows = _json(answer).get("messages")
            if answer.status != 200 or not isinstance(rows, list):
                continue
            sums = {_sum(row) for row in rows if isinstance(row, dict)}
            if one.sha256 in sums:
                known.add(one.number)
            elif len(rows) < LOOKED_AT:
                absent.add(one.number)
        return frozenset(known), frozenset(absent)

    def say(self, number: str, to: str, sender: str, text: str) -> Fate:
        """Hand over an answer to somebody who wrote to us; raises NotCalled or NoAnswer."""
        return self.hand(Outgoing(0, sender, to, text.encode(), number)).fate

    def _call(self, method: str, path: str, body: bytes) -> Answer:
        pair = f"{self.account.sid}:{self.account.token}".encode()
        headers = {"authorization": "Basic " + base64.b64encode(pair).decode()}
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return outside.call(
            method,
            f"{self.account.api}/2010-04-01/Accounts/{self.account.sid}/{path}",
            hosts=self.hosts,
            body=body,
            headers=headers,
            ca_file=self.account.ca_file,
        )


def code_of(number: object) -> str:
    """Return our code for one of Twilio's error numbers."""
    return CODES.get(number, "gateway_refused") if isinstance(number, int) else "gateway_refused"


def signature(url: str, form: Mapping[str, str], *, token: str) -> str:
    """Return what Twilio signs a form with: HMAC-SHA-1 over the address and the sorted fields."""
    said = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), said.encode(), hashlib.sha1)).decode()


def is_signed(url: str, form: Mapping[str, str], given: str, *, token: str) -> bool:
    expected = signature(url, form, token=token)
    return bool(token) and hmac.compare_digest(expected.encode(), given.encode())


def _from(sender: str) -> dict[str, str]:
    """Return who sends: a number, or a messaging service, whose id begins with MG."""
    return {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}


def _sum(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(str(row.get("body", "")).encode()).hexdigest()


def _json(answer: Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
