"""What happens to people's places in campaigns when two contacts become one person."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from marketing.campaigns.models import Recipient

_PENDING = Recipient.State.PENDING
_DROP = """
update marketing_recipient r set state = 'dropped'
where r.contact_id = %s and r.state = 'pending' and exists (
    select from marketing_recipient s where s.run_id = r.run_id and s.contact_id = %s
)
"""


class Recipients:
    """Who is still to be written to goes with the person; where the other is too, one goes."""

    name = "recipients"

    def move(self, absorbed: int, survivor: int, *, now: datetime) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(_DROP, [absorbed, survivor])
        pending = Recipient.objects.select_for_update().filter(contact_id=absorbed, state=_PENDING)
        ids = list(pending.values_list("id", flat=True))
        Recipient.objects.filter(pk__in=ids).update(contact_id=survivor)
        return ids

    def back(self, absorbed: int, survivor: int, moved: list[int], *, now: datetime) -> None:
        theirs = Recipient.objects.filter(pk__in=moved, contact_id=survivor, state=_PENDING)
        theirs.update(contact_id=absorbed)
