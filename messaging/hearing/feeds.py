"""What mail providers report by webhook, in one form: read and checked by django-anymail.

Providers say who they are in one of two ways: with a password of ours (basic authentication), or
by a signature under a key of theirs. Either is compared in constant time.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailersend import MailerSendTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from anymail.webhooks.mailjet import MailjetTrackingWebhookView
from anymail.webhooks.postmark import PostmarkTrackingWebhookView
from anymail.webhooks.sparkpost import SparkPostTrackingWebhookView
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

USER: Final = "attune"
"""The user name of basic authentication."""
MOST_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Provider:
    """How one provider reports. `key` is the name of its signing key, empty for a password."""

    name: str
    view: Any
    key: str = ""

    @property
    def signs(self) -> bool:
        return bool(self.key)


PROVIDERS: Final[Mapping[str, Provider]] = {
    "mailgun": Provider("Mailgun", MailgunTrackingWebhookView, "webhook_signing_key"),
    "mailersend": Provider("MailerSend", MailerSendTrackingWebhookView, "signing_secret"),
    "postmark": Provider("Postmark", PostmarkTrackingWebhookView),
    "brevo": Provider("Brevo", BrevoTrackingWebhookView),
    "mailjet": Provider("Mailjet", MailjetTrackingWebhookView),
    "sparkpost": Provider("SparkPost", SparkPostTrackingWebhookView),
}


class FeedRefused(Exception):
    """The request does not show what the provider must, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """One event of one message. `ids` may name the message; `mark` is the same if it is sent again.

    `words` are the receiving server's, and stay in memory.
    """

    kind: str
    ids: tuple[str, ...]
    mark: str
    at: datetime | None
    words: str
    recipient: str
    reason: str
    agent: str
    address: str
    """Where a followed link leads."""


def read(request: HttpRequest, *, provider: str, secret: str) -> list[Report]:
    """Return what is reported, or raise FeedRefused."""
    known = PROVIDERS[provider]
    given = {known.key: secret} if known.signs else {"webhook_secret": f"{USER}:{secret}"}
    try:
        view = known.view(**given)
        view.run_validators(request)
        events = view.parse_events(request)
    except (AnymailWebhookValidationFailure, AnymailError, SuspiciousOperation) as why:
        raise FeedRefused from why
    except (ValueError, KeyError, TypeError, AttributeError, LookupError) as why:
        raise FeedRefused from why  # a body that is not what the provider sends
    return [_report(provider, event) for event in events[:MOST_EVENTS]]


def basic(secret: str) -> str:
    """The header that a provider with our password sends."""
    return "Basic " + base64.b64encode(f"{USER}:{secret}".encode()).decode()


def _report(provider: str, event: Any) -> Report:
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    named = [event.message_id, *metadata.values(), *_headers(event.esp_event)]
    ids = tuple(str(one)[:250] for one in named if one)
    return Report(
        kind=str(event.event_type),
        ids=ids,
        mark=_mark(provider, event, ids),
        at=event.timestamp,
        words=f"{event.mta_response or ''} {event.description or ''}".strip()[:2_000],
        recipient=str(event.recipient or ""),
        reason=str(event.reject_reason or ""),
        agent=str(event.user_agent or "")[:400],
        address=str(event.click_url or "")[:2_000],
    )


def _headers(raw: Any) -> list[str]:
    """The Message-ID where a provider has a number of its own and passes the header on as well."""
    if not isinstance(raw, Mapping):
        return []
    names = ("Message-ID", "message-id", "smtp-id", "CustomID", "rcpt_meta")
    return [raw[name] for name in names if isinstance(raw.get(name), str)]


def _mark(provider: str, event: Any, ids: tuple[str, ...]) -> str:
    said = [provider, event.event_type, event.event_id, ids, event.recipient, str(event.timestamp)]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()
