"""Changes that no event tells: whoever makes one says whose answers it may change.

Call `touch` in the change's own transaction. Changes of records, lists, consent and messages need
none: their events are read.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, Literal

from django.db import connection

from accounts import tenancy
from contacts.segments.live import wake
from contacts.segments.live.models import Touch
from crypto.rows import insert_rows

What = Literal["record", "household", "journey", "consent", "erased"]
KEPT: Final = timedelta(hours=1)

_ASKED = """
SELECT EXISTS (
    SELECT FROM contacts_following f JOIN contacts_segment s ON s.id = f.segment_id
    WHERE f.organisation_id = %s AND %s = ANY(f.rests_on) AND s.archived_at IS NULL
)
"""


def touch(contact_ids: Collection[int], what: What, *, now: datetime) -> None:
    """Have the members among these contacts worked out anew."""
    if not contact_ids:
        return
    organisation_id = tenancy.current()
    insert_rows(
        Touch._meta.db_table,
        ("organisation_id", "contact_id", "what", "at", "taken"),
        ("int4", "int8", "text", "timestamptz", "bool"),
        ((organisation_id, one, what, now, False) for one in contact_ids),
    )
    wake.soon()


def asked(what: What) -> bool:
    """Whether any segment asks for this kind: a hot path need not write what nobody reads."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [tenancy.current(), what])
        return bool(cursor.fetchone()[0])


def forget_old(*, now: datetime) -> int:
    deleted, _ = Touch.objects.filter(taken=True, at__lt=now - KEPT).delete()
    return deleted
