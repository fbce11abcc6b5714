"""The door for gateways of text messages: what they report, and what people write.

Our own contract comes as signed JSON (docs/gateway.md), Twilio's as a signed form. Whoever knocks
learns nothing: a wrong address and a wrong signature have one answer, and so have a message that is
ours and one that is not.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import tenancy
from accounts.guard import public
from audit import actions, trail
from audit.actor import acting_as
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging import signed
from messaging.hearing import reported
from messaging.hearing.feeds import Report
from messaging.pools import facts, lanes
from messaging.pools.facts import PoolFacts
from messaging.pools.models import Pool
from messaging.signed import NotSigned
from messaging.texts import incoming, reports
from messaging.texts.incoming import TEXTS
from messaging.texts.reports import STATUSES, Status
from messaging.transports import carriers, gateway, twilio

LARGEST: Final = 64 * 1024
ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
"""Tells Twilio to say nothing: our answer goes as a message of its own."""

actions.register("text.gateway_refused", ("pool",))


class Unreadable(ValueError):
    """It is signed, but says nothing that the contract knows; the message says where."""


@public
@csrf_exempt
@require_POST
def gateway_reports(request: HttpRequest, token: str) -> HttpResponse:
    """Take in what a pool's gateway reports."""
    now = timezone.now()
    try:
        read = tokens.read(token, purpose=carriers.DOOR, now=now)
        with tenancy.acting_for(read.organisation_id), acting_as(TEXTS):
            kind = read.payload["k"]
            if kind not in lanes.POOLS:
                raise NotSigned
            return _heard(request, facts.of(kind), now=now)
    except (TokenRefused, NotSigned):
        return HttpResponse(status=403)
    except Unreadable as why:
        return HttpResponse(f"{why}\n", status=400, content_type="text/plain")


def _heard(request: HttpRequest, pool: PoolFacts, *, now: datetime) -> HttpResponse:
    by_twilio = pool.carrier == Pool.Carrier.PROVIDER and pool.provider == carriers.TWILIO
    try:
        if by_twilio:
            _of_twilio(request, pool, now=now)
        else:
            _of_gateway(request, pool, now=now)
    except NotSigned:
        trail.record(
            "text.gateway_refused",
            subject=f"pool:{pool.kind}",
            detail={"pool": pool.kind},
            outcome="refused",
        )
        raise
    return HttpResponse(ANSWER, content_type="text/xml") if by_twilio else HttpResponse(status=204)


def _of_gateway(request: HttpRequest, pool: PoolFacts, *, now: datetime) -> None:
    body = request.read(LARGEST + 1)
    given = {name.lower(): value for name, value in request.headers.items()}
    secret = carriers.secret_of(pool)
    if len(body) > LARGEST or not secret:
        raise NotSigned
    number = signed.check(body, given, secret=secret, now=now)
    said = _json(body)
    match said.get("type"):
        case "message.status":
            _status(said, pool, now=now)
        case "message.received" if pool.of_texts:
            incoming.take(
                _word(said, "text", most=incoming.LONGEST),
                number=_word(said, "from", most=32),
                pool=pool.kind,
                mark=number,
                received_at=_moment(said, "at", now=now),
                now=now,
            )
        case _:
            raise Unreadable("type: use message.status or message.received")


def _status(said: dict[str, Any], pool: PoolFacts, *, now: datetime) -> None:
    status = _word(said, "status", most=12)
    if status not in STATUSES:
        raise Unreadable(f"status: use {', '.join(sorted(STATUSES))}")
    code, number = str(said.get("code", "")), _uuid(_word(said, "id", most=36))
    at = _moment(said, "at", now=now)
    if not pool.of_texts:
        _mail_status(number, status, code, at=at, now=now)
        return
    reports.take(
        number,
        cast(Status, status),
        code=code if code in gateway.CODES else "",
        at=at,
        now=now,
    )


def _mail_status(number: UUID, status: str, code: str, *, at: datetime, now: datetime) -> None:
    """Take in what a gateway says of a mail as what any provider reports of one."""
    kind = "bounced" if status == "failed" else "delivered"
    if status == "sent":
        return
    reason = "invalid" if code == "no_such_mailbox" else ""
    mark = incoming.mark_of("gateway", number.hex, status, code)
    report = Report(kind, (number.hex,), mark, at, "", "", reason, "", "")
    reported.take(report, now=now)


def _of_twilio(request: HttpRequest, pool: PoolFacts, *, now: datetime) -> None:
    form = {name: request.POST[name] for name in request.POST}
    address = str(settings.ATTUNE_PUBLIC_ORIGIN).rstrip("/") + request.get_full_path()
    given = request.headers.get("x-twilio-signature", "")
    if not twilio.is_signed(address, form, given, token=pool.secret):
        raise NotSigned
    if "MessageStatus" in form:
        _twilio_status(form, request.GET.get("m", ""), now=now)
    elif "Body" in form and "From" in form:
        mark = form.get("MessageSid") or incoming.mark_of(form["From"], form["Body"], str(now))
        incoming.take(
            form["Body"],
            number=form["From"],
            pool=pool.kind,
            mark=mark,
            received_at=now,
            now=now,
        )


_TWILIO: Final[dict[str, Status]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
}


def _twilio_status(form: dict[str, str], public_id: str, *, now: datetime) -> None:
    status = _TWILIO.get(form["MessageStatus"])
    if status is None:
        return  # queued, sending: it is known already
    number = form.get("ErrorCode", "")
    failed = status == "failed" and number.isdigit()
    code = twilio.code_of(int(number)) if failed else ""
    reports.take(
        _uuid(public_id),
        status,
        code="not_delivered" if code == "gateway_refused" else code,
        reply=number if failed else "",
        at=now,
        now=now,
    )


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(said, dict):
        raise Unreadable("the body is not a JSON object")
    return said


def _word(said: dict[str, Any], name: str, *, most: int) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Unreadable(f"{name}: give a text")
    return value[:most]


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Unreadable("id: give the id that the message was handed over with") from None


def _moment(said: dict[str, Any], name: str, *, now: datetime) -> datetime:
    """Return when it happened; now where the gateway does not say, or says the future."""
    if name not in said:
        return now
    try:
        at = datetime.fromisoformat(str(said[name]))
    except ValueError:
        raise Unreadable(f"{name}: write 2027-01-31T09:00:00-05:00") from None
    return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)
