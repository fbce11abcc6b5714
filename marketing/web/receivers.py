"""Receivers: what the mail servers that we write to can do, and what is believed of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.fields import DataClass
from messaging import sender
from messaging.hearing import providers
from messaging.models import Receiver
from messaging.pools import facts as pools
from messaging.pools import lanes
from messaging.protection import facts, judging, receivers
from messaging.protection.facts import Found

PAGE = 200
KINDS = {"verified": "ok", "unverified": "warn", "defer": "bad", "no_mail": "plain"}
RELAY = {
    "enforced": "The relay promises to deliver over verified TLS or not at all. Domains that "
    "cannot be verified get a notice with a link to the portal instead.",
    "per_domain": "The relay promises to follow the policy that is written for each domain from "
    "this table. Only the domains that are verified here get mail that needs it.",
    "opportunistic": "The relay promises nothing for the way behind it. What stands here is for "
    "your eyes: seeing that a server can be verified makes nobody verify it, so messages that need "
    "it go by the portal or encrypted to the person's key.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One domain as it is shown."""

    receiver: Receiver
    name: str
    kind: str
    words: str
    found: Found | None

    @property
    def certificate_ends(self) -> datetime | None:
        ends = (
            [one.expires_at for one in self.found.servers if one.expires_at] if self.found else []
        )
        return datetime.fromisoformat(min(ends)) if ends else None

    @property
    def tls(self) -> str:
        said = {one.tls for one in self.found.servers if one.tls} if self.found else set()
        return ", ".join(sorted(said))


@require_safe
@requires(Permission.DELIVERY_VIEW)
def listing(request: HttpRequest) -> HttpResponse:
    """Show the domains, those with trouble first. A small domain's name can be a person's."""
    now, user = timezone.now(), staff_of(request)
    rows = list(Receiver.objects.order_by("standing", "-wanted_at")[:PAGE])
    counted = Counter(Receiver.objects.values_list("standing", flat=True))
    trail.record("receivers.viewed", detail={"count": len(rows)})
    context: dict[str, Any] = {
        "rows": [_row(one, user) for one in rows],
        "counts": [
            (Receiver.Standing(name).label, counted[name]) for name in Receiver.Standing.values
        ],
        "total": sum(counted.values()),
        "relays": _relays(),
        "named": _may_name(user),
        "as_of": now,
    }
    return render(request, "messaging/receivers.html", context)


def _relays() -> list[dict[str, str]]:
    """Return what is promised for the way behind the relay, with the pools that it holds for."""
    by_mode: dict[str, list[str]] = defaultdict(list)
    for kind, pool in pools.read().items():
        if kind not in lanes.OF_TEXTS:
            by_mode[sender.onward(pool).value].append(lanes.LABELS[kind])
    return [
        {"pools": ", ".join(names), "words": RELAY[mode], "mode": mode}
        for mode, names in by_mode.items()
    ]


@require_safe
@requires(Permission.DELIVERY_VIEW)
def one(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Show everything that was seen of one domain."""
    row = _row(_found(receiver_id), staff_of(request))
    trail.record("receivers.viewed", subject=f"receiver:{receiver_id}", detail={"count": 1})
    hidden = row.found is not None and row.name != row.receiver.domain
    return render(request, "messaging/receiver.html", {"row": row, "hidden": hidden})


@require_POST
@requires(Permission.DELIVERY_VIEW)
def again(request: HttpRequest, receiver_id: UUID) -> HttpResponse:
    """Have one looked at again, soon."""
    receivers.look_again(_found(receiver_id), now=timezone.now())
    messages.success(request, "It is looked at again within seconds.")
    return redirect("receiver", receiver_id)


def _found(receiver_id: UUID) -> Receiver:
    row = Receiver.objects.filter(pk=receiver_id).first()
    if row is None:
        raise Http404("no such receiver")
    return row


def _may_name(user: User) -> bool:
    return DataClass.CONTACT_POINT.value in user.data_classes


def _row(row: Receiver, user: User) -> Row:
    domain = row.domain
    great = providers.of(f"x@{domain}") != "other"
    found = facts.read(row.found) if row.found else None
    return Row(
        row,
        domain if great or _may_name(user) else "A smaller domain",
        KINDS.get(row.standing, "plain"),
        judging.MEANS.get(row.because, "Nothing is known yet: the next look is due."),
        found,
    )
