"""Mail by a provider's API, spoken by django-anymail; its calls go through `outside` as all do.

A provider makes the mail anew from its parts: what must arrive byte for byte (S/MIME, PGP/MIME)
does not go this way, and its own DKIM signature stands in for ours. The message's public id goes
along as metadata, by which the provider's reports name it (messaging.hearing.feeds).
"""

from __future__ import annotations

import email.policy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from anymail.backends.brevo import EmailBackend as Brevo
from anymail.backends.mailgun import EmailBackend as Mailgun
from anymail.backends.mailjet import EmailBackend as Mailjet
from anymail.backends.postmark import EmailBackend as Postmark
from anymail.backends.sparkpost import EmailBackend as SparkPost
from anymail.exceptions import AnymailAPIError, AnymailError
from django.core.mail import EmailMultiAlternatives
from requests.adapters import BaseAdapter

from messaging import outside
from messaging.outside import Hosts
from messaging.transports.base import Fate, Outcome, Outgoing
from messaging.transports.web import Web, fate_of_status

METADATA: Final = "attune"
_KEPT: Final = ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Date")


@dataclass(frozen=True, slots=True)
class Kind:
    """One provider: how its account is named, and where its API may be."""

    label: str
    backend: Callable[..., AnymailRequestsBackend]
    hosts: tuple[str, ...]
    secret: str
    """The keyword of its key."""
    user: str = ""
    """The keyword of what it asks for beside the key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    asks_domain: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "brevo": Kind("Brevo", Brevo, ("api.brevo.com",), "api_key"),
    "mailgun": Kind("Mailgun", Mailgun, ("api.mailgun.net", "api.eu.mailgun.net"), "api_key",
                    asks_domain=True),
    "mailjet": Kind("Mailjet", Mailjet, ("api.mailjet.com", "api.us.mailjet.com"), "secret_key",
                    user="api_key"),
    "postmark": Kind("Postmark", Postmark, ("api.postmarkapp.com",), "server_token",
                     headers={"X-PM-KeepID": "true"}),
    "sparkpost": Kind("SparkPost", SparkPost, ("api.sparkpost.com", "api.eu.sparkpost.com"),
                      "api_key"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    provider: str
    secret: str = field(repr=False)
    user: str = ""
    sender_domain: str = ""
    api: str = ""
    """Empty: the provider's usual one."""
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    account: Account
    hosts: Hosts

    def transport(self, *, connections: int) -> Web:
        hop = outside.hop(self.account.api or "https://provider.invalid")
        return Web(self.hand, hop=hop, connections=connections, whole=False)

    def hand(self, mail: Outgoing) -> Outcome:
        """Hand one mail over; nothing of an error's text is kept, because it names people."""
        message = self._message(mail)
        backend = self._backend()
        try:
            backend.open()
            backend.send_messages([message])
        except AnymailAPIError as refused:
            response = getattr(refused, "response", None)
            if response is None:
                return Outcome(mail.number, Fate.UNCLEAR)
            return _refused(mail.number, response.status_code)
        except (AnymailError, ValueError):
            return Outcome(mail.number, Fate.REJECTED, code="provider_cannot")
        finally:
            backend.close()
        return self._said(mail, message)

    def _said(self, mail: Outgoing, message: Any) -> Outcome:
        said = message.anymail_status
        states = {str(one.status) for one in said.recipients.values()}
        reference = str(said.message_id or "")[:120]
        if states & {"rejected", "invalid", "failed"}:
            return Outcome(mail.number, Fate.REJECTED, code="rejected", reference=reference)
        return Outcome(mail.number, Fate.ACCEPTED, "200", reference=reference)

    def _backend(self) -> AnymailRequestsBackend:
        kind, account = KINDS[self.account.provider], self.account
        given: dict[str, Any] = {kind.secret: account.secret, "timeout": outside.READ}
        if kind.user:
            given[kind.user] = account.user
        if kind.asks_domain and account.sender_domain:
            given["sender_domain"] = account.sender_domain
        if account.api:
            given["api_url"] = account.api
        backend = kind.backend(**given)
        guarded = _Guarded(self.hosts.also(*kind.hosts), account.ca_file)
        backend.open()
        for scheme in ("https://", "http://"):
            backend.session.mount(scheme, guarded)
        return backend

    def _message(self, mail: Outgoing) -> EmailMultiAlternatives:
        parsed = message_from_bytes(mail.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        headers = {name: str(parsed[name]) for name in _KEPT if parsed[name]}
        kind = KINDS[self.account.provider]
        made = EmailMultiAlternatives(
            subject=str(parsed["Subject"] or ""),
            body=_part(parsed, "plain"),
            from_email=str(parsed["From"]),
            to=[mail.recipient],
            headers={**headers, **kind.headers},
        )
        if html := _part(parsed, "html"):
            made.attach_alternative(html, "text/html")
        for file in parsed.iter_attachments():
            name = file.get_filename() or "attachment"
            made.attach(name, file.get_payload(decode=True), file.get_content_type())
        if mail.envelope_id:
            made.metadata = {METADATA: mail.envelope_id}  # type: ignore[attr-defined]
        return made


class _Guarded(BaseAdapter):
    """Makes the library's calls by `outside.call`: allowed hosts, judged addresses, no redirects.

    Its NotCalled and NoAnswer pass through the library, which knows nothing of them.
    """

    def __init__(self, hosts: Hosts, ca_file: str) -> None:
        super().__init__()
        self.hosts = hosts
        self.ca_file = ca_file

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        body = request.body or b""
        answer = outside.call(
            str(request.method),
            str(request.url),
            hosts=self.hosts,
            body=body.encode() if isinstance(body, str) else body,
            headers={name: str(value) for name, value in request.headers.items()},
            ca_file=self.ca_file,
        )
        made = requests.Response()
        made.status_code = answer.status
        made._content = answer.body
        made.headers.update(answer.headers)
        made.request, made.url = request, str(request.url)
        if 300 <= answer.status < 400:
            made.headers.pop("location", None)
        return made

    def close(self) -> None:
        """Nothing is kept open."""


def _refused(number: int, status: int) -> Outcome:
    fate = fate_of_status(status)
    code = "rejected" if fate is Fate.REJECTED else ""
    return Outcome(number, fate, str(status), code)


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def api_problem(provider: str, url: str, hosts: Hosts) -> str:
    """Return why this is not a provider's API, in a sentence for a form; empty if it is."""
    known = hosts.also(*KINDS[provider].hosts)
    return outside.problem(url, known) if urlsplit(url).netloc else "Write a whole address."
