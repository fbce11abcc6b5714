"""The door for providers' webhooks: what they report is taken in like a mail that came back.

Whoever knocks learns nothing: a wrong address and a wrong secret have one answer, and a message
that is not ours has the same answer as one that is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts import tenancy
from accounts.guard import public
from audit import trail
from audit.actor import Actor, acting_as
from consent import ledger
from contacts import events
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import bounces, feedback, happened, tracking
from messaging.bounces import Class, Heard, Kind, Verdict
from messaging.hearing import feeds, intake, visits
from messaging.hearing.feeds import FeedRefused, Report
from messaging.hearing.visits import Came
from messaging.models import Link, Message, ProviderFeed, Visit

FEED: Final = "provider.feed"
PROVIDER: Final = Actor("system", "provider")
SOURCE: Final = "webhook"


@dataclass(frozen=True, slots=True)
class Added:
    """A new feed. `secret` is what the provider is to send, shown once; empty where it signs."""

    feed: ProviderFeed
    secret: str


@transaction.atomic
def add(provider: str, *, signing_key: str = "", now: datetime) -> Added:
    """Let a provider report; with its signing key, or with a password that is made here."""
    known = feeds.PROVIDERS[provider]
    secret = "" if known.signs else secrets.token_urlsafe(24)
    feed = ProviderFeed.objects.create(
        provider=provider, secret=signing_key if known.signs else secret, created_at=now
    )
    trail.record("provider_feed.added", subject=f"feed:{feed.pk}", detail={"provider": provider})
    return Added(feed, secret)


@transaction.atomic
def end(feed_id: UUID, *, now: datetime) -> bool:
    ended = ProviderFeed.objects.filter(pk=feed_id, ended_at=None).update(ended_at=now)
    if ended:
        provider = ProviderFeed.objects.values_list("provider", flat=True).get(pk=feed_id)
        detail = {"provider": provider}
        trail.record("provider_feed.ended", subject=f"feed:{feed_id}", detail=detail)
    return bool(ended)


def path_of(feed: ProviderFeed, *, now: datetime) -> str:
    token = tokens.issue(
        {"f": str(feed.pk)},
        purpose=FEED,
        now=now,
        lifetime=None,
        organisation_id=feed.organisation_id,
    )
    return f"/m/w/{token}/"


@public
@csrf_exempt
@require_http_methods(["HEAD", "POST"])
def reported(request: HttpRequest, token: str) -> HttpResponse:
    """Take in what a provider reports. Some ask by HEAD whether there is a door."""
    if request.method == "HEAD":
        return HttpResponse()
    now = timezone.now()
    try:
        read = tokens.read(token, purpose=FEED, now=now)
        with tenancy.acting_for(read.organisation_id), acting_as(PROVIDER):
            feed = ProviderFeed.objects.filter(pk=read.payload["f"], ended_at=None).first()
            if feed is None:
                raise FeedRefused
            for report in _read(request, feed):
                take(report, now=now)
            ProviderFeed.objects.filter(pk=feed.pk).update(heard_at=now)
    except (TokenRefused, FeedRefused):
        return HttpResponse(status=403)
    return HttpResponse()


def _read(request: HttpRequest, feed: ProviderFeed) -> list[Report]:
    try:
        return feeds.read(request, provider=feed.provider, secret=feed.secret)
    except FeedRefused:
        detail = {"provider": feed.provider}
        trail.record(
            "provider_feed.refused", subject=f"feed:{feed.pk}", detail=detail, outcome="refused"
        )
        raise


def take(report: Report, *, now: datetime) -> None:
    """Do what follows from one report; of what is none of ours nothing follows."""
    heard = _heard(report)
    if heard is not None:
        intake.taken(heard, mark=report.mark, source=SOURCE, now=now)
        return
    message = intake.message_of(Heard(Kind.OTHER, message_ids=report.ids))
    if message is None:
        return
    if report.kind == "delivered":
        _delivered(message, report, now=now)
    elif report.kind in ("opened", "clicked"):
        _visited(message, report, now=now)
    elif report.kind == "unsubscribed":
        _unsubscribed(message, now=now)


def _heard(report: Report) -> Heard | None:
    """Return what is to be taken in like a mail: a bounce, a complaint, an automatic answer."""
    if report.kind in ("bounced", "rejected", "failed"):
        return Heard(Kind.BOUNCE, (_verdict(report),), message_ids=report.ids)
    if report.kind == "complained":
        verdict = Verdict(Class.FEEDBACK, report.recipient, evidence=("provider",))
        return Heard(Kind.COMPLAINT, (verdict,), feedback_type="abuse", message_ids=report.ids)
    if report.kind == "autoresponded":
        verdict = Verdict(Class.VACATION, report.recipient, evidence=("provider",))
        return Heard(Kind.AUTO_REPLY, (verdict,), message_ids=report.ids)
    return None


def _verdict(report: Report) -> Verdict:
    """By the receiving server's words; a provider's own reason speaks where those say nothing."""
    found = bounces.of_reply(report.words, recipient=report.recipient)
    if found.kind is not Class.UNDEFINED:
        return found
    kind = {"invalid": Class.USER_UNKNOWN, "blocked": Class.BLOCKED, "spam": Class.SPAM_DETECTED}
    return Verdict(
        kind.get(report.reason, Class.UNDEFINED),
        report.recipient,
        evidence=("provider", *filter(None, [report.reason])),
    )


def _delivered(message: Message, report: Report, *, now: datetime) -> None:
    """Note it once; a message of unclear fate is settled by it."""
    intake.settle(message, now=now)
    delivered(message, at=_when(message, report, now), now=now)


def delivered(message: Message, *, at: datetime, now: datetime) -> None:
    """Note that the receiving side has it; the first word counts."""
    Message.objects.filter(pk=message.pk, delivered_at=None).update(delivered_at=at)
    event = happened.event_of(message, "message.delivered", now=at)
    if event is not None:
        events.append([event], now=now, keep_first=True)


def _visited(message: Message, report: Report, *, now: datetime) -> None:
    """Note an opening or a followed link, unless the person lets nothing be measured (TR-04)."""
    at, kind = _when(message, report, now), f"message.{report.kind}"
    known = Visit.objects.filter(message_id=message.pk, kind=kind, at=at).exists()
    if known or tracking.declined([message.contact_id]):
        return
    links = Link.objects.filter(version_id=message.version_id, destination=report.address)
    number = links.values_list("number", flat=True).first() if report.kind == "clicked" else None
    visits.note(message, kind, Came(report.agent), number=number, at=at, now=now)


def _unsubscribed(message: Message, *, now: datetime) -> None:
    """A provider's own link to say no counts as ours; its list of who came back does not."""
    ledger.opt_out(
        message.contact_id,
        channel="email",
        purpose=feedback.scope(message),
        topic=message.topic,
        received_by="provider",
        now=now,
    )


def _when(message: Message, report: Report, now: datetime) -> datetime:
    """Return when it happened: not before the hand-over, and not in the future."""
    at = min(report.at or now, now)
    return max(at, message.handed_over_at) if message.handed_over_at else at
