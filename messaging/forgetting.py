"""What messaging forgets of erased people, in the erasing transaction.

Sealed words and values go with the person's key. What waits to go out is cancelled; what a worker
holds meanwhile is recalled, because the erasing transaction is a withdrawal too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from audit import trail
from crypto.rows import binary_cursor
from messaging import claims
from messaging.models import Answer, Message, RecipientKey

CODE = "erased"
WAITING = ("queued", "deferred", "paused")
_CANCEL = """
UPDATE messaging_message SET state = 'cancelled', refusal_code = %b, permit = NULL
WHERE contact_id = ANY(%b::int8[]) AND state IN ('queued', 'deferred', 'paused')
RETURNING id
"""


def forget(contact_ids: Sequence[int], now: datetime) -> None:
    """Cancel what waits, and drop the keys with the hashes of the addresses they belong to."""
    RecipientKey.objects.filter(contact_id__in=contact_ids).delete()
    with binary_cursor() as cursor:
        cursor.execute(_CANCEL.encode(), [CODE, list(contact_ids)])
        ids = [row[0] for row in cursor.fetchall()]
    claims.note([(number, "cancelled", CODE) for number in ids], now=now)
    if ids:
        trail.record("message.cancelled", detail={"count": len(ids), "code": CODE})


def gone(contact_ids: Sequence[int]) -> dict[str, int]:
    """Count what erasing these people takes from messaging."""
    mine = {"contact_id__in": contact_ids}
    return {
        "messages_waiting": Message.objects.filter(**mine, state__in=WAITING).count(),
        "contents_of_messages": Message.objects.filter(**mine, merge__isnull=False).count(),
        "answers": Answer.objects.filter(**mine).exclude(words=b"").count(),
        "mail_keys": RecipientKey.objects.filter(**mine, removed_at=None).count(),
    }
