"""What happens to people's ways when two contacts become one person."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from workflows.models import Enrolment

_WAITING = Enrolment.State.WAITING
_STOP = """
update workflows_enrolment e
set state = 'stopped', outcome = 'merged', due_at = null, waiting_for = '', ended_at = %s
where e.contact_id = %s and e.state = 'waiting' and exists (
    select from workflows_enrolment s
    where s.workflow_id = e.workflow_id and s.contact_id = %s and s.occurrence = e.occurrence
)
"""


class Enrolments:
    """Waiting enrolments go with the person; where the other goes that way already, one stops."""

    name = "enrolments"

    def move(self, absorbed: int, survivor: int, *, now: datetime) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(_STOP, [now, absorbed, survivor])
        waiting = Enrolment.objects.select_for_update().filter(contact_id=absorbed, state=_WAITING)
        ids = list(waiting.values_list("id", flat=True))
        Enrolment.objects.filter(pk__in=ids).update(contact_id=survivor)
        return ids

    def back(self, absorbed: int, survivor: int, moved: list[int], *, now: datetime) -> None:
        """Also those that ended since: where somebody has been is no longer anybody else's."""
        theirs = Enrolment.objects.filter(pk__in=moved, contact_id=survivor)
        theirs.update(contact_id=absorbed)
        resumed = Enrolment.objects.filter(contact_id=absorbed, state="stopped", outcome="merged")
        resumed.update(state=_WAITING, outcome="", due_at=now, ended_at=None)
