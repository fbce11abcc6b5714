"""What happens to waiting messages when two contacts become one person."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from messaging.models import Message

# One that the other has too (the same source, step and visit) stays behind; the gate refuses it,
# because nobody stands behind its contact any more. So nobody gets the same message twice.
_MOVE = """
update messaging_message m set contact_id = %(to)s
where m.contact_id = %(from)s and m.state in ('queued', 'deferred', 'paused') and not exists (
    select from messaging_message s
    where s.organisation_id = m.organisation_id and s.source = m.source
      and s.contact_id = %(to)s and s.step = m.step and s.visit = m.visit
      and s.occurrence = m.occurrence
)
returning m.id
"""


class Waiting:
    """Queued messages go with the person and are asked for anew when they are claimed."""

    name = "messages"

    def move(self, absorbed: int, survivor: int, *, now: datetime) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, {"from": absorbed, "to": survivor})
            return [row[0] for row in cursor.fetchall()]

    def back(self, absorbed: int, survivor: int, moved: list[int], *, now: datetime) -> None:
        """Those that went out meanwhile stay: their evidence is sealed for whoever got them."""
        waiting = Message.objects.filter(
            pk__in=moved, contact_id=survivor, state__in=["queued", "deferred", "paused"]
        )
        waiting.update(contact_id=absorbed)
