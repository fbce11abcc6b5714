"""The questions behind Home's list, one for each thing that goes wrong quietly."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse

from accounts.models import ApiKey, User
from accounts.roles import Permission
from audit.models import Batch, Entry
from marketing.web.attention import Matter, watches

SEALED_WITHIN = timedelta(minutes=5)
EXPIRY_NEAR = timedelta(days=14)


def ready() -> None:
    """Importing this module put its questions on the list; views call this to say so."""


@watches(Permission.TRAIL_VIEW)
def unsealed_trail(now: datetime) -> Matter | None:
    """Entries that the sealer should have reached by now."""
    last = Batch.objects.order_by("-number").values_list("epoch", "last_txid", "last_id").first()
    waiting = Entry.objects.filter(at__lt=now - SEALED_WITHIN)
    if last is not None:
        waiting = waiting.filter(id__gt=last[2])
    count = waiting[:10_000].count()
    if not count:
        return None
    return Matter(
        count,
        "trail entry waits for its seal" if count == 1 else "trail entries wait for their seal",
        f"They are older than {SEALED_WITHIN.seconds // 60} minutes: is the scheduler running?",
        reverse("trail"),
        "Open the trail",
        "bad",
    )


@watches(Permission.KEYS_MANAGE)
def expiring_keys(now: datetime) -> Matter | None:
    soon = ApiKey.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + EXPIRY_NEAR
    )
    if not (count := soon.count()):
        return None
    return Matter(
        count,
        "API key expires within two weeks" if count == 1 else "API keys expire within two weeks",
        "The machine that uses one stops being heard on that day.",
        reverse("api-keys"),
        "Make new keys",
    )


@watches(Permission.STAFF_MANAGE)
def nobody_to_repair(now: datetime) -> Matter | None:
    """One administrator alone cannot be helped when the authenticator is lost."""
    count = User.objects.filter(is_active=True, role="administrator").count()
    if count != 1:
        return None
    return Matter(
        1,
        "administrator only",
        "If that one loses the authenticator, nobody can invite anyone again. Add a second.",
        reverse("staff"),
        "Invite one",
        "info",
    )
