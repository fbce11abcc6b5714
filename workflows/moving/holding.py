"""Hold a workflow: everybody stays where they are, and nobody comes in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import actor, trail
from workflows.models import Pause, Workflow


@transaction.atomic
def pause(
    workflow_id: UUID, *, now: datetime, why: str = "", figure: int = 0, most: int = 0
) -> bool:
    """Hold everybody where they are, and take nobody in; say whether it was live.

    `why` is the code of the brake that pulled, at `figure` within an hour where `most` may be.
    """
    live = Workflow.objects.filter(id=workflow_id, state=Workflow.State.LIVE, live__isnull=False)
    if live.update(state=Workflow.State.PAUSED, changed_at=now) != 1:
        return False
    Pause.objects.create(
        workflow_id=workflow_id,
        paused_at=now,
        paused_by=actor.current().id,
        why=why,
        figure=figure,
        most=most,
    )
    told: dict[str, int | str] = {"reason": why, "count": figure, "most": most} if why else {}
    trail.record("workflow.paused", subject=f"workflow:{workflow_id}", detail=told)
    return True
